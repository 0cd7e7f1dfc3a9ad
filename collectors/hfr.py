"""Topics of forum.hardware.fr and of other forums with its software, MesDiscussions.net."""

import re
from dataclasses import replace

from collectors import boards
from collectors.boards import Board, Message, Pages, Row, Topic, first_text, words_in
from collectors.html import Node, attribute_of, classes_of, clean, count_of, one_line
from raccroche.post import Answer, Page

PLATFORM = "hfr"
TITLE = "hardware.fr"
NEEDS = ""
LEGAL = boards.LEGAL
Settings = boards.Settings
requests = boards.requests

_ADVERT = "Publicité"
_NOBODY = "Profil supprimé"
_REPEATED = re.compile(r"^\s*Reprise du message précédent\s*:\s*$")


def parse(answer: Answer) -> Page:
    """The messages of a topic, or the topics of a list."""
    board = _board(answer)
    tables = board.page.css("table.messagetable")[:300]
    messages = [message for node in tables if (message := _message(board, node))]
    if messages:
        return _topic(board, messages)
    rows = [row for node in board.page.css("tr.sujet")[:500] if (row := _row(board, node))]
    if rows:
        return boards.listing_page(board, rows, _list_pages(board))
    return boards.nothing_here(board)


def recognises(answer: Answer) -> int:
    found = boards.signs(
        answer.body,
        (
            rb"class=[\"']messagetable|class=[\"']sujet ligne_",
            rb"forum-images\.hardware\.fr|FORUM HardWare\.fr|MesDiscussions\.net|mesdiscussions",
            rb"sujet_\d+_\d+\.htm|forum2\.php\?config=|liste_sujet-\d",
        ),
        own=rb"class=[\"'](?:messagetable|sujet ligne_)|src=[\"']https?://forum-images\.hardware\.fr/"
        rb"|href=[\"']/[^\"'>]*(?:sujet_\d+_\d+\.htm|forum2\.php\?config=|liste_sujet-\d)",
    )
    return (0, 30, 75, 96)[found]


def _board(answer: Answer) -> Board:
    """A saved page does not say where it lives; its pictures tell whose it is."""
    board = Board.of(answer, PLATFORM)
    if not board.url and b"forum-images.hardware.fr" in answer.body:
        root = "https://forum.hardware.fr/"
        return replace(board, url=root, base=root)
    return board


# Messages --------------------------------------------------------------------------------------


def _message(board: Board, node: Node) -> Message | None:
    """One message; None for the adverts between them, which have a name and no number."""
    number = re.fullmatch(r"t(\d{1,18})", attribute_of(node.css_first("a[name^=t]"), "name") or "")
    author = clean(first_text(node, ".messCase1 b.s2", "b.s2") or "")
    if not number or author == _ADVERT:
        return None
    native_id = number.group(1)
    mark = first_text(node, ".edited") or ""
    edit = re.search(r"(?:édité|modifié) par .{1,60}? le (.{10,40})$", mark)
    return Message(
        number=native_id,
        author=None if author == _NOBODY else author,
        moment=board.date(first_text(node, ".toolbar .left", ".toolbar")),
        text=words_in(node.css_first(f"#para{native_id}"), skip=_skip),
        anchor=f"{board.url}#t{native_id}" if _place(board.url) else None,
        edited=board.date(edit.group(1)) if edit else None,
    )


def _skip(node: Node) -> bool:
    """Signatures, edit marks, and the line over a message that the last page ended with."""
    if node.tag == "p":
        return bool(_REPEATED.match((node.text() or "")[:60]))
    aside = {"signature", "edited"}.intersection(classes_of(node))
    return node.tag in ("span", "div") and bool(aside)


# Topics ----------------------------------------------------------------------------------------

_TOPIC = re.compile(r"sujet_(\d+)_(\d+)\.htm")
_TOPIC_PHP = re.compile(r"forum2\.php\?(?!.*(?:quote_only=1|print=1))")


def _place(href: str) -> tuple[str, int] | None:
    found = _TOPIC.search(href)
    if found:
        return found.group(1), int(found.group(2))
    if _TOPIC_PHP.search(href):
        post, page = re.search(r"[?&;]post=(\d+)", href), re.search(r"[?&;]page=(\d+)", href)
        if post:
            return post.group(1), int(page.group(1)) if page else 1
    return None


def _topic(board: Board, messages: list[Message]) -> Page:
    own = _place(board.url)
    native_id = own[0] if own else attribute_of(board.page.css_first("input[name=post]"), "value")
    heading = board.page.css_first(".fondForum2Title h3, h3")
    title = one_line(heading.text())[:500] if heading is not None else None

    def place(href: str) -> int | None:
        found = _place(href)
        return found[1] if found and (native_id is None or found[0] == native_id) else None

    here = own[1] if own else _current(board, ".fondForum2PagesHaut b, .fondForum2PagesBas b")
    selector = ".fondForum2PagesHaut a, .fondForum2PagesBas a"
    pages = boards.pages_of(board, place, here=here, selector=selector)
    page = boards.topic_page(board, messages, Topic(native_id, title), pages)
    source = _source(board)
    return replace(page, posts=tuple(replace(post, source=source) for post in page.posts))


def _source(board: Board) -> str:
    """Messages are numbered within their category, so the category is part of where they live."""
    category = attribute_of(board.page.css_first("input[name=cat]"), "value")
    return f"{board.source}/{category}" if category and category.isdigit() else board.source


def _current(board: Board, selector: str) -> int | None:
    """The page that the pager shows in bold instead of as a link."""
    for node in board.page.css(selector)[:20]:
        words = one_line(node.text())
        if words.isdigit():
            return int(words)
    return None


# Lists -----------------------------------------------------------------------------------------


def _row(board: Board, node: Node) -> Row | None:
    link = node.css_first(".sujetCase3 a[href], a.cCatTopic")
    place = _place(attribute_of(link, "href") or "")
    if link is None or place is None:
        return None
    last = node.css_first(".sujetCase4 a")
    replies = count_of(first_text(node, ".sujetCase7") or "")
    return Row(
        native_id=place[0],
        title=one_line(link.text())[:500],
        url=board.link(link.attributes.get("href")),
        last=board.link(attribute_of(last, "href")),
        posts=replies + 1 if replies is not None else None,
        at=board.date(first_text(node, ".sujetCase9")),
        pinned="ligne_sticky" in classes_of(node),
    )


_LIST = re.compile(r"liste_sujet-(\d+)\.htm|forum1\.php\?.*[?&;]page=(\d+)")


def _list_pages(board: Board) -> Pages:
    def place(href: str) -> int | None:
        found = _LIST.search(href)
        return int(found.group(1) or found.group(2)) if found else None

    selector = ".fondForum1PagesHaut a, .fondForum1PagesBas a"
    here = _current(board, ".fondForum1PagesHaut b, .fondForum1PagesBas b")
    return boards.pages_of(board, place, here=here, selector=selector)
