"""Threads of XenForo forums, versions 1 and 2."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collectors import boards
from collectors.boards import Board, Message, Row, Topic, first_text
from collectors.dates import Moment
from collectors.html import Node, ancestors, attribute_of, classes_of, count_of, one_line, text_of
from raccroche.post import Answer, Page

PLATFORM = "xenforo"
TITLE = "XenForo"
NEEDS = ""
LEGAL = boards.LEGAL
Settings = boards.Settings
requests = boards.requests


def parse(answer: Answer) -> Page:
    """The messages of a thread, or the threads of a list."""
    board = Board.of(answer, PLATFORM)
    messages = _messages(board)
    if messages:
        return _thread(board, messages)
    rows = _rows(board)
    if rows:
        return boards.listing_page(board, rows, boards.pages_of(board, _within(_own_id(board))))
    return boards.nothing_here(board)


def recognises(answer: Answer) -> int:
    found = boards.signs(
        answer.body,
        (
            rb"XenForo|<html id=[\"']XF|id=[\"']XenForo|data-xf-",
            rb"class=[\"'][^\"']*\bmessage--post\b|class=[\"'][^\"']*\bmessage\b[^>]*data-author",
            rb"structItem--thread|discussionListItem",
            rb"bbWrapper|messageText|js-selectToQuote|itemPageNav|structItem",
        ),
        own=rb"<html[^>]*\bid=[\"'](?:XF|XenForo)\b|data-xf-"
        rb"|class=[\"'][^\"'>]*\b(?:message--post|discussionListItem|structItem|bbWrapper|messageText)\b",
    )
    return (0, 35, 70, 90, 95)[found]


# Messages --------------------------------------------------------------------------------------

_BUTTONS = frozenset(
    ("bbCodeBlock-expandLink", "quoteExpand", "js-selectToQuoteEnd", "message-lastEdit")
)


_OLD_QUOTE = re.compile(r"\bbbCodeQuote\b")


def _skip(node: Node) -> bool:
    return bool(_BUTTONS.intersection(classes_of(node)))


def _messages(board: Board) -> list[Message]:
    found = []
    for node in board.page.css("article.message, li.message, div.message--post")[:500]:
        named = node.attributes.get("data-content") or node.id or ""
        number = re.fullmatch(r"(?:js-)?post-(\d{1,18})", named)
        content = node.css_first(".message-body .bbWrapper, .bbWrapper, .messageText")
        if number and content is not None:
            found.append(_message(board, node, content, number.group(1)))
    return found


def _message(board: Board, node: Node, content: Node, number: str) -> Message:
    stamp = node.css_first(
        ".message-attribution time, .message-date time, .datePermalink .DateTime, "
        ".messageMeta .DateTime, time[itemprop=datePublished], time.u-dt"
    )
    anchor = node.css_first('.message-attribution a[href*="post-"], a.datePermalink, a.postNumber')
    edited = node.css_first(".message-lastEdit time, .editDate .DateTime")
    return Message(
        number=number,
        author=node.attributes.get("data-author") or first_text(node, ".message-name", ".username"),
        moment=_moment(board, stamp),
        text=text_of(_OLD_QUOTE.sub("quote", content.inner_html or ""), skip=_skip),
        anchor=board.link(attribute_of(anchor, "href") or f"{board.url}#post-{number}"),
        edited=_moment(board, edited),
    )


def _moment(board: Board, node: Node | None) -> Moment | None:
    """`<time datetime>`, an `<abbr data-time>` in Unix time, or a title in words."""
    if node is None:
        return None
    names = ("datetime", "data-time", "title", "data-datestring")
    return board.date(*(node.attributes.get(name) for name in names), node.text())


# Threads ---------------------------------------------------------------------------------------

_PLACE = re.compile(r"(?:^|[./])(\d+)/(?:page-(\d+))?(?:[?#]|$)")


def _own_id(board: Board) -> str | None:
    key = attribute_of(board.page.css_first("html"), "data-content-key") or ""
    found = re.search(r"thread-(\d+)", key) or _PLACE.search(board.url)
    return found.group(1) if found else None


class _within:
    """Tells the page number of addresses of one thread or forum."""

    def __init__(self, native_id: str | None) -> None:
        self.native_id = native_id

    def __call__(self, href: str) -> int | None:
        found = _PLACE.search(href)
        if not found or self.native_id is None or found.group(1) != self.native_id:
            return None
        return int(found.group(2) or 1)


def _thread(board: Board, messages: list[Message]) -> Page:
    native_id = _own_id(board)
    place = _within(native_id)
    here = place(board.url) or _current(board)
    pages = boards.pages_of(board, place, here=here)
    title = next(
        (t for s in ("h1.p-title-value", ".titleBar h1", "h1") if (t := _words(board, s))), None
    )
    return boards.topic_page(board, messages, Topic(native_id, title, _declared(board)), pages)


def _words(board: Board, selector: str) -> str | None:
    node = board.page.css_first(selector)
    return one_line(node.text())[:500] or None if node is not None else None


def _current(board: Board) -> int:
    words = _words(board, ".pageNav-page--current, .PageNav .currentPage") or "1"
    return int(words) if words.isdigit() and len(words) < 7 else 1


def _declared(board: Board) -> int | None:
    """The replies that the page's JSON-LD counts, and the first message."""
    for posting in _postings(board):
        statistics = posting.get("interactionStatistic")
        for one in statistics if isinstance(statistics, list) else [statistics]:
            if isinstance(one, Mapping) and re.search(
                r"ReplyAction|CommentAction", str(one.get("interactionType"))
            ):
                number = one.get("userInteractionCount")
                if isinstance(number, int) and not isinstance(number, bool):
                    return number + 1
    return None


def _postings(board: Board) -> Iterator[Mapping[str, Any]]:
    for script in board.page.css('script[type="application/ld+json"]')[:20]:
        try:
            data = json.loads(script.text() or "")
        except (ValueError, RecursionError):
            continue
        for one in data if isinstance(data, list) else [data]:
            if isinstance(one, Mapping) and one.get("@type") == "DiscussionForumPosting":
                yield one


# Lists -----------------------------------------------------------------------------------------


def _rows(board: Board) -> list[Row]:
    found = []
    for node in board.page.css(".structItem--thread, li.discussionListItem")[:500]:
        links = node.css(".structItem-title a[href], h3.title a[href]")
        link = next((n for n in reversed(links) if _PLACE.search(_href(n))), None)
        place = _PLACE.search(_href(link)) if link is not None else None
        if link is not None and place:
            found.append(_row(board, node, link, place.group(1)))
    return found


def _href(node: Node) -> str:
    return re.sub(r"(?<=/)unread(?=[?#]|$)", "", node.attributes.get("href") or "")


def _row(board: Board, node: Node, link: Node, native_id: str) -> Row:
    place = _within(native_id)
    ends = {
        number: _href(other)
        for other in node.css(".structItem-pageJump a[href], .itemPageNav a[href]")[:20]
        if (number := place(_href(other))) is not None
    }
    replies = count_of(first_text(node, ".structItem-cell--meta dd", ".stats .major dd") or "")
    stamp = node.css_first(
        ".structItem-latestDate, .lastPostInfo .DateTime, .structItem-cell--latest time"
    )
    names = " ".join(" ".join(classes_of(one)) for one in (node, *ancestors(node, limit=2)))
    return Row(
        native_id=native_id,
        title=one_line(link.text())[:500],
        url=board.link(_href(link)),
        last=board.link(ends[max(ends)]) if ends else None,
        posts=replies + 1 if replies is not None else None,
        at=_moment(board, stamp),
        pinned="sticky" in names,
    )
