"""
Comments on the talk pages of MediaWiki sites, told apart by their signatures.

API: https://www.mediawiki.org/wiki/API:Main_page . Errors come as HTTP 200 with `{"error": ...}`.
A comment has no id of its own: page, minute of signature and order make one. The API and the page
itself give the same comments.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from collectors.boards import json_object
from collectors.dates import parse_date
from collectors.fields import identifier, need, optional
from collectors.html import (
    Node,
    Text,
    ancestors,
    classes_of,
    host,
    one_line,
    page_language,
    page_url,
    text_of,
    tree,
)
from collectors.settings import several, utc_text, web_address, whole
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "mediawiki"
TITLE = "MediaWiki"
NEEDS = ""
LEGAL = "Public talk pages by the documented API; the wiki's robots.txt and licence apply."


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *api*: address of `api.php`. *pages*: titles of talk pages; without any, all pages of
    *namespaces* (1: talk of articles, 5: of the project), then only those that changed.
    """

    api: str
    pages: tuple[str, ...] = ()
    namespaces: tuple[int, ...] = (1,)
    context_brand: str | None = None

    def __post_init__(self) -> None:
        api = web_address(self.api, "api")
        if not api.endswith(".php"):
            raise ValueError(f"api: {self.api!r} does not end in api.php")
        object.__setattr__(self, "api", api)
        object.__setattr__(self, "pages", several(self.pages, "pages", least=0))
        numbers = (self.namespaces,) if isinstance(self.namespaces, int) else self.namespaces
        spaces = tuple(whole(n, "namespaces", low=0, high=10_000) for n in numbers)
        if not spaces and not self.pages:
            raise ValueError("namespaces: name at least one, or pages to read")
        object.__setattr__(self, "namespaces", spaces)


_COMMON = {"format": "json", "formatversion": "2", "maxlag": "5"}


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The named pages; else all pages in the first run, and what recent changes name later."""
    context = {"context_brand": settings.context_brand} if settings.context_brand else {}
    if settings.pages:
        for title in settings.pages:
            yield _of_page(settings.api, title, context, phase="")
        return
    for space in settings.namespaces:
        if state.since is None:
            asked = {"list": "allpages", "apnamespace": str(space), "aplimit": "max"}
        else:
            asked = {
                "list": "recentchanges",
                "rcnamespace": str(space),
                "rcprop": "title|ids|timestamp",
                "rctype": "edit|new",
                "rclimit": "max",
                "rcend": utc_text(state.since),
            }
        params = {**_COMMON, "action": "query", **asked}
        yield Request(settings.api, params=params, context=context)


def _of_page(api: str, title: str, context: Mapping[str, str], *, phase: str) -> Request:
    params = {
        **_COMMON,
        "action": "parse",
        "page": title,
        "prop": "text",
        "disableeditsection": "1",
        "disablelimitreport": "1",
        "redirects": "1",
    }
    return Request(api, params=params, context=dict(context), phase=phase)


def parse(answer: Answer) -> Page:
    """The comments of a talk page, from the API or as a page; or the talk pages of a list."""
    if not answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _page_itself(answer)
    data = json_object(answer)
    if "error" in data:
        return _refusal(answer, data)
    if "parse" in data:
        return _parsed(answer, data)
    if "query" in data:
        return _listed(answer, data)
    if "batchcomplete" in data:
        return Page()
    raise SourceError("mediawiki: neither a page, a list nor an error", url=answer.url)


def recognises(answer: Answer) -> int:
    body = answer.body
    if body.lstrip()[:1] == b"{":
        start = body[:3000]
        if b'"parse"' in start and b"mw-parser-output" in body:
            return 95
        lists = (b'"recentchanges"', b'"allpages"', b'"readapidenied"', b'"docref"')
        return 85 if any(name in start for name in lists) else 0
    if b"<" not in body[:200] or not re.search(rb'content="MediaWiki |"wgArticleId"', body):
        return 0
    return 90 if re.search(rb'"wgNamespaceNumber":\d*[13579]\b', body) else 55


# API -------------------------------------------------------------------------------------------

_CLOSED = frozenset(
    ("readapidenied", "permissiondenied", "notloggedin", "login-required", "mustbeloggedin")
)
_BUSY = frozenset(("ratelimited", "maxlag", "readonly", "toomanyrequests"))
_GONE = frozenset(("missingtitle", "nosuchpageid", "invalidtitle", "pagecannotexist"))


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    code = need(data, "error.code", str, answer.url)[:60]
    said = f"the wiki's API says {code}: {one_line(optional(data, 'error.info', str))[:200]}"
    if code in _CLOSED:
        return Page(verdict=Verdict.LOGIN_WALL, note=said)
    if code in _BUSY:
        return Page(verdict=Verdict.RATE_LIMITED, note=said)
    if code in _GONE:
        verdict = Verdict.UNREACHABLE if answer.phase == "" else None
        return Page(verdict=verdict, note=said)
    if code == "blocked" or code.endswith("blocked"):
        return Page(verdict=Verdict.BLOCKED, note=said)
    raise SourceError(f"mediawiki: {said}", url=answer.url)


def _listed(answer: Answer, data: Mapping[str, Any]) -> Page:
    """Each page of a list once, and the list's next part by its continue tokens."""
    query = need(data, "query", dict, answer.url)
    name = next((name for name in ("recentchanges", "allpages") if name in query), None)
    if name is None:
        raise SourceError("mediawiki: the answer holds no list of pages", url=answer.url)
    rows = need(query, name, list, answer.url)
    titles = dict.fromkeys(need(row, "title", str, answer.url) for row in rows)
    api = answer.request.url if answer.request else answer.url.partition("?")[0]
    into = [_of_page(api, title, answer.context, phase="page") for title in titles]
    cursor = {name: utc_text(answer.fetched_at)}
    return Page(next=(*into, *_continued(answer, data)), cursor=cursor)


def _continued(answer: Answer, data: Mapping[str, Any]) -> tuple[Request, ...]:
    tokens = optional(data, "continue", dict)
    if not tokens or answer.request is None:
        return ()
    params = {
        **answer.request.params,
        **{one_line(str(k)): one_line(str(v)) for k, v in tokens.items()},
    }
    return (replace(answer.request, params=params),)


def _parsed(answer: Answer, data: Mapping[str, Any]) -> Page:
    html = need(data, "parse.text", str, answer.url)
    title = need(data, "parse.title", str, answer.url)
    number = identifier(data, "parse.pageid", answer.url)
    talk = _Talk(answer, number, title, _address(answer.url, title), None)
    return Page(posts=tuple(_posts(talk, html)))


def _address(api: str, title: str) -> str | None:
    root, found, _ = api.partition("api.php")
    return f"{root}index.php?title={quote(title.replace(' ', '_'))}" if found else None


_LOGIN_TITLE = re.compile(
    r"^(?:connexion nécessaire|login required|anmeldung erforderlich|identification requise)",
    re.IGNORECASE,
)


def _page_itself(answer: Answer) -> Page:
    """The talk page as readers see it; `wgArticleId` is its number."""
    html = answer.text
    page = tree(html)
    content = page.css_first(".mw-parser-output, #mw-content-text, #bodyContent")
    title = page.css_first("title")
    if title is not None and _LOGIN_TITLE.match(one_line(title.text())):
        return Page(verdict=Verdict.LOGIN_WALL, note="the wiki shows its pages to members only")
    number = re.search(r'"wgArticleId":\s?(\d{1,12})', html)
    if content is None or number is None:
        return wall(answer, page) or Page()
    heading = page.css_first("#firstHeading, h1")
    name = one_line(heading.text()) if heading is not None else ""
    talk = _Talk(answer, number.group(1), name, page_url(answer, page) or None, page_language(page))
    return Page(posts=tuple(_posts(talk, content.html or "")))


# Comments --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Talk:
    answer: Answer
    number: str
    title: str
    url: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class _Line:
    """A paragraph or list item: how deep it is indented, its own HTML; *heading*: its anchor."""

    depth: int
    html: str
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class _Comment:
    author: str | None
    at: datetime
    depth: int
    text: Text
    section: str
    section_title: str


def _posts(talk: _Talk, html: str) -> Iterator[Post]:
    above: list[tuple[int, str]] = []  # (depth, id) of the comments that may be answered
    section, seen = "", dict[str, int]()
    for comment in _comments(talk, html):
        minute = f"{talk.number}-{comment.at:%Y%m%d%H%M}"
        seen[minute] = seen.get(minute, 0) + 1
        native_id = minute if seen[minute] == 1 else f"{minute}-{seen[minute]}"
        if comment.section != section:
            section, above = comment.section, []
        above = [pair for pair in above if pair[0] < comment.depth]
        yield _post(talk, comment, native_id, above[-1][1] if above else None)
        above.append((comment.depth, native_id))


def _post(talk: _Talk, comment: _Comment, native_id: str, parent: str | None) -> Post:
    anchor = f"#{quote(comment.section, safe=':_.,()')}" if comment.section else ""
    return Post(
        source=f"{PLATFORM}/{host(talk.answer.url) or host(talk.url) or 'unknown'}",
        platform=PLATFORM,
        native_id=native_id,
        text=comment.text.text,
        kind=Kind.COMMENT,
        author=comment.author,
        published_at=comment.at,
        url=f"{talk.url}{anchor}" if talk.url else None,
        parent=parent,
        thread=f"{talk.number}#{comment.section}" if comment.section else talk.number,
        thread_title=comment.section_title or talk.title or None,
        language=talk.language,
        context_brand=talk.answer.context.get("context_brand"),
        quoted=comment.text.quoted,
    )


def _comments(talk: _Talk, html: str) -> Iterator[_Comment]:
    """Lines up to and with a signature are one comment; a heading drops what was not signed."""
    waiting: list[_Line] = []
    section = section_title = ""
    for line in _lines(html):
        if line.heading is not None:
            waiting, section = [], line.heading
            section_title = one_line(text_of(line.html).text)[:500]
            continue
        waiting.append(line)
        signed = _signature(line.html, talk.answer)
        if signed is None:
            continue
        words = "".join(f"<div>{one.html}</div>" for one in waiting[:-1])
        text = text_of(f"{words}<div>{line.html[: signed.start]}</div>")
        depth = waiting[0].depth
        waiting = []
        stripped = re.sub(r"[\s—–~-]+$", "", text.text)
        if stripped:
            yield _Comment(
                signed.author, signed.at, depth, Text(stripped, text.quoted), section, section_title
            )


_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = frozenset(("p", "dd", "li", "dt", "blockquote", "pre"))
_LISTS = frozenset(("dl", "ul", "ol"))
_ASIDE = frozenset(
    ("toc", "navbox", "catlinks", "mw-jump-link", "printfooter", "bandeau-container")
)


def _lines(html: str) -> Iterator[_Line]:
    body = tree(html).body
    if body is None:
        return
    for node in body.traverse(include_text=False):
        name = node.tag or ""
        if name in _HEADINGS:
            yield _Line(0, _heading_html(node), _anchor(node))
        elif name in _BLOCKS:
            around = list(ancestors(node, limit=60))
            if any(_ASIDE.intersection(classes_of(one)) for one in around) or _within(around):
                continue
            own = _own_html(node)
            if own.strip():
                depth = sum(1 for one in around if one.tag in _LISTS)
                yield _Line(
                    depth, f"<blockquote>{own}</blockquote>" if name == "blockquote" else own
                )


def _within(around: list[Node]) -> bool:
    """Whether a block is part of another one (a paragraph of a list item), not of a list."""
    nearest = next((one.tag for one in around if one.tag in _LISTS | _BLOCKS), None)
    return nearest in _BLOCKS


def _own_html(node: Node) -> str:
    """The HTML of *node* without the lists in it, which are answers."""
    children = node.iter(include_text=True)
    html = "".join(child.html or "" for child in children if child.tag not in _LISTS)
    return html.replace("&nbsp;", " ").replace("\u00a0", " ")


def _heading_html(node: Node) -> str:
    inner = node.css_first(".mw-headline")
    return (inner or node).inner_html or ""


def _anchor(node: Node) -> str:
    inner = node.css_first(".mw-headline[id], [id]")
    return (node.id or (inner.id if inner is not None else None) or one_line(node.text()))[:200]


# Signatures ------------------------------------------------------------------------------------

_WHEN = re.compile(
    r"(?:\d{1,2}(?:er)?\.? [^\W\d]{3,10}\.? \d{4} (?:à|um|at) \d{1,2}[:h]\d\d"
    r"|\d{1,2}:\d\d, \d{1,2}\.? [^\W\d]{3,10}\.? \d{4}"
    r"|\d{1,2}:\d\d, [^\W\d]{3,10} \d{1,2}, \d{4})"
    r" \((?P<zone>[A-Za-z+:\d]{1,12})\)"
)
_WHO = re.compile(
    r"<a [^>]*?href=\"[^\"]*?(?:/wiki/|title=|/)(?:"
    r"Discussion_utilisat(?:eur|rice)|Utilisat(?:eur|rice)|User_talk|User"
    r"|Benutzer(?:in)?_Diskussion|Benutzer(?:in)?"
    r"|(?:Sp%C3%A9cial|Spécial|Special|Spezial):(?:Contributions|Beitr%C3%A4ge)"
    r")[:/](?P<name>[^\"&#?/]{1,250})[^>]*>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Signature:
    author: str | None
    at: datetime
    start: int  # where in the HTML of the line it begins


_ZONES = {
    **dict.fromkeys(("CET", "CEST", "MEZ", "MESZ"), "Europe/Paris"),
    "BST": "Europe/London",
    **dict.fromkeys(("EST", "EDT"), "America/New_York"),
}


def _signature(html: str, answer: Answer) -> _Signature | None:
    """The signature that ends *html*: links to its author, then the date and its time zone."""
    stamps = list(_WHEN.finditer(html))
    if not stamps:
        return None
    written, _, zone = stamps[-1].group().rpartition(" (")
    moment = parse_date(written, now=answer.fetched_at, tz=_ZONES.get(zone.rstrip(")"), "UTC"))
    if moment is None or moment.day_only:
        return None
    before = html[: stamps[-1].start()]
    links = list(_WHO.finditer(before))
    author = _name(links[-1]) if links else None
    start = links[-1].start() if links else len(before)
    for link in reversed(links[:-1]):
        between = re.sub(r"<[^>]*>", "", before[link.end() : start])
        if _name(link) != author or len(between) > 80:
            break
        start = link.start()
    return _Signature(author, moment.at, start)


def _name(link: re.Match[str]) -> str:
    return one_line(unquote(link["name"]).replace("_", " "))
