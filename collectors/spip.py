"""
Forum messages under the articles of SPIP sites, the CMS of many French magazines and associations.

Templates differ; the numbers (`forum-texte-123`, `#forum123`, `#comment123`) are the same
everywhere.
"""

import re

from collectors import comment_lists as lists
from collectors.comments_page import messages_page
from collectors.html import Node, Tree, absolute, classes_of, one_line, page_url, tree
from collectors.settings import Addresses, each_address
from raccroche.post import Answer, Page, Request

PLATFORM = "spip"
TITLE = "SPIP"
NEEDS = ""
LEGAL = "Public messages; the site's robots.txt and terms apply, and are read before any page."
Settings = Addresses
requests = each_address


_CARRIERS = (
    '[class*="forum-texte-"], [class*="comment-texte-"], [id^=forum], [id^=comm], a[name^=forum]'
)
_CLASS = re.compile(r"(?:forum|comment)-texte-(\d{1,18})")
_ID = re.compile(r"(?:forum|comment|comm|message)[-_]?(\d{1,18})")


def _number(node: Node) -> tuple[str, str | None] | None:
    for name in classes_of(node):
        named = _CLASS.fullmatch(name)
        if named:
            return named.group(1), None
    found = _ID.fullmatch(node.attributes.get("id") or node.attributes.get("name") or "")
    return (found.group(1), None) if found else None


def parse(answer: Answer) -> Page:
    """The messages of one page."""
    html = answer.text
    page = tree(html)
    url = page_url(answer, page)
    found = lists.comments(page, now=answer.fetched_at, carriers=_CARRIERS, number_of=_number)
    declared = lists.declared(page, url)
    following = _next(page, url, answer) if found else ()
    anchor = "#comment{}" if found and page.css_first(f"#comment{found[0].number}") else "#forum{}"
    return messages_page(
        found, PLATFORM, anchor, page, url, answer, declared=declared, next=following
    )


def recognises(answer: Answer) -> int:
    body = answer.body
    if b"<" not in body[:2000]:
        return 0
    own = re.search(rb"forum-texte-\d|forum-message|forum-fil|page=forum&|spip_forum", body)
    generator = re.search(
        rb"content=[\"']SPIP |href=[\"'](?:\./)?spip\.php\?|class=[\"']spip\b|/squelettes/", body
    )
    if own:
        return 92 if generator else 70
    return 52 if generator else 0


_OFFSET = re.compile(r"[?&]debut_(?:forums?|comments?|messages?)[\w-]*=@?(\d+)")


def _next(page: Tree, url: str, answer: Answer) -> tuple[Request, ...]:
    """The page of messages that follows: the smallest offset beyond this page's own."""
    here = _OFFSET.search(answer.url)
    at = int(here.group(1)) if here else 0
    further: dict[int, str] = {}
    for link in page.css('a[href*="debut_"]'):
        href = one_line(link.attributes.get("href"))
        found = _OFFSET.search(href)
        if found and int(found.group(1)) > at:
            target = absolute(href, url)
            if target:
                further.setdefault(int(found.group(1)), target)
    if not further:
        return ()
    return (Request(further[min(further)], context=answer.context),)
