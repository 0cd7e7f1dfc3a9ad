"""Topics of phpBB forums, versions 2 and 3, and of Forumactif, whose pages descend from them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from collectors import boards
from collectors.boards import Board, Message, Pages, Row, Topic, first_text, holder
from collectors.dates import Moment
from collectors.html import (
    Node,
    Text,
    absolute,
    ancestors,
    attribute_of,
    classes_of,
    count_of,
    one_line,
    text_of,
)
from raccroche.post import Answer, Page, Request

PLATFORM = "phpbb"
TITLE = "phpBB"
NEEDS = ""
LEGAL = boards.LEGAL
Settings = boards.Settings
requests = boards.requests


def parse(answer: Answer) -> Page:
    """The messages of a topic, or the topics of a list."""
    board = Board.of(answer, PLATFORM)
    messages = _messages(board) or _old_messages(board)
    if messages:
        return _topic(board, messages)
    rows = _rows(board)
    if rows:
        return boards.listing_page(board, rows, boards.pages_of(board, _list_place(board)))
    return _forums(board) or boards.nothing_here(board)


def recognises(answer: Answer) -> int:
    found = boards.signs(
        answer.body,
        (
            rb"viewtopic\.php\?|viewforum\.php\?|\bviewtopic\b",
            rb"phpBB|forumactif|forumieren",
            rb"class=[\"']topictitle|class=[\"'][^\"']*\bpostbody\b|class=[\"']postdetails",
            rb"memberlist\.php|profile\.php\?mode=viewprofile",
        ),
        # vBulletin 4 has a `div.postbody` too
        own=rb"class=[\"']topictitle|<(?:span|td)[^>]*class=[\"']post(?:body|details)|id=[\"']phpbb\b"
        rb"|href=[\"'](?:\./)?(?:viewtopic|viewforum|memberlist|ucp|profile)\.php",
    )
    return (0, 25, 60, 88, 93)[found]


# Addresses -------------------------------------------------------------------------------------

_TOPIC = re.compile(
    r"viewtopic\.php\?(?:[^#]*?[?&;])?t=(?P<id>\d+)|viewtopic\.php\?t=(?P<id2>\d+)"
    r"|(?:-t|/topic|/t)(?P<id3>\d+)(?:[-p](?P<at3>\d+))?(?:-[^/?#]*)?(?:\.html?)?(?:[?#]|$)"
)
_START = re.compile(r"[?&;]start=(\d+)")
_FORUM = re.compile(
    r"viewforum\.php\?(?:[^#]*?[?&;])?f=(?P<id>\d+)"
    r"|(?:-f|/forum|/f)(?P<id2>\d+)(?:[-p](?P<at2>\d+))?(?:-[^/?#]*)?(?:\.html?)?(?:[?#]|$)"
)
_NO_PAGE = re.compile(r"[?&;](?:view|watch|unwatch|bookmark|hash|vote|mark)=")


def _place(href: str, pattern: re.Pattern[str]) -> tuple[str, int] | None:
    """(id of the topic or forum, offset of its page) that *href* leads to."""
    found = pattern.search(href)
    if not found or _NO_PAGE.search(href):
        return None
    groups = found.groupdict()
    native_id = next(v for k, v in groups.items() if k.startswith("id") and v)
    offset = next((v for k, v in groups.items() if k.startswith("at") and v), None)
    start = _START.search(href)
    return native_id, int(start.group(1) if start else offset or 0)


def _list_place(board: Board) -> "_Within":
    own = _place(board.url, _FORUM) if board.url else None
    return _Within(_FORUM, own[0] if own else None)


@dataclass(frozen=True, slots=True)
class _Within:
    """Tells the offset of addresses of one topic or forum (of any, where its id is not known)."""

    pattern: re.Pattern[str]
    native_id: str | None

    def __call__(self, href: str) -> int | None:
        found = _place(href, self.pattern)
        if found is None or (self.native_id is not None and found[0] != self.native_id):
            return None
        return found[1]


# Topics ----------------------------------------------------------------------------------------

_DECLARED = ".pagination, .paging, .topic-actions, .action-bar, td.nav, td.gensmall, span.gensmall"


def _topic(board: Board, messages: list[Message]) -> Page:
    native_id = _topic_id(board)
    pages = Pages()
    if native_id:
        pages = boards.pages_of(board, _Within(_TOPIC, native_id), here=_here(board, native_id))
    topic = Topic(native_id, _title(board), boards.declared_by(board, _DECLARED))
    return boards.topic_page(board, messages, topic, pages)


def _topic_id(board: Board) -> str | None:
    own = _place(board.url, _TOPIC) if board.url else None
    if own:
        return own[0]
    field_t = attribute_of(board.page.css_first("input[name=t]"), "value")
    if field_t and field_t.isdigit():
        return field_t
    for link in board.page.css("h1 a, h2 a, h3.topic-title a, .maintitle a, a.maintitle")[:10]:
        found = _place(link.attributes.get("href") or "", _TOPIC)
        if found:
            return found[0]
    reply = board.page.css_first('a[href*="mode=reply"]')
    found_t = re.search(r"[?&;]t=(\d+)", attribute_of(reply, "href") or "")
    return found_t.group(1) if found_t else None


def _here(board: Board, native_id: str) -> int | None:
    """The offset of this page: by its address, or by the title's link to itself."""
    if board.url and _place(board.url, _TOPIC):
        return None
    for link in board.page.css("h2 a, .maintitle a, a.maintitle")[:5]:
        found = _place(link.attributes.get("href") or "", _TOPIC)
        if found and found[0] == native_id:
            return found[1]
    return None


def _title(board: Board) -> str | None:
    for selector in (".topic-title", "h2 a[href*=viewtopic]", ".maintitle", "h1.page-title", "h2"):
        node = board.page.css_first(selector)
        title = one_line(node.text()) if node is not None else ""
        if title:
            return title[:500]
    return None


_CITE = re.compile(r"</cite>", re.IGNORECASE)
_WRAPPED = re.compile(r"^.{0,200}?»\s*", re.DOTALL)
_SKIPPED = frozenset(
    ("signature", "notice", "attachbox", "post-buttons", "profile-icons", "back2top", "edited")
)


def _skip(node: Node) -> bool:
    return bool(_SKIPPED.intersection(classes_of(node)))


def _messages(board: Board) -> list[Message]:
    """The `div.post#p123` of phpBB 3 (prosilver and its many children)."""
    found = []
    for node in board.page.css(".post[id^=p], [id^=p].post-container, article[id^=p]")[:500]:
        number = re.fullmatch(r"p(?:ost)?-?(\d{1,18})", node.id or "")
        content = node.css_first(".content, .postcontent, [id^=post_content] .postbody")
        content = content or node.css_first(".postbody")
        if number and content is not None:
            found.append(_message(board, node, number.group(1), content))
    return found


def _message(board: Board, node: Node, number: str, content: Node) -> Message:
    line = first_text(
        node, ".author", ".postauthor-date", ".post-date", ".postdetails", ".topic-date"
    )
    moment_of = node.css_first(".author time[datetime], time[datetime], abbr[title]")
    author = first_text(
        node,
        ".author .username, .author .username-coloured",
        ".author strong a, .author strong",
        ".postprofile .username, .postprofile .username-coloured",
        ".postprofile a[href*=viewprofile]",
        ".username, .username-coloured, .postauthor, .name strong, .name",
        '.author a[href*="memberlist"], a[href^="/u"]',
    )
    after = _WRAPPED.sub("", line or "", count=1)
    at = board.date(
        attribute_of(moment_of, "datetime"),
        after,
        (line or "").replace(author or "\0", " "),
        attribute_of(moment_of, "title"),
    )
    return Message(
        number=number,
        author=author,
        moment=at,
        text=text_of(_CITE.sub("</cite><br>", content.inner_html or ""), skip=_skip),
        anchor=_anchor(board, node, number),
        edited=_edited(board, node),
    )


def _anchor(board: Board, node: Node, number: str) -> str | None:
    if not board.url:
        return None
    own = node.css_first(f'a[href*="p={number}#p{number}"]')
    own = own or node.css_first(f'a[href$="#p{number}"], a[href$="#{number}"]')
    return board.link(attribute_of(own, "href") or f"viewtopic.php?p={number}#p{number}")


_EDIT = re.compile(
    r"(?:last edited by|edited by|dernière (?:modification|édition)|édité par|modifié par"
    r"|zuletzt geändert von)\s.{1,60}?\s(?:on|le|am)\s(.{8,40}?)(?:,\s(?:edited|édité|modifié|ins)"
    r"|[.;:]\s|$)",
    re.IGNORECASE,
)


def _edited(board: Board, node: Node) -> Moment | None:
    notice = first_text(node, ".notice", ".edited")
    found = _EDIT.search(notice or "")
    return board.date(found.group(1)) if found else None


# phpBB 2, and phpBB 3 in the dress of phpBB 2 ---------------------------------------------------

_POSTED = re.compile(
    r"(?:posted|posté(?:\s+le)?|verfasst(?:\s+am)?|publié(?:\s+le)?|geschrieben|écrit\s+le)\s*:?\s*"
    r"(.{6,60}?)(?:\s+(?:post subject|sujet|titel|objet|subject)\b|$)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"\n*^_{8,}$.*", re.MULTILINE | re.DOTALL)
_QUOTE_TABLE = re.compile(
    r"<table(?=[^>]*>(?:\s*<tbody>)?\s*<tr[^>]*>\s*<td[^>]*>\s*<span class=\"genmed\">\s*"
    r"<(?:b|strong)>(?!\s*Code\s*:)[^<]{0,200}</)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Unit:
    number: str
    author: str | None = None
    written: str | None = None
    content: Node | None = None
    anchors: list[str] = field(default_factory=list)


def _old_messages(board: Board) -> list[Message]:
    """
    Tables: an anchor with the number, then the name, "Posted: ..." and the words, in this order.
    """
    return [
        Message(
            number=unit.number,
            author=unit.author,
            moment=board.date(unit.written),
            text=_old_text(unit.content),
            anchor=board.link(f"viewtopic.php?p={unit.number}#{unit.number}")
            if board.url
            else None,
        )
        for unit in _units(board)
        if unit.content is not None
    ]


def _units(board: Board) -> Iterator[_Unit]:
    unit: _Unit | None = None
    selector = "a[name], .name, .postauthor, .postbody, .postdetails, td.gensmall, span.gensmall"
    for node in board.page.css(selector)[:6000]:
        number = _number(node)
        if number and (unit is None or unit.number != number):
            if unit is not None:
                yield unit
            unit = _Unit(number)
        if unit is None:
            continue
        classes = classes_of(node)
        if "name" in classes or "postauthor" in classes:
            unit.author = unit.author or one_line(node.text()) or None
        elif "postbody" in classes:
            unit.content = unit.content or (
                node if node.tag == "td" else holder(node, "td") or node
            )
        elif unit.written is None and unit.content is None:
            found = _POSTED.search(one_line(node.text(separator=" "))[:300])
            unit.written = found.group(1) if found else None
    if unit is not None:
        yield unit


def _number(node: Node) -> str | None:
    """The number of the message that *node* opens: `<a name="4513">`, or a name that holds one."""
    anchor = node if node.tag == "a" else node.css_first("a[name]")
    if anchor is None or (node.tag != "a" and "name" not in classes_of(node)):
        return None
    found = re.fullmatch(r"p?(\d{1,18})", anchor.attributes.get("name") or "")
    return found.group(1) if found else None


def _old_text(content: Node | None) -> Text:
    if content is None:
        return Text("")
    html = (content.inner_html or "").replace('<td class="quote"', '<td><div class="quote"')
    text = text_of(_QUOTE_TABLE.sub('<table class="quote"', html), skip=_skip_old)
    return Text(_SIGNATURE.sub("", text.text).strip(), text.quoted)


def _skip_old(node: Node) -> bool:
    return "gensmall" in classes_of(node) or "signature" in classes_of(node)


# Lists -----------------------------------------------------------------------------------------


def _rows(board: Board) -> list[Row]:
    found = []
    for link in board.page.css("a.topictitle, .topictitle a, a.topic-title")[:1000]:
        place = _place(link.attributes.get("href") or "", _TOPIC)
        title = one_line(link.text())
        if place and title:
            found.append(_row(board, link, place[0], title))
    return found


def _row(board: Board, link: Node, native_id: str, title: str) -> Row:
    around = holder(link, "li", "tr") or holder(link, "dl", "div") or link
    ends: dict[int, str] = {}
    for other in around.css("a[href]")[:60]:
        href = other.attributes.get("href") or ""
        place = _place(href, _TOPIC)
        if place and place[0] == native_id and not re.search(r"[?&;]p=\d|#", href):
            ends.setdefault(place[1], href)
    url = _plain(board.link(link.attributes.get("href")))
    last = board.link(ends[max(ends)]) if ends and max(ends) > 0 else None
    names = " ".join(" ".join(classes_of(node)) for node in (around, *ancestors(around, limit=2)))
    return Row(
        native_id=native_id,
        title=title[:500],
        url=url,
        last=_plain(last),
        posts=_posts_in(around),
        at=_changed_at(board, around),
        pinned=bool(re.search(r"sticky|announce|global", names)),
    )


def _plain(url: str | None) -> str | None:
    return absolute(url.partition("#")[0], "") if url else None


_REPLIES = re.compile(r"(\d{1,3}(?:[ .,]\d{3})+|\d{1,7})(?:\s+\D{1,20})?")


def _posts_in(around: Node) -> int | None:
    """Replies and the first message: the first cell of the row that holds a number alone."""
    for cell in around.css("dd.posts, dd, td")[:12]:
        text = one_line(cell.text(separator=" "))
        found = _REPLIES.fullmatch(text)
        number = count_of(found.group(1)) if found else None
        if number is not None:
            return number + 1
    return None


def _changed_at(board: Board, around: Node) -> Moment | None:
    cells = around.css("dd.lastpost, dd, td")[:20]
    for cell in [*[c for c in cells if "lastpost" in classes_of(c)], *reversed(cells)]:
        stamp = attribute_of(cell.css_first("time[datetime]"), "datetime")
        at = board.date(stamp, cell.text(separator=" ")[:300])
        if at is not None:
            return at
    return None


def _forums(board: Board) -> Page | None:
    """The index of a forum leads to its lists of topics."""
    into: dict[str, Request] = {}
    for link in board.page.css("a.forumtitle, a.forumlink, a.nav-forum, .forumlink a")[:300]:
        href = link.attributes.get("href") or ""
        place, url = _place(href, _FORUM), board.link(href)
        if place and url:
            into.setdefault(place[0], boards.replace_url(board.answer, url))
    return Page(next=tuple(into.values())) if into else None
