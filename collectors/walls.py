"""
Tells the pages that stand before a source (logins, challenges, refusals) from the source itself.
"""

import re

from collectors.html import Tree
from raccroche.post import Answer, Page, Verdict

_CHALLENGE = re.compile(
    r"<title>\s*(?:just a moment|attention required|access denied|accès refusé|un instant"
    r"|verification required"
    r"|are you a robot|êtes-vous un robot|robot check|security check|ddos-guard"
    r"|pardon our interruption"
    r"|request rejected|please wait|vérification|you have been blocked|making sure you)"
    r"|cf-challenge|cf_chl_opt|challenge-platform|geo\.captcha-delivery\.com"
    r"|datadome\.co/captcha|_incapsula_resource"
    r"|px-captcha|id=\"anubis_challenge|aws-waf-token|awswafcookiedomainlist|/_sec/cp_challenge",
    re.IGNORECASE,
)
_LOGIN_TITLE = re.compile(
    r"^\W*(?:log ?in|sign ?in|connexion|se connecter|s['’]identifier|identification|anmelden"
    r"|anmeldung|login)\b",
    re.IGNORECASE,
)
_LOGIN_TEXT = re.compile(
    r"(?:you must|you need to|please) (?:be logged in|log ?in|sign ?in) to (?:view|see|read|access)"
    r"|(?:vous devez|veuillez) (?:être connecté|vous connecter"
    r"|vous identifier)[^.<]{0,20} pour (?:voir|lire|consulter|accéder)"
    r"|réservée? aux (?:membres|abonnés connectés)"
    r"|(?:sie müssen|bitte) (?:angemeldet sein|melden sie sich an)[^.<]{0,30}(?:zu sehen|zu lesen)",
    re.IGNORECASE,
)


def wall(answer: Answer, page: Tree | None = None) -> Page | None:
    """
    The page to return instead of parsing, when *answer* is a login, a challenge or a refusal;
    else None.

    Call it when nothing was found, or before parsing where a wall is likely: it only reads the
    status and the first 64 kB.
    """
    status = answer.status
    if status == 401:
        return Page(verdict=Verdict.LOGIN_WALL, note="HTTP 401: the source asks for a login")
    if status == 429:
        return Page(verdict=Verdict.RATE_LIMITED, note="HTTP 429: too many requests")
    start = answer.text[:65536]
    if _CHALLENGE.search(start):
        return Page(verdict=Verdict.BLOCKED, note=f"HTTP {status}: a challenge for robots")
    if status in (403, 406, 451):
        return Page(verdict=Verdict.BLOCKED, note=f"HTTP {status}: refused")
    if status in (404, 410):
        return Page(verdict=Verdict.UNREACHABLE, note=f"HTTP {status}: gone")
    if page is not None and _is_login(page, start):
        return Page(verdict=Verdict.LOGIN_WALL, note="the page asks for a login")
    return None


def _is_login(page: Tree, start: str) -> bool:
    title = page.css_first("title")
    if title is not None and _LOGIN_TITLE.match(title.text().strip()):
        return page.css_first("input[type=password]") is not None
    return bool(_LOGIN_TEXT.search(start)) and page.css_first("input[type=password]") is not None
