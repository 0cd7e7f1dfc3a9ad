"""
Comments below YouTube videos, by the Data API v3.

API: https://developers.google.com/youtube/v3/docs/commentThreads/list
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import clean_author, one_line, plain, text_of
from collectors.settings import several, utc_text, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Thread, Verdict

PLATFORM = "youtube"
TITLE = "YouTube comments"
NEEDS = "an API key (console.cloud.google.com > APIs & Services > Credentials, YouTube Data API v3)"
LEGAL = "Official API under its own terms, with your key; usually 10,000 units a day."

_ROOT = "https://www.googleapis.com/youtube/v3"
_HINT = (
    "make a key at console.cloud.google.com > APIs & Services > Credentials, enable YouTube Data "
    "API v3 and set api_key"
)
_STATUSES = "400,401,403,404"
_VIDEO = re.compile(r"(?:[?&]v=|youtu\.be/|/shorts/|/embed/|/live/|^)([\w-]{11})(?=$|[?&#/])")


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *videos*: ids or addresses. *channels*: ids (`UC...`), all comments on their videos. *search*:
    words to find videos by (100 units of quota a page). *containing*: only comments with these
    words.
    """

    api_key: str | None = None
    videos: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    containing: str | None = None
    context_brand: str | None = None
    page_size: int = 100

    def __post_init__(self) -> None:
        if not self.api_key:
            raise ValueError(f"api_key: YouTube answers nobody without one; {_HINT}")
        words(self.api_key, "api_key")
        videos = tuple(_video_id(video) for video in several(self.videos, "videos", least=0))
        object.__setattr__(self, "videos", videos)
        for name in ("channels", "search"):
            object.__setattr__(self, name, several(getattr(self, name), name, least=0))
        if not (self.videos or self.channels or self.search):
            raise ValueError("videos: name at least one video, channel, or words to search for")
        whole(self.page_size, "page_size", low=1, high=100)


def _video_id(video: str) -> str:
    found = _VIDEO.search(video.strip())
    if not found:
        raise ValueError(f"videos: {video!r} is neither an id nor an address of a video")
    return found.group(1)


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of this source: the key travels here, not in addresses."""
    return {"X-Goog-Api-Key": settings.api_key or ""}


def obeys_robots(settings: Settings) -> bool:
    """An official API, always asked with the operator's own key."""
    return False


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """The newest comments of each video and channel first; then the newest videos found."""
    context = {"accept_status": _STATUSES, "limit": str(settings.page_size)}
    if settings.containing:
        context["containing"] = settings.containing
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    for video in settings.videos:
        yield _threads(context, videoId=video)
    for channel in settings.channels:
        yield _threads(context, allThreadsRelatedToChannelId=channel)
    since = {"publishedAfter": utc_text(state.since)} if state.since else {}
    for query in settings.search:
        params = {"part": "snippet", "type": "video", "order": "date", "maxResults": "50"}
        yield Request(f"{_ROOT}/search", params={**params, "q": query, **since}, context=context)


def _threads(context: Mapping[str, str], **which: str) -> Request:
    params = {
        "part": "snippet,replies",
        "order": "time",
        "maxResults": context.get("limit", "100"),
        "textFormat": "plainText",
        **which,
    }
    if context.get("containing"):
        params["searchTerms"] = context["containing"]
    return Request(f"{_ROOT}/commentThreads", params=params, context=context)


def parse(answer: Answer) -> Page:
    """The comments of a list of threads or replies, or the videos of a search."""
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("youtube: expected an object", url=answer.url)
    if "error" in data:
        return _refusal(answer, data)
    kind = one_line(optional(data, "kind", str))
    if kind in ("youtube#comment", "youtube#commentThread"):
        return Page(posts=tuple(_posts(data, answer)))
    items = rows(need(data, "items", list, answer.url), answer.url, "items")
    if kind in ("youtube#searchListResponse", "youtube#videoListResponse"):
        return _videos(answer, data, items)
    if items and "comment" not in kind and "comment" not in str(_kind_of(items[0])):
        raise SourceError(f"youtube: no comments in {kind[:60] or 'this list'}", url=answer.url)
    posts = {post.native_id: post for item in items for post in _posts(item, answer)}
    more = [request for item in items for request in _more_replies(item, answer)]
    return Page(posts=tuple(posts.values()), next=(*more, *_next(answer, data)))


def recognises(answer: Answer) -> int:
    start = answer.body[:3000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return 0
    if re.search(rb'"kind"\s*:\s*"youtube#', start):
        return 95
    if re.search(r"//(?:www|youtube)\.googleapis\.com/youtube/", answer.url):
        return 90
    return 70 if re.search(rb'"domain"\s*:\s*"youtube\.', start) else 0


# What an answer says besides comments --------------------------------------------------------

_SPENT = frozenset(
    ("quotaExceeded", "dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded")
)
_NO_COMMENTS = frozenset(
    ("commentsDisabled", "videoNotFound", "channelNotFound", "commentThreadNotFound")
    + ("commentNotFound", "parentCommentIdNotFound")
)


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    errors = optional(data, "error.errors", list) or []
    reason = next((str(e.get("reason")) for e in errors if isinstance(e, Mapping)), "")
    reason = one_line(reason)[:100]
    message = one_line(text_of(optional(data, "error.message", str)).text)[:300]
    said = f"{reason}: {message}" if reason else message or "an error without words"
    code = optional(data, "error.code", int) or answer.status
    video = answer.request.params.get("videoId", "") if answer.request else ""
    if reason in _NO_COMMENTS:
        return Page(note=f"no comments to read at {video or answer.url}: {said}")
    if reason in _SPENT or code == 429:
        return Page(verdict=Verdict.RATE_LIMITED, note=f"YouTube says {said}")
    if code in (401, 403) or "API key" in message or reason == "keyInvalid":
        return Page(verdict=Verdict.LOGIN_WALL, note=f"YouTube refuses the key ({said}); {_HINT}")
    raise SourceError(f"youtube: the server answered {said}", url=answer.url)


# Comments --------------------------------------------------------------------------------------


def _kind_of(item: Any) -> Any:
    return item.get("kind") if isinstance(item, Mapping) else None


def _posts(item: Any, answer: Answer) -> Iterator[Post]:
    """A thread's comment and the replies given with it, or a single comment."""
    if not isinstance(item, Mapping):
        raise SourceError("youtube: an item is no object", url=answer.url)
    top = optional(item, "snippet.topLevelComment", dict)
    if top is None:
        if "Thread" in str(_kind_of(item)):
            raise SourceError("field snippet.topLevelComment is missing", url=answer.url)
        yield _post(item, None, None, answer)
        return
    video = optional(item, "snippet.videoId", str)
    yield _post(top, video, optional(item, "snippet.totalReplyCount", int), answer)
    for reply in optional(item, "replies.comments", list) or []:
        yield _post(reply, video, None, answer)


def _post(comment: Any, video: str | None, replies: int | None, answer: Answer) -> Post:
    url = answer.url
    native_id = identifier(comment, "id", url)
    video = optional(comment, "snippet.videoId", str) or video or answer.context.get("video")
    published = moment(need(comment, "snippet.publishedAt", str, url), "publishedAt", url)
    updated = optional(comment, "snippet.updatedAt", str)
    changed = moment(updated, "updatedAt", url) if updated else None
    parent = optional(comment, "snippet.parentId", str)
    above = native_id.partition(".")[0]
    return Post(
        source="youtube/youtube.com",
        platform=PLATFORM,
        native_id=native_id,
        text=_text(comment, url),
        kind=Kind.COMMENT,
        author=clean_author(optional(comment, "snippet.authorDisplayName", str)),
        published_at=published,
        url=f"https://www.youtube.com/watch?v={video}&lc={native_id}" if video else None,
        parent=parent or (above if above != native_id else None),
        thread=video,
        thread_title=answer.context.get("title"),
        engagement=counts(
            likes=optional(comment, "snippet.likeCount", int),
            replies=replies,
        ),
        edited_at=changed if changed and changed > published else None,
    )


def _text(comment: Any, url: str) -> str:
    original = optional(comment, "snippet.textOriginal", str)
    if original is not None:
        return plain(original)
    return text_of(need(comment, "snippet.textDisplay", str, url)).text


# Videos and paging -----------------------------------------------------------------------------


def _videos(answer: Answer, data: Mapping[str, Any], items: list[Any]) -> Page:
    """The videos found, and the requests for their comments."""
    threads = tuple(video for item in items if (video := _video(item)) is not None)
    asked = tuple(
        _threads(
            {**answer.context, "accept_status": _STATUSES, "title": thread.title},
            videoId=thread.native_id,
        )
        for thread in threads
        if thread.posts != 0
    )
    return Page(threads=threads, next=(*asked, *_next(answer, data)))


def _video(item: Any) -> Thread | None:
    number = optional(item, "id.videoId", str) or optional(item, "id", str)
    if not number:
        return None  # a channel or a playlist
    total = optional(item, "statistics.commentCount", str) or ""
    return Thread(
        native_id=plain(number),
        title=one_line(text_of(optional(item, "snippet.title", str)).text),
        url=f"https://www.youtube.com/watch?v={plain(number)}",
        posts=int(total) if total.isascii() and total.isdecimal() else None,
    )


def _more_replies(item: Any, answer: Answer) -> Iterator[Request]:
    """A thread gives a few replies; the rest are asked for by the id of their parent."""
    total = optional(item, "snippet.totalReplyCount", int) or 0
    given = len(optional(item, "replies.comments", list) or [])
    if total <= given or not optional(item, "snippet.topLevelComment", dict):
        return
    video = optional(item, "snippet.videoId", str)
    yield Request(
        f"{_ROOT}/comments",
        params={
            "part": "snippet",
            "parentId": identifier(item, "id", answer.url),
            "maxResults": "100",
            "textFormat": "plainText",
        },
        context={
            **answer.context,
            "accept_status": _STATUSES,
            **({"video": video} if video else {}),
        },
    )


def _next(answer: Answer, data: Mapping[str, Any]) -> tuple[Request, ...]:
    token = optional(data, "nextPageToken", str)
    asked = answer.request or Request(answer.url.partition("?")[0])
    if not token or token == asked.params.get("pageToken"):
        return ()
    return (replace(asked, params={**asked.params, "pageToken": token}, only_while_new=True),)
