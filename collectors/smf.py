"""Topics of Simple Machines forums, versions 1.1, 2.0 and 2.1."""

import re

from collectors import boards
from collectors.boards import Board, Message, Row, Topic, first_text, holder, words_in
from collectors.dates import Moment
from collectors.html import Node, ancestors, attribute_of, classes_of, count_of, one_line
from raccroche.post import Answer, Page

PLATFORM = "smf"
TITLE = "SMF"
NEEDS = ""
LEGAL = boards.LEGAL
Settings = boards.Settings
requests = boards.requests


def parse(answer: Answer) -> Page:
    """The messages of a topic, or the topics of a board."""
    board = Board.of(answer, PLATFORM)
    messages = _messages(board) or _old_messages(board)
    if messages:
        return _topic(board, messages)
    rows = _rows(board)
    if rows:
        return boards.listing_page(board, rows, boards.pages_of(board, _board_place))
    return boards.nothing_here(board)


def recognises(answer: Answer) -> int:
    found = boards.signs(
        answer.body,
        (
            rb"\bsmf_(?:scripturl|theme_url|images_url|session_id|prepareScript)",
            rb"Simple Machines|simplemachines\.org|Powered by SMF",
            rb"index\.php[?/](?:[^\"']*[;&])?(?:topic|board)[=,]\d+",
            rb"id=[\"']msg_\d+",
        ),
        own=rb"\bsmf_[a-z]+_?[a-z]* ?=|id=[\"'](?:msg|subject)_\d+|class=[\"'][^\"'>]*\bwindowbg",
    )
    return (0, 20, 60, 88, 94)[found]


# Addresses -------------------------------------------------------------------------------------

_TOPIC = re.compile(r"(?<![a-z_])topic[=,-](\d+)\.(\d+)(?![\d/])")
_BOARD = re.compile(r"(?<![a-z_])board[=,-](\d+)\.(\d+)(?![\d/])")
_ACTION = re.compile(r"action[=,]|prev_next|#new|\.msg\d")


def _place(href: str) -> tuple[str, int] | None:
    found = None if _ACTION.search(href) else _TOPIC.search(href)
    return (found.group(1), int(found.group(2))) if found else None


def _board_place(href: str) -> int | None:
    found = None if re.search(r"action[=,]|sort[=,]", href) else _BOARD.search(href)
    return int(found.group(2)) if found else None


# Topics ----------------------------------------------------------------------------------------


def _topic(board: Board, messages: list[Message]) -> Page:
    native_id = _topic_id(board)

    def place(href: str) -> int | None:
        found = _place(href)
        return found[1] if found and found[0] == native_id else None

    pages = boards.pages_of(board, place, selector="a[href]")
    title = next((message.title for message in messages if message.title), None)
    title = re.sub(r"^(?:Re|Réponse|AW)\s*:\s*", "", title) if title else None
    return boards.topic_page(board, messages, Topic(native_id, title), pages)


def _topic_id(board: Board) -> str | None:
    own = re.search(r"topic[=,-](\d+)", board.url) if board.url else None
    if own:
        return own.group(1)
    for link in board.page.css('a[href*="action=printpage"], a[href*="topic"]')[:200]:
        found = re.search(r"topic[=,-](\d+)\.", link.attributes.get("href") or "")
        if found:
            return found.group(1)
    return None


_BEFORE_DATE = re.compile(r"^[^:]{0,60}?(?:on|le|am|:)\s?:\s|^[^:\d]{0,40}:\s+")
_ATTRIBUTION = frozenset(("quoteheader", "quotefooter", "attachments", "meaction"))


def _skip(node: Node) -> bool:
    return bool(_ATTRIBUTION.intersection(classes_of(node)))


def _messages(board: Board) -> list[Message]:
    """The `div.inner#msg_123` of SMF 2, each within the nearest element that names its poster."""
    found = []
    for node in board.page.css("div[id^=msg_]")[:500]:
        number = re.fullmatch(r"msg_(\d{1,18})", node.id or "")
        around = _around(node)
        if number and around is not None:
            found.append(_message(board, around, node, number.group(1)))
    return found


def _around(node: Node) -> Node | None:
    for above in ancestors(node, limit=8):
        if above.css_first(".poster, .poster_info") is not None:
            return above
    return None


def _message(board: Board, around: Node, content: Node, number: str) -> Message:
    line = first_text(around, ".keyinfo .postinfo", ".keyinfo .smalltext", ".smalltext")
    stamp = around.css_first(".keyinfo time[datetime]")
    return Message(
        number=number,
        author=first_text(around, ".poster h4 a[href*=profile]", ".poster h4", ".poster a"),
        moment=_date(board, attribute_of(stamp, "datetime"), line),
        text=words_in(content, skip=_skip),
        anchor=_anchor(board, around, number),
        title=_title(around, number),
        edited=_edited(board, around, number),
    )


def _date(board: Board, stamp: str | None, line: str | None) -> Moment | None:
    words = re.sub(r"^[\s«]+|[\s»]+$", "", line or "")
    return board.date(stamp, _BEFORE_DATE.sub("", words), words)


def _title(around: Node, number: str) -> str | None:
    title = first_text(around, f"#subject_{number}", ".keyinfo h5", ".subject_title")
    return title[:500] if title else None


def _anchor(board: Board, around: Node, number: str) -> str | None:
    link = around.css_first(f'a[href*="msg{number}#msg{number}"], a[href*="msg{number}"]')
    return board.link(attribute_of(link, "href"))


def _edited(board: Board, around: Node, number: str) -> Moment | None:
    words = first_text(around, f"#modified_{number}") or ""
    found = re.search(r":\s(.{8,50}?)\s(?:by|par|von)\s", words)
    return board.date(found.group(1)) if found else None


# SMF 1.1 ---------------------------------------------------------------------------------------


def _old_messages(board: Board) -> list[Message]:
    """Tables: `#subject_123` and the date over `div.post`, the name in the cell beside."""
    found = []
    for node in board.page.css("[id^=subject_]")[:500]:
        number = re.fullmatch(r"subject_(\d{1,18})", node.id or "")
        row = _row_with_post(node)
        if number and row is not None:
            content = row.css_first("div.post, .personalmessage")
            line = next(
                (
                    t
                    for n in row.css(".smalltext")[:12]
                    if (t := one_line(n.text())).startswith("«")
                ),
                None,
            )
            found.append(
                Message(
                    number=number.group(1),
                    author=first_text(row, "td > b > a[href*=profile]", "td b a", "td > b"),
                    moment=_date(board, None, line),
                    text=words_in(content, skip=_skip),
                    anchor=board.link(attribute_of(node.css_first("a"), "href")),
                    title=one_line(node.text())[:500] or None,
                )
            )
    return found


def _row_with_post(node: Node) -> Node | None:
    for above in ancestors(node, limit=10):
        if above.tag == "tr" and above.css_first("div.post") is not None:
            return above if above.css_first("td > b") is not None else None
    return None


# Boards ----------------------------------------------------------------------------------------


def _rows(board: Board) -> list[Row]:
    found = []
    for link in board.page.css("span[id^=msg_] a[href], .message_index_title a[href]")[:500]:
        place = re.search(r"topic[=,-](\d+)\.", link.attributes.get("href") or "")
        around = holder(link, "tr") or _box(link)
        if place and around is not None and "action" not in (link.attributes.get("href") or ""):
            found.append(_row(board, link, around, place.group(1)))
    return found


def _box(link: Node) -> Node | None:
    """The element of one topic in SMF 2.1, where rows are no table rows."""
    return next((a for a in ancestors(link, limit=8) if a.css_first(".lastpost") is not None), None)


_REPLIES = re.compile(r"(\d[\d\s.,]{0,9})\s*(?:replies|reply|réponses?|antwort)", re.IGNORECASE)


def _row(board: Board, link: Node, around: Node, native_id: str) -> Row:
    ends: dict[int, str] = {}
    for other in around.css("a[href]")[:60]:
        place = _place(other.attributes.get("href") or "")
        if place and place[0] == native_id:
            ends.setdefault(place[1], other.attributes.get("href") or "")
    words = _REPLIES.search(one_line(around.text(separator=" ")))
    replies = count_of(words.group(1)) if words else _first_number(around)
    last = first_text(around, ".lastpost", "td.lastpost")
    if last is None:
        last = one_line((around.css("td") or [around])[-1].text(separator=" "))
    states = " ".join(" ".join(classes_of(node)) for node in (around, *around.css("td")[:6]))
    return Row(
        native_id=native_id,
        title=one_line(link.text())[:500],
        url=board.link(link.attributes.get("href")),
        last=board.link(ends[max(ends)]) if ends and max(ends) > 0 else None,
        posts=replies + 1 if replies is not None else None,
        at=board.date(last),
        pinned="sticky" in states or around.css_first('img[src*="sticky"]') is not None,
    )


def _first_number(around: Node) -> int | None:
    cells = (one_line(cell.text()) for cell in around.css("td")[:12])
    return next((int(words) for words in cells if words.isdigit() and len(words) < 10), None)
