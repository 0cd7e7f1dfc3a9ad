"""
Answers parsed, and those among them noticed that end before their end or are of no kind: for all
platforms alike.
"""

import re
from dataclasses import replace

from collectors.contract import Source
from raccroche.post import Answer, Page, Verdict

_FEED = re.compile(rb"<(?:rss|feed|rdf:rdf)[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE)
_END = re.compile(rb"</(?:html|body)\s*>", re.IGNORECASE)
_HEAD_END = re.compile(rb"</head\s*>", re.IGNORECASE)
_SCRIPT = re.compile(rb"<(script|style)\b.*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL)
_CONTENT = re.compile(rb"<(?:body|header|main|article|section|div|h1|p)[\s>]", re.IGNORECASE)


def parsed(platform: Source, answer: Answer) -> Page:
    """
    `platform.parse`, and `layout_changed` where the page was cut with a length that fits (it still
    parses, and its last post may be half of one), or is the plain word of an outage.
    """
    page = platform.parse(answer)
    if page.verdict is not None:
        return page
    if is_cut(answer):
        note = f"the page at {answer.url} is cut short"
        return replace(page, posts=page.posts[:-1], verdict=Verdict.LAYOUT_CHANGED, note=note)
    if not (page.posts or page.threads or page.next) and is_garbage(answer):
        note = f"neither a page nor data at {answer.url}"
        return replace(page, verdict=Verdict.LAYOUT_CHANGED, note=note)
    return page


def is_cut(answer: Answer) -> bool:
    """
    Whether *answer* is an HTML page that was collected and does not close what it opened. One that
    leaves out the ends that HTML lets it leave out (`</head>` too) cannot be told from a cut one.
    """
    body = answer.body
    begun = _HTML.search(body[:20_000]) if answer.request is not None else None
    if begun is None or body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"<":
        return False
    if _FEED.search(body, 0, begun.start()) or _END.search(body[-50_000:]):
        return False
    return bool(_HEAD_END.search(body)) or not _CONTENT.search(_SCRIPT.sub(b"", body))


def is_garbage(answer: Answer) -> bool:
    """
    Whether *answer* was collected, as a success, and begins neither like markup nor like JSON. A
    plain word under a status that its platform asked for (404: no page after the last) says that.
    """
    if answer.request is None or not 200 <= answer.status < 300:
        return False
    start = answer.body[:1000]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
        start = start[2:].replace(b"\0", b"")
    start = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start != b"" and start[:1] not in b"<{[)"
