"""
Discussions of any forum whose pages describe themselves with schema.org words: microdata first,
then JSON-LD.

https://developers.google.com/search/docs/appearance/structured-data/discussion-forum
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collectors import boards
from collectors.boards import Board, Message, Pages, Topic, words_in
from collectors.dates import Moment
from collectors.html import Node, Text, attribute_of, clean_author, count_of, one_line, text_of
from raccroche.post import Answer, Page

PLATFORM = "forum"
TITLE = "Any forum with schema.org data"
NEEDS = ""
LEGAL = boards.LEGAL
Settings = boards.Settings
requests = boards.requests

_POSTINGS = frozenset(
    ("DiscussionForumPosting", "Question", "Answer", "Comment", "SocialMediaPosting")
)
_FORUM = (
    rb"schema\.org/(?:DiscussionForumPosting|Answer|QAPage)|\"(?:DiscussionForumPosting|QAPage)\""
)


def parse(answer: Answer) -> Page:
    """The messages of one page."""
    board = Board.of(answer, PLATFORM)
    messages = _microdata(board) or _json_ld(board)
    if not messages:
        return boards.nothing_here(board)
    title = _property(board.page.root, "headline") if board.page.root is not None else None
    pages = Pages(previous=_neighbour(board, "prev"), next=_neighbour(board, "next"))
    return boards.topic_page(board, messages, Topic(None, title, _declared(board)), pages)


def recognises(answer: Answer) -> int:
    return 54 if re.search(_FORUM, answer.body) else 0


def _neighbour(board: Board, relation: str) -> str | None:
    link = board.page.css_first(f"link[rel={relation}], a[rel={relation}]")
    return board.link(attribute_of(link, "href"))


# Microdata -------------------------------------------------------------------------------------


def _microdata(board: Board) -> list[Message]:
    nodes = [node for node in board.page.css("[itemscope][itemtype]")[:3000] if _kind(node)]
    if not any(_kind(node) not in ("Comment", "SocialMediaPosting") for node in nodes):
        nodes = nodes if b"DiscussionForumPosting" in board.answer.body else []
    inner = {node.mem_id for node in nodes}
    messages = (_message(board, node, inner) for node in nodes)
    return [message for message in messages if message is not None]


def _kind(node: Node) -> str | None:
    name = (node.attributes.get("itemtype") or "").rstrip("/").rpartition("/")[2]
    return name if name in _POSTINGS else None


def _message(board: Board, node: Node, postings: set[int]) -> Message | None:
    content = _own(node, "articleBody", postings) or _own(node, "text", postings)
    if content is None:
        return None

    def skip(inner: Node) -> bool:
        return inner.mem_id in postings

    text = words_in(content, skip=skip) if content.tag != "meta" else Text(_value(content) or "")
    author = _author(node, postings)
    stamps = [
        _value(n) for name in ("datePublished", "dateCreated") if (n := _own(node, name, postings))
    ]
    moment = board.date(*stamps)
    link = _own(node, "url", postings)
    anchor = board.link(_value(link)) if link is not None else None
    likes = _own(node, "upvoteCount", postings)
    above = next((p for p in _around(node) if p.mem_id in postings), None)
    number = _number(node, anchor, author, moment, text.text)
    return Message(
        number=number,
        author=author,
        moment=moment,
        text=text,
        anchor=anchor,
        parent=_number_of(above) if above is not None else None,
        likes=count_of(_value(likes) or "") if likes is not None else None,
    )


def _around(node: Node) -> Iterator[Node]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def _own(node: Node, name: str, postings: set[int]) -> Node | None:
    """The property *name* of this item and not of an item within it."""
    for found in node.css(f"[itemprop~={name}]")[:50]:
        item = next((a for a in _around(found) if "itemscope" in a.attributes), None)
        while item is not None and item.mem_id not in postings and item.mem_id != node.mem_id:
            item = next((a for a in _around(item) if "itemscope" in a.attributes), None)
        if item is not None and item.mem_id == node.mem_id:
            return found
    return None


def _value(node: Node) -> str | None:
    """A property's value: in an attribute for machines, else in words."""
    for name in ("content", "datetime", "href", "title"):
        value = node.attributes.get(name)
        if value and (name != "title" or not node.text().strip()):
            return one_line(value)[:2000]
    return one_line(node.text(separator=" "))[:2000] or None


def _property(node: Node, name: str) -> str | None:
    found = node.css_first(f"[itemprop~={name}]")
    value = _value(found) if found is not None else None
    return value[:500] if value else None


def _author(node: Node, postings: set[int]) -> str | None:
    found = _own(node, "author", postings) or _own(node, "creator", postings)
    if found is None:
        return None
    name = found.css_first("[itemprop~=name]")
    words = attribute_of(name, "content") or (name.text() if name is not None else None)
    return clean_author(words or found.attributes.get("content") or found.text(separator=" "))


_DIGITS = re.compile(r"(?:^|[-_#/])(?:[a-z]{0,12}[-_]?)(\d{1,18})$", re.IGNORECASE)


def _number_of(node: Node) -> str | None:
    for name in ("id", "data-pid", "data-post-id", "data-id", "itemid"):
        found = _DIGITS.search(node.attributes.get(name) or "")
        if found:
            return found.group(1)
    return None


def _number(
    node: Node, anchor: str | None, author: str | None, moment: Moment | None, words: str
) -> str:
    """The number in the element's id or its address; else a mark of what was said and when."""
    found = _DIGITS.search(anchor or "")
    return _number_of(node) or (found.group(1) if found else _mark(author, moment, words))


def _mark(author: str | None, moment: Moment | None, words: str) -> str:
    at = moment.at.isoformat() if moment else words[:200]
    return hashlib.blake2b(f"{author}|{at}".encode(), digest_size=10).hexdigest()


# JSON-LD ---------------------------------------------------------------------------------------


def _scripts(board: Board) -> Iterator[Mapping[str, Any]]:
    for script in board.page.css('script[type="application/ld+json"]')[:20]:
        try:
            data = json.loads(script.text() or "")
        except (ValueError, RecursionError):
            continue
        items = data if isinstance(data, list) else [data]
        for item in items:
            if isinstance(item, Mapping):
                yield item
                yield from (one for one in _listed(item.get("@graph")) if isinstance(one, Mapping))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


_WITHIN = ("mainEntity", "comment", "acceptedAnswer", "suggestedAnswer", "hasPart")


def _json_ld(board: Board) -> list[Message]:
    """The postings of the page's data, each with those written under it."""
    found: list[Message] = []
    waiting: list[tuple[Mapping[str, Any], str | None]] = [(one, None) for one in _scripts(board)]
    while waiting and len(found) < 2000:
        item, parent = waiting.pop(0)
        kinds = {str(kind) for kind in _listed(item.get("@type"))}
        message = _item(board, item, parent) if kinds & _POSTINGS else None
        if message is not None:
            found.append(message)
        if message is not None or kinds & {"QAPage", "WebPage", "DiscussionForumPosting"}:
            above = message.number if message is not None else None
            inside = [one for name in _WITHIN for one in _listed(item.get(name))]
            waiting += [(one, above) for one in inside if isinstance(one, Mapping)]
    return found


def _item(board: Board, item: Mapping[str, Any], parent: str | None) -> Message | None:
    words = next(
        (v for n in ("articleBody", "text") if isinstance(v := item.get(n), str) and v), None
    )
    if words is None:
        return None
    author = next((a for a in _listed(item.get("author"))), None)
    name = author.get("name") if isinstance(author, Mapping) else author
    writer = clean_author(name) if isinstance(name, str) else None
    moment = board.date(
        *(v for n in ("datePublished", "dateCreated") if isinstance(v := item.get(n), str))
    )
    link = next((v for n in ("url", "@id") if isinstance(v := item.get(n), str)), None)
    number = _DIGITS.search(link or "")
    text = text_of(words)
    likes = item.get("upvoteCount")
    return Message(
        number=number.group(1) if number else _mark(writer, moment, text.text),
        author=writer,
        moment=moment,
        text=text,
        anchor=board.link(link),
        parent=parent,
        likes=likes if isinstance(likes, int) and not isinstance(likes, bool) else None,
    )


def _declared(board: Board) -> int | None:
    """The comments or answers that the page counts, and what they answer."""
    for item in _scripts(board):
        for one in (item, *_listed(item.get("mainEntity"))):
            for name in ("commentCount", "answerCount"):
                number = one.get(name) if isinstance(one, Mapping) else None
                if isinstance(number, int) and not isinstance(number, bool):
                    return number + 1
    return None
