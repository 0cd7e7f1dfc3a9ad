"""
Discussions of any forum whose pages describe themselves with schema.org words: microdata first,
then JSON-LD.

https://developers.google.com/search/docs/appearance/structured-data/discussion-forum
"""

import hashlib
import re

from collectors import boards
from collectors.boards import Board, Message, Pages, Topic
from collectors.html import attribute_of
from collectors.structured import Thing, answers_declared, json_ld, microdata, value_of
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
_OF_FORUMS = _POSTINGS - {"Comment", "SocialMediaPosting"}
_FORUM = (
    rb"schema\.org/(?:DiscussionForumPosting|Answer|QAPage)|\"(?:DiscussionForumPosting|QAPage)\""
)


def parse(answer: Answer) -> Page:
    """The messages of one page."""
    board = Board.of(answer, PLATFORM)
    messages = _messages(board)
    if not messages:
        return boards.nothing_here(board)
    title = _headline(board)
    pages = Pages(previous=_neighbour(board, "prev"), next=_neighbour(board, "next"))
    declared = answers_declared(board.page)
    topic = Topic(None, title, declared + 1 if declared is not None else None)
    return boards.topic_page(board, messages, topic, pages)


def recognises(answer: Answer) -> int:
    return 54 if re.search(_FORUM, answer.body) else 0


def _neighbour(board: Board, relation: str) -> str | None:
    link = board.page.css_first(f"link[rel={relation}], a[rel={relation}]")
    return board.link(attribute_of(link, "href"))


def _headline(board: Board) -> str | None:
    found = board.page.css_first("[itemprop~=headline]")
    return value_of(found)[:500] or None if found is not None else None


def _messages(board: Board) -> list[Message]:
    """What the microdata marks, where any of it is a forum's; else what the JSON-LD tells."""
    now, zone = board.answer.fetched_at, board.zone
    marked = microdata(board.page, now=now, zone=zone, kinds=_POSTINGS)
    of_forum = any(thing.kind in _OF_FORUMS for thing in marked)
    if not of_forum and b"DiscussionForumPosting" not in board.answer.body:
        marked = []
    things = marked or json_ld(board.page, now=now, zone=zone, kinds=_POSTINGS)[0]
    numbers = [_number(thing) for thing in things]
    return [
        Message(
            number=numbers[place],
            author=thing.author,
            moment=thing.moment,
            text=thing.text,
            anchor=board.link(thing.url),
            parent=numbers[thing.parent] if thing.parent is not None else None,
            likes=thing.likes,
        )
        for place, thing in enumerate(things)
    ]


_DIGITS = re.compile(r"(?:^|[-_#/])(?:[a-z]{0,12}[-_]?)(\d{1,18})$", re.IGNORECASE)


def _number(thing: Thing) -> str:
    """The number in the element's id or its address; else a mark of what was said and when."""
    names = [thing.name, thing.url]
    if thing.node is not None:
        given = ("id", "data-pid", "data-post-id", "data-id", "itemid")
        names = [*(thing.node.attributes.get(name) for name in given), thing.url]
    for name in names:
        found = _DIGITS.search(name or "")
        if found:
            return found.group(1)
    at = thing.moment.at.isoformat() if thing.moment else thing.text.text[:200]
    return hashlib.blake2b(f"{thing.author}|{at}".encode(), digest_size=10).hexdigest()
