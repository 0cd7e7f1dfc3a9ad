"""
Reads comments and reviews that pages describe for machines: JSON-LD and microdata of schema.org.

Our own reader, not extruct: that one brings RDF libraries, and reads the whole page in every
syntax for the two we need.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collectors.dates import Moment, parse_date
from collectors.html import Node, Text, Tree, clean, clean_author, count_of, one_line, text_of

_POSTS = frozenset(
    ("Comment", "UserComments", "DiscussionForumPosting", "Answer", "SocialMediaPosting")
)
_REVIEWS = frozenset(("Review", "UserReview", "ClaimReview", "EmployerReview", "CriticReview"))
_KINDS = _POSTS | _REVIEWS
MOST = 5_000  # things read of one page


@dataclass(frozen=True, slots=True)
class Thing:
    """One comment or review as its page describes it. *node* where it is microdata."""

    kind: str
    text: Text
    author: str | None = None
    moment: Moment | None = None
    url: str | None = None
    name: str | None = None  # an id that the page gives
    title: str | None = None
    parent: int | None = None  # place of its parent in the list
    rating: float | None = None
    likes: int | None = None
    node: Node | None = None

    @property
    def is_review(self) -> bool:
        return self.kind in _REVIEWS


# JSON-LD ---------------------------------------------------------------------------------------


def json_ld(
    page: Tree, *, now: datetime, zone: str = "Europe/Paris", kinds: frozenset[str] = _KINDS
) -> tuple[list[Thing], int | None]:
    """
    The comments and reviews (or other *kinds*) of the page's JSON-LD, and how many it declares.
    *zone*: of the dates that state none.
    """
    things: list[Thing] = []
    declared: int | None = None
    queue: list[tuple[Any, int | None]] = [(data, None) for data in _documents(page)]
    seen = 0
    while queue and seen < MOST * 10:
        value, parent = queue.pop(0) if len(queue) < 1000 else queue.pop()
        seen += 1
        if isinstance(value, list):
            queue.extend((inner, parent) for inner in value)
            continue
        if not isinstance(value, Mapping):
            continue
        declared = declared if declared is not None else _declared(value)
        kind = _kind(value.get("@type"), kinds)
        own = parent
        if kind and len(things) < MOST:
            thing = _thing(value, kind, parent, now, zone)
            if thing.text.text:
                things.append(thing)
                own = parent if kind in _REVIEWS else len(things) - 1
        queue.extend((inner, own) for inner in value.values() if isinstance(inner, (list, dict)))
    return things, declared


def _documents(page: Tree) -> Iterator[Any]:
    for script in page.css('script[type="application/ld+json"]')[:50]:
        text = (script.text() or "").strip().removeprefix("<!--").removesuffix("-->")
        text = re.sub(r"^\s*(?://\s*)?<!\[CDATA\[|(?://\s*)?\]\]>\s*$", "", text)
        try:
            yield json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue  # broken JSON-LD is common, and the page's own markup is read next


def _kind(types: Any, kinds: frozenset[str]) -> str | None:
    named = types if isinstance(types, list) else [types]
    for one in named:
        short = str(one).rpartition("/")[2]
        if short in kinds:
            return short
    return None


def _thing(
    value: Mapping[str, Any], kind: str, parent: int | None, now: datetime, zone: str
) -> Thing:
    written = _first(value, "text", "commentText", "articleBody", "reviewBody", "description")
    dated = _first(value, "datePublished", "dateCreated", "commentTime", "uploadDate")
    rating = value.get("reviewRating")
    return Thing(
        kind=kind,
        text=text_of(written),
        author=_author(value.get("author") or value.get("creator")),
        moment=parse_date(dated, now=now, tz=zone),
        url=_first(value, "url", "@id") or None,
        name=_first(value, "identifier", "@id") or None,
        title=one_line(text_of(_first(value, "headline", "name")).text) or None,
        parent=parent,
        rating=_number(rating.get("ratingValue")) if isinstance(rating, Mapping) else None,
        likes=_whole(value.get("upvoteCount")),
    )


def _first(value: Mapping[str, Any], *names: str) -> str:
    for name in names:
        found = value.get(name)
        if isinstance(found, (str, int)) and not isinstance(found, bool) and found != "":
            return clean(str(found))
    return ""


def _author(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    name = value.get("name") if isinstance(value, Mapping) else value
    return clean_author(text_of(name).text) if isinstance(name, str) else None


def _number(value: Any) -> float | None:
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1e6 else None


def _whole(value: Any) -> int | None:
    number = _number(value) if isinstance(value, (str, int, float)) else None
    return int(number) if number is not None else None


def answers_declared(page: Tree) -> int | None:
    """The comments or answers that the page's data counts below its question or first message."""
    for data in _documents(page):
        for item in _listed(data):
            for one in (item, *_listed(item.get("mainEntity")), *_listed(item.get("@graph"))):
                for name in ("commentCount", "answerCount"):
                    number = _whole(one.get(name))
                    if number is not None:
                        return number
    return None


def _listed(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [one for one in items if isinstance(one, Mapping)]


def _declared(value: Mapping[str, Any]) -> int | None:
    direct = _whole(value.get("commentCount"))
    if direct is not None:
        return direct
    counters = value.get("interactionStatistic")
    for counter in counters if isinstance(counters, list) else [counters]:
        if isinstance(counter, Mapping) and "Comment" in str(counter.get("interactionType")):
            return _whole(counter.get("userInteractionCount"))
    return None


# Microdata -------------------------------------------------------------------------------------


def microdata(
    page: Tree, *, now: datetime, zone: str = "Europe/Paris", kinds: frozenset[str] = _KINDS
) -> list[Thing]:
    """The same, as itemscope and itemprop mark them, in the page's order."""
    things: list[Thing] = []
    place: dict[int, int] = {}
    for node in page.css('[itemscope][itemtype*="schema.org/"]')[:MOST]:
        kind = _kind((node.attributes.get("itemtype") or "").split(), kinds)
        if kind is None:
            continue
        thing = _item(node, kind, now, zone, _above(node, place))
        if thing.text.text:
            things.append(thing)
            place[node.mem_id] = len(things) - 1
    return things


def _above(node: Node, place: dict[int, int]) -> int | None:
    around = node.parent
    for _ in range(60):
        if around is None:
            return None
        if around.mem_id in place:
            return place[around.mem_id]
        around = around.parent
    return None


def _item(node: Node, kind: str, now: datetime, zone: str, parent: int | None) -> Thing:
    props = _props(node)
    written = _prop(props, "text", "commentText", "articleBody", "reviewBody", "description")
    dated = _prop(props, "datePublished", "dateCreated", "commentTime")
    author = _prop(props, "author", "creator")
    title = _prop(props, "headline", "name")
    rating = _prop(props, "ratingValue")
    likes = _prop(props, "upvoteCount")
    return Thing(
        kind=kind,
        text=text_of(written, skip=_is_item) if written is not None else Text(""),
        author=_name(author),
        moment=parse_date(value_of(dated), now=now, tz=zone) if dated is not None else None,
        url=_link(_prop(props, "url")) or node.attributes.get("itemid"),
        name=node.attributes.get("id") or node.attributes.get("data-id"),
        title=one_line(title.text()) if title is not None else None,
        parent=parent,
        rating=_number(value_of(rating)) if rating is not None else None,
        likes=count_of(value_of(likes)) if likes is not None else None,
        node=node,
    )


def _is_item(node: Node) -> bool:
    return "itemscope" in node.attributes


def _props(root: Node) -> dict[str, Node]:
    """
    The first element of each itemprop of this item, not of items within it (but author and
    rating).
    """
    found: dict[str, Node] = {}
    node, depth = root.first_child, 1
    while node is not None:
        attributes = node.attributes if node.is_element_node else {}
        inside = False
        if attributes:
            names = (attributes.get("itemprop") or "").split()
            for name in names:
                found.setdefault(name, node)
            nested = "itemscope" in attributes
            inside = not nested or "reviewRating" in names
        child = node.first_child if inside or (node.is_element_node and not attributes) else None
        if child is not None:
            node, depth = child, depth + 1
            continue
        following = node.next
        while following is None and depth > 1:
            above = node.parent
            if above is None:
                return found
            node, depth = above, depth - 1
            following = node.next
        node = following
    return found


def _prop(props: Mapping[str, Node], *names: str) -> Node | None:
    return next((props[name] for name in names if name in props), None)


def value_of(node: Node) -> str:
    """A property's value: in an attribute for machines, else in words."""
    attributes = node.attributes
    for name in ("content", "datetime", "title"):
        value = attributes.get(name)
        if value:
            return value[:200]
    return one_line(node.text())[:200]


def _name(node: Node | None) -> str | None:
    if node is None:
        return None
    inner = node.css_first('[itemprop="name"]') if "itemscope" in node.attributes else None
    chosen = inner if inner is not None else node
    return clean_author(chosen.attributes.get("content") or text_of(chosen).text)


def _link(node: Node | None) -> str | None:
    if node is None:
        return None
    return node.attributes.get("href") or node.attributes.get("content")
