"""
Comments below PeerTube videos, found by search or named.

API: https://docs.joinpeertube.org/api-rest-reference.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import absolute, host, one_line, plain, text_of
from collectors.settings import several, web_address
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Thread, Verdict

PLATFORM = "peertube"
TITLE = "PeerTube comments"
NEEDS = ""
LEGAL = "Public comments by the instance's documented API; deletions are followed."

_COUNT = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *instance*: whose search to use (or https://sepiasearch.org, which covers many). *search*:
    words to find videos by. *videos*: addresses. *language*: only videos in it.
    """

    instance: str = "https://sepiasearch.org"
    search: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    language: str | None = "fr"
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "instance", web_address(self.instance, "instance"))
        object.__setattr__(self, "search", several(self.search, "search", least=0))
        videos = tuple(web_address(v, "videos") for v in several(self.videos, "videos", least=0))
        for video in videos:
            if not _comments_url(video):
                raise ValueError(f"videos: {video!r} is no address of a video (/w/... or /videos/)")
        object.__setattr__(self, "videos", videos)
        if not (self.search or self.videos):
            raise ValueError("search: name words to find videos by, or videos")


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The videos found and named, each with its comments, newest first."""
    context = {"context_brand": settings.context_brand} if settings.context_brand else {}
    for video in settings.videos:
        yield _threads(video, context)
    language = {"languageOneOf[]": settings.language} if settings.language else {}
    for query in settings.search:
        params = {"search": query, "start": "0", "count": str(_COUNT), "sort": "-publishedAt"}
        yield Request(
            f"{settings.instance}/api/v1/search/videos",
            params={**params, **language},
            context=context,
            phase="videos",
        )


def _comments_url(video: str) -> str | None:
    """Where the comments of the video at this address are."""
    found = re.search(r"/(?:w|videos/watch|api/v1/videos)/([\w-]{8,64})", urlsplit(video).path)
    if not found:
        return None
    parts = urlsplit(video)
    return f"{parts.scheme}://{parts.netloc}/api/v1/videos/{found.group(1)}/comment-threads"


def _threads(video: str, context: Mapping[str, str], title: str = "") -> Request:
    return Request(
        _comments_url(video) or video,
        params={"start": "0", "count": str(_COUNT), "sort": "-createdAt"},
        context={
            **{k: v for k, v in context.items() if k == "context_brand"},
            "thread": video,
            "title": title,
            "accept_status": "401,403",
        },
        phase="comments",
    )


def parse(answer: Answer) -> Page:
    """The videos of a search, or the comments of a list or a thread."""
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("peertube: expected an object", url=answer.url)
    if answer.status in (401, 403) or "error" in data:
        return _refusal(answer, data)
    if "comment" in data:
        return _page(_tree(data, answer), answer)
    listed = rows(need(data, "data", list, answer.url), answer.url, "data")
    if any(isinstance(row, Mapping) and "uuid" in row and "text" not in row for row in listed):
        return _videos(answer, listed)
    total = optional(data, "totalNotDeletedComments", int)
    page = _page(listed, answer)
    declared = total if total is not None else optional(data, "total", int)
    following = (*page.next, *_next(answer, len(listed)))
    return replace(page, next=following, declared=declared if answer.phase != "videos" else None)


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return 0
    body = answer.body
    if b'"inReplyToCommentId"' in body and b'"threadId"' in body:
        return 93
    if re.search(r"/api/v1/(?:search/videos|videos/[\w-]+/comment-threads)", answer.url):
        return 85
    if b'"previewPath"' in body and b'"uuid"' in body:
        return 80
    return (
        30
        if re.fullmatch(rb'\{\s*"total"\s*:\s*0\s*,.{0,60}"data"\s*:\s*\[\]\s*\}\s*', body)
        else 0
    )


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    said = one_line(str(data.get("detail") or data.get("error")))[:200]
    if answer.status in (401, 403):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"{answer.url} is closed: {said}")
    raise SourceError(f"peertube: the server answered {said}", url=answer.url)


# Videos ----------------------------------------------------------------------------------------


def _videos(answer: Answer, listed: list[Any]) -> Page:
    """The videos found; the comments of each are at the server where it lives."""
    threads = tuple(_video(row, answer) for row in listed)
    asked = [
        _threads(thread.url, answer.context, thread.title)
        for thread in threads
        if thread.url and _comments_url(thread.url) and thread.posts != 0
    ]
    return Page(threads=threads, next=(*asked, *_next(answer, len(listed))))


def _video(row: Any, answer: Answer) -> Thread:
    number = identifier(row, "uuid", answer.url)
    url = absolute(optional(row, "url", str), answer.url)
    return Thread(
        native_id=number,
        title=one_line(need(row, "name", str, answer.url)),
        url=url or absolute(f"/w/{number}", answer.url),
        posts=optional(row, "comments", int),
    )


# Comments --------------------------------------------------------------------------------------


def _tree(data: Mapping[str, Any], answer: Answer) -> list[Any]:
    """A thread's comments in reading order, without recursion."""
    found: list[Any] = []
    waiting: list[Any] = [data]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Mapping):
            raise SourceError("peertube: a child is no object", url=answer.url)
        found.append(need(node, "comment", dict, answer.url))
        waiting.extend(reversed(optional(node, "children", list) or []))
    return found


def _page(listed: list[Any], answer: Answer) -> Page:
    posts: list[Post] = []
    gone: list[str] = []
    more: list[Request] = []
    for row in listed:
        if optional(row, "isDeleted", bool) or optional(row, "deletedAt", str):
            gone.append(f"{_source(row, answer)}:{identifier(row, 'id', answer.url)}")
        else:
            posts.append(_post(row, answer))
        if optional(row, "totalReplies", int) and answer.phase == "comments":
            more.append(_replies(row, answer))
    return Page(posts=tuple(posts), deleted=tuple(gone), next=tuple(more))


def _replies(row: Any, answer: Answer) -> Request:
    root = answer.url.partition("?")[0]
    thread = identifier(row, "threadId", answer.url)
    context = {**answer.context, "accept_status": "401,403"}
    return Request(f"{root}/{thread}", context=context, phase="replies")


def _post(row: Any, answer: Answer) -> Post:
    url = answer.url
    created = moment(need(row, "createdAt", str, url), "createdAt", url)
    updated = optional(row, "updatedAt", str)
    changed = moment(updated, "updatedAt", url) if updated else None
    parent = optional(row, "inReplyToCommentId", int)
    thread = answer.context.get("thread") or _video_of(row, answer)
    link = absolute(optional(row, "url", str), url)
    text = text_of(need(row, "text", str, url))
    return Post(
        source=_source(row, answer),
        platform=PLATFORM,
        native_id=identifier(row, "id", url),
        text=text.text,
        kind=Kind.COMMENT,
        author=_author(row),
        published_at=created,
        url=link,
        uri=link,
        parent=str(parent) if parent is not None else None,
        thread=thread,
        thread_title=one_line(answer.context.get("title")) or optional(row, "video.name", str),
        engagement=counts(replies=row.get("totalReplies")),
        edited_at=changed if changed and (changed - created).total_seconds() > 1 else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _source(row: Any, answer: Answer) -> str:
    thread = answer.context.get("thread") or _video_of(row, answer)
    return f"{PLATFORM}/{host(answer.url) or host(thread) or 'unknown'}"


def _video_of(row: Any, answer: Answer) -> str | None:
    number = optional(row, "video.uuid", str) or optional(row, "videoId", int)
    return plain(str(number)) if number is not None else None


def _author(row: Any) -> str | None:
    """`name@server`; none where the account is gone."""
    name = optional(row, "account.name", str)
    if not name:
        return None
    server = optional(row, "account.host", str)
    return one_line(f"{name}@{server}" if server else name)


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, got: int) -> tuple[Request, ...]:
    asked = answer.request
    if asked is None or "start" not in asked.params or got < int(asked.params.get("count", "15")):
        return ()
    start = str(int(asked.params["start"]) + got)
    return (replace(asked, params={**asked.params, "start": start}, only_while_new=True),)
