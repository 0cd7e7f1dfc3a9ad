"""Threads of vBulletin forums, versions 3, 4 and 5."""

import re

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
    page_language,
    text_of,
)
from raccroche.post import Answer, Page

PLATFORM = "vbulletin"
TITLE = "vBulletin"
NEEDS = ""
LEGAL = boards.LEGAL
Settings = boards.Settings
requests = boards.requests

_PAGER = ".pagination, .pagenav, .pagination_top, .threadpagination, .js-pagenav, #pagination_top"


def parse(answer: Answer) -> Page:
    """The messages of a thread, or the threads of a list."""
    board = Board.of(answer, PLATFORM)
    messages = _messages(board) or _old_messages(board) or _new_messages(board)
    if messages:
        topic = Topic(_thread_id(board), _title(board), _declared(board))
        return boards.topic_page(board, messages, topic, _pages(board))
    rows = _rows(board)
    if rows:
        return boards.listing_page(board, rows, _pages(board))
    return boards.nothing_here(board)


def recognises(answer: Answer) -> int:
    found = boards.signs(
        answer.body,
        (
            rb"vBulletin|vbulletin_|vBSEO",
            rb"id=[\"']post_message_\d+|id=[\"']td_post_\d+|class=[\"'][^\"']*\bb-post\b",
            rb"showthread\.php|forumdisplay\.php|class=[\"'][^\"']*\bpostbit|threadbit",
            rb"SECURITYTOKEN|vb_meta|vbmenu|YAHOO\.util|clientscript/",
        ),
        own=rb"id=[\"'](?:post_message|td_post|thread_title|td_threadtitle|threadbits)_"
        rb"|class=[\"'][^\"'>]*\b(?:b-post|postbit\w*|threadbit)\b|SECURITYTOKEN|vbmenu_"
        rb"|(?:href|src)=[\"'](?:\./)?(?:clientscript/|showthread\.php|forumdisplay\.php)",
    )
    return (0, 25, 62, 88, 95)[found]


# Messages --------------------------------------------------------------------------------------


def _messages(board: Board) -> list[Message]:
    """The `li#post_123` of vBulletin 4."""
    found = []
    for node in board.page.css("li[id^=post_]")[:500]:
        number = re.fullmatch(r"post_(\d{1,18})", node.id or "")
        content = node.css_first(f"#post_message_{number.group(1)}") if number else None
        if number and content is not None:
            found.append(_message(board, node, content, number.group(1)))
    return found


def _message(board: Board, node: Node, content: Node, number: str) -> Message:
    stamps = (".postdate .date", ".postdate", ".posthead .date", ".date", ".userstats dd", ".thead")
    anchor = node.css_first(f'a[name="post{number}"], a.postcounter')
    return Message(
        number=number,
        author=first_text(node, ".username strong", ".username", ".bigusername"),
        moment=_date(board, *(first_text(node, selector) for selector in stamps)),
        text=_text(content),
        anchor=board.link(attribute_of(anchor, "href")),
        title=first_text(node, ".postbody h2.title", ".posttitle"),
        edited=_edited(board, node),
    )


def _old_messages(board: Board) -> list[Message]:
    """The `table#post123` of vBulletin 3; the date stands in its head."""
    found = []
    nodes = board.page.css("[id^=post_message_]") or board.page.css("td[id^=td_post_]")
    for node in nodes[:500]:
        number = re.fullmatch(r"(?:post_message|td_post)_(\d{1,18})", node.id or "")
        around = _table(node, number.group(1)) if number else None
        if number and around is not None:
            found.append(_old_message(board, around, node, number.group(1)))
    return found


def _table(node: Node, number: str) -> Node | None:
    above = node.parent
    while above is not None:
        holds = above.id in (f"post{number}", f"edit{number}") or above.tag == "table"
        if holds and above.css_first(f"#postmenu_{number}, .bigusername, .username") is not None:
            return above
        above = above.parent
    return None


def _old_message(board: Board, around: Node, content: Node, number: str) -> Message:
    anchor = around.css_first(f"#postcount{number}, a[name=post{number}]")
    return Message(
        number=number,
        author=first_text(around, f"#postmenu_{number} .bigusername", ".bigusername",
                          f"#postmenu_{number}", ".username"),
        moment=_date(board, *(one_line(n.text())[:60] for n in around.css(".thead, .date")[:4])),
        text=_text(content),
        anchor=board.link(attribute_of(anchor, "href")),
        title=first_text(content.parent or content, ".smallfont strong"),
        edited=_edited(board, around),
    )  # fmt: skip


def _new_messages(board: Board) -> list[Message]:
    """The `li.b-post[data-node-id]` of vBulletin 5."""
    found = []
    for node in board.page.css("li[data-node-id].b-post, li[data-node-id]")[:500]:
        number = node.attributes.get("data-node-id") or ""
        content = node.css_first(".js-post__content-text, [itemprop=text]")
        if number.isdigit() and content is not None:
            stamp = node.css_first("time[datetime]")
            link = node.css_first("a.js-show-post-link, a.b-post__count")
            found.append(
                Message(
                    number=number,
                    author=first_text(node, ".author [itemprop=name]", ".author a", ".author"),
                    moment=_date(board, attribute_of(stamp, "datetime"), first_text(node, "time")),
                    text=_text(content),
                    anchor=board.link(attribute_of(link, "href")),
                    title=first_text(node, "h2.b-post__title"),
                )
            )
    return found


_AMERICAN = re.compile(r"\b(\d\d)-(\d\d)-(\d{4})\b(?=.{0,12}[ap]\.?m\b)", re.IGNORECASE)


def _date(board: Board, *written: str | None) -> Moment | None:
    """In English forums `03-11-2008, 09:40 PM` has its month first."""
    if page_language(board.page) in (None, "en"):
        written = tuple(_AMERICAN.sub(r"\1/\2/\3", words) if words else None for words in written)
    return board.date(*written)


_EDIT = re.compile(
    r"(?:last edited by|dernière modification par|geändert von)\s.{1,60}?[;(]?\s?"
    r"(\d[\d./-]{5,9}\s?.{0,4}\s?\d{1,2}[:h]\d\d(?:\s?[AP]M)?)",
    re.IGNORECASE,
)


def _edited(board: Board, node: Node) -> Moment | None:
    found = _EDIT.search(first_text(node, ".lastedited", ".postedit", ".editnote") or "")
    return _date(board, found.group(1)) if found else None


_OWN_BLOCKQUOTE = re.compile(
    r"<blockquote(?=[^>]*class=[\"'][^\"']*\bpostcontent\b)", re.IGNORECASE
)
_OLD_QUOTE = re.compile(
    r"(<div class=\"smallfont\"[^>]*>\s*(?:Quote|Citation|Zitat)\s*:\s*</div>\s*<table)\b",
    re.IGNORECASE,
)
_ASIDE = frozenset(
    ("signature", "attachments", "lastedited", "postedit", "editnote", "smallfont_edit")
)


def _skip(node: Node) -> bool:
    return bool(_ASIDE.intersection(classes_of(node)))


def _text(content: Node) -> Text:
    """The words; vBulletin 4 wraps each message in `<blockquote>`, vBulletin 3 quotes in tables."""
    html = _OWN_BLOCKQUOTE.sub("<div", content.inner_html or "")
    return text_of(_OLD_QUOTE.sub(r'\1 class="bbcode_quote"', html), skip=_skip)


# Threads ---------------------------------------------------------------------------------------

_THREAD = re.compile(
    r"showthread\.php\?(?:[^#]*?[&;])?(?:t=)?(\d+)|/threads?/(\d+)|/(\d+)-[^/]+\.html"
    r"|-(\d+)/(?:index\d+\.html)?$|/(\d+)-[^/]+/?$"
)


def _thread_id(board: Board) -> str | None:
    for selector in ("input[name=searchthreadid]", "input[name=threadid]", "input[name=t]"):
        value = attribute_of(board.page.css_first(selector), "value")
        if value and value.isdigit():
            return value
    found = _THREAD.search(board.url)
    return next((group for group in found.groups() if group), None) if found else None


def _title(board: Board) -> str | None:
    for selector in (".threadtitle", "#pagetitle h1", ".main-title", "td.navbar strong"):
        node = board.page.css_first(selector)
        title = one_line(node.text()) if node is not None else ""
        if title:
            return title[:500]
    return None


_RESULTS = re.compile(
    r"(?:ergebnis(?:se)?|results?|résultats?)\s+\d[\d.,]*\s+(?:bis|to|à)\s+\d[\d.,]*\s+"
    r"(?:von|of|sur)\s+(\d[\d.,]*\d|\d)",
    re.IGNORECASE,
)


def _declared(board: Board) -> int | None:
    """ "Ergebnis 661 bis 680 von 795", over the messages or as the title of a page link."""
    for node in board.page.css(f".postpagestats, .pagination_stats, {_PAGER}, {_LINKS}")[:200]:
        words = f"{node.attributes.get('title') or ''} {node.text(separator=' ')}"
        found = _RESULTS.search(one_line(words)[:2000])
        if found:
            return count_of(found.group(1))
    return None


_LINKS = ", ".join(f"{part} a[href]" for part in _PAGER.split(", "))
_PAGE_OF = re.compile(r"(?:page|seite)\s+(\d+)\s+(?:of|sur|von|de)\s+(\d+)", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:[?&;]page=|/page|/index|-)(\d+)(?:\.html|/|$|[?&;#])")


def _pages(board: Board) -> Pages:
    links = [link for link in board.page.css(_LINKS)[:500] if not _of_a_row(link)]
    head = board.page.css("link[rel=next], link[rel=prev]")
    named = {link.attributes.get("rel"): link.attributes.get("href") for link in [*links, *head]}
    numbered: dict[int, str] = {}
    for link in links:
        words, href = one_line(link.text()), link.attributes.get("href") or ""
        number = int(words) if words.isdigit() and len(words) < 7 else _number_of(href)
        if number:
            numbered.setdefault(number, href)
    here, total = _page_of(board)
    following = named.get("next") or numbered.get(here + 1)
    previous = named.get("prev") or numbered.get(here - 1)
    last = numbered.get(total or max(numbered, default=0)) if (total or 0) > here else None
    return Pages(board.link(previous), board.link(following), board.link(last))


def _of_a_row(link: Node) -> bool:
    """Whether *link* is to a page of a thread in a list, not of the list."""
    return any("threadbit" in classes_of(one) for one in ancestors(link, limit=10))


def _number_of(href: str) -> int | None:
    found = _NUMBERED.search(href)
    return int(found.group(1)) if found and len(found.group(1)) < 7 else None


def _page_of(board: Board) -> tuple[int, int | None]:
    """(this page, of how many), from "Seite 34 von 40"."""
    for node in board.page.css(_PAGER)[:10]:
        found = _PAGE_OF.search(one_line(node.text(separator=" "))[:300])
        if found:
            return int(found.group(1)), int(found.group(2))
    return _number_of(board.url) or 1, None


# Lists -----------------------------------------------------------------------------------------


def _rows(board: Board) -> list[Row]:
    found = []
    selector = "a[id^=thread_title_], .threadbit a.title, a.topic-title, a.js-topic-title"
    for link in board.page.css(selector)[:500]:
        href = link.attributes.get("href") or ""
        number = re.fullmatch(r"thread_title_(\d+)", link.id or "")
        place = _THREAD.search(href)
        native_id = number.group(1) if number else None
        if native_id is None and place:
            native_id = next((group for group in place.groups() if group), None)
        around = holder(link, "li", "tr")
        if native_id and around is not None:
            found.append(_row(board, link, around, native_id))
    return found


def _row(board: Board, link: Node, around: Node, native_id: str) -> Row:
    url = _plain(board.link(link.attributes.get("href")))
    ends: dict[int, str] = {}
    for other in around.css(".pagination a, .smallfont a[href*=page], .threadpagination a")[:20]:
        number = _number_of(other.attributes.get("href") or "")
        if number:
            ends[number] = other.attributes.get("href") or ""
    names = " ".join(classes_of(around))
    return Row(
        native_id=native_id,
        title=one_line(link.text())[:500],
        url=url,
        last=_plain(board.link(ends[max(ends)])) if ends else None,
        posts=_posts_in(around),
        at=_changed_at(board, around),
        pinned="sticky" in names or around.css_first('img[src*="sticky"], .sticky') is not None,
    )


def _plain(url: str | None) -> str | None:
    return absolute(url.partition("#")[0], "") if url else None


def _posts_in(around: Node) -> int | None:
    words = first_text(around, 'a[href*="whoposted"]', ".threadstats li", ".posts-count")
    number = count_of(words or "")
    return number + 1 if number is not None else None


def _changed_at(board: Board, around: Node) -> Moment | None:
    cells = around.css(".threadlastpost, .lastpost, .cell-lastpost, td")[:20]
    for cell in [*[c for c in cells if c.tag != "td"], *reversed(cells)]:
        at = _date(board, cell.text(separator=" ")[:200]) if not cell.css_first("a[id]") else None
        if at is not None:
            return at
    return None
