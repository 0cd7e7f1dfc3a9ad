"""
Stories and comments of Hacker News, by Algolia's search; items of both its APIs.

API: https://hn.algolia.com/api , https://github.com/HackerNews/API
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors.dates import of_epoch
from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import host, one_line, text_of
from collectors.settings import several, whole
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State

PLATFORM = "hackernews"
TITLE = "Hacker News"
NEEDS = ""
LEGAL = "Public posts by the documented API of the site's own search."

_ROOT = "https://hn.algolia.com/api/v1"
_SOURCE = "hackernews/news.ycombinator.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """*search*: words to search for; *comments*: also in comments."""

    search: tuple[str, ...]
    comments: bool = True
    page_size: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "search", several(self.search, "search"))
        whole(self.page_size, "page_size", low=1, high=1000)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each search, newest first, back to the last run."""
    tags = "(story,comment)" if settings.comments else "story"
    for query in settings.search:
        params = {"query": query, "tags": tags, "hitsPerPage": str(settings.page_size), "page": "0"}
        if state.since:
            params["numericFilters"] = f"created_at_i>{int(state.since.timestamp())}"
        yield Request(f"{_ROOT}/search_by_date", params=params, context={"thread": query})


def parse(answer: Answer) -> Page:
    """The hits of a search, or an item with all below it."""
    data = answer.json()
    if data is None:
        return Page()  # Firebase's answer for an item that never was
    if not isinstance(data, Mapping):
        raise SourceError("hackernews: expected an object", url=answer.url)
    if "hits" in data:
        listed = rows(data["hits"], answer.url, "hits")
        posts = tuple(post for row in listed if (post := _hit(row, answer)) is not None)
        total = need(data, "nbHits", int, answer.url)
        return Page(posts=posts, declared=total, next=_next(answer, data, posts))
    if "children" in data:
        return Page(posts=tuple(_tree(data, answer)))
    if "type" in data and "id" in data:
        return _firebase(data, answer)
    raise SourceError("field hits is missing", url=answer.url)


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if host(answer.url) in ("hn.algolia.com", "hacker-news.firebaseio.com"):
        return 90
    if not start.startswith(b"{"):
        return 0
    body = answer.body
    if b'"hits"' in body and b'"objectID"' in body and re.search(rb'"(?:story_id|points)"', body):
        return 92
    if re.search(rb'"hits"\s*:\s*\[\s*\]', body) and b'"nbHits"' in body:
        return 50  # nothing found, in the words of any site's Algolia
    if b'"created_at_i"' in body and b'"children"' in body:
        return 92
    firebase = re.search(rb'"type"\s*:\s*"(?:story|comment|job|poll|pollopt)"', body)
    if firebase and re.search(rb'"time"\s*:\s*\d{9,10}\b', body):
        return 80 if re.search(rb'"(?:by|deleted|dead)"\s*:', body) else 0
    return 0


# Algolia ---------------------------------------------------------------------------------------


def _hit(row: Any, answer: Answer) -> Post | None:
    """One hit; jobs and polls are stories too; None for users."""
    url = answer.url
    number = identifier(row, "objectID", url)
    if not number.isdecimal():
        return None
    comment = optional(row, "comment_text", str)
    story = optional(row, "story_id", int)
    return _made(
        number,
        comment or optional(row, "story_text", str) or "",
        comment=comment is not None,
        author=need(row, "author", str, url),
        published=need(row, "created_at_i", int, url),
        title=optional(row, "title", str) if comment is None else None,
        parent=optional(row, "parent_id", int),
        thread=story,
        thread_title=optional(row, "story_title", str),
        engagement=counts(points=row.get("points"), comments=row.get("num_comments")),
        answer=answer,
    )


def _tree(top: Mapping[str, Any], answer: Answer) -> Iterator[Post]:
    """An item and its children, in reading order, without recursion."""
    waiting: list[Any] = [top]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, Mapping):
            raise SourceError("hackernews: a child is no object", url=answer.url)
        waiting.extend(reversed(optional(item, "children", list) or []))
        text = optional(item, "text", str)
        title = optional(item, "title", str)
        if text is None and title is None:
            continue  # deleted: only its children are left
        kind = need(item, "type", str, answer.url)
        written = need(item, "created_at", str, answer.url)
        yield _made(
            identifier(item, "id", answer.url),
            text or "",
            comment=kind == "comment",
            author=optional(item, "author", str),
            published=int(moment(written, "created_at", answer.url).timestamp()),
            title=title,
            parent=optional(item, "parent_id", int),
            thread=optional(item, "story_id", int),
            thread_title=optional(top, "title", str),
            engagement=counts(points=item.get("points")),
            answer=answer,
        )


# Firebase --------------------------------------------------------------------------------------


def _firebase(data: Mapping[str, Any], answer: Answer) -> Page:
    """One item; its kids are asked for."""
    number = identifier(data, "id", answer.url)
    if data.get("deleted") or data.get("dead"):
        return Page(deleted=(f"{_SOURCE}:{number}",))
    kind = need(data, "type", str, answer.url)
    if kind not in ("story", "comment", "job", "poll", "pollopt"):
        raise SourceError(f"hackernews: unknown type {kind[:40]!r}", url=answer.url)
    post = _made(
        number,
        optional(data, "text", str) or "",
        comment=kind == "comment",
        author=need(data, "by", str, answer.url),
        published=need(data, "time", int, answer.url),
        title=optional(data, "title", str),
        parent=optional(data, "parent", int),
        thread=None,
        thread_title=None,
        engagement=counts(points=data.get("score"), comments=data.get("descendants")),
        answer=answer,
    )
    kids = [kid for kid in optional(data, "kids", list) or [] if isinstance(kid, int)]
    root = "https://hacker-news.firebaseio.com/v0/item"
    asked = tuple(Request(f"{root}/{kid}.json", context=answer.context) for kid in kids)
    return Page(posts=(post,), next=asked if answer.request is not None else ())


# Posts -----------------------------------------------------------------------------------------


def _made(
    number: str,
    markup: str,
    *,
    comment: bool,
    author: str | None,
    published: int,
    title: str | None,
    parent: int | None,
    thread: int | None,
    thread_title: str | None,
    engagement: Mapping[str, int],
    answer: Answer,
) -> Post:
    at = of_epoch(published)
    if at is None:
        raise SourceError(f"field time is no time: {published}", url=answer.url)
    text = text_of(markup)
    return Post(
        source=_SOURCE,
        platform=PLATFORM,
        native_id=number,
        text=text.text,
        kind=Kind.COMMENT if comment else Kind.TOPIC,
        author=one_line(author) or None,
        published_at=at.at,
        title=one_line(text_of(title).text) or None,
        url=f"https://news.ycombinator.com/item?id={number}",
        parent=str(parent) if comment and parent is not None else None,
        thread=str(thread) if thread is not None else (None if comment else number),
        thread_title=one_line(text_of(thread_title).text) or None,
        engagement=engagement,
        quoted=text.quoted,
    )


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, data: Mapping[str, Any], posts: tuple[Post, ...]) -> tuple[Request, ...]:
    """The next page; beyond the thousand hits of a search, what is older."""
    asked = answer.request
    if asked is None or not posts:
        return ()
    page, pages = optional(data, "page", int) or 0, optional(data, "nbPages", int) or 0
    if page + 1 < pages:
        params = {**asked.params, "page": str(page + 1)}
        return (replace(asked, params=params, only_while_new=True),)
    size = int(asked.params.get("hitsPerPage", "20"))
    if need(data, "nbHits", int, answer.url) <= (page + 1) * size:
        return ()
    oldest = min(int(post.published_at.timestamp()) for post in posts if post.published_at)
    filters = [
        part
        for part in asked.params.get("numericFilters", "").split(",")
        if part and not part.startswith("created_at_i<")
    ]
    older = ",".join([*filters, f"created_at_i<{oldest + 1}"])
    if older == asked.params.get("numericFilters"):
        return ()
    params = {**asked.params, "page": "0", "numericFilters": older}
    return (replace(asked, params=params, only_while_new=True),)
