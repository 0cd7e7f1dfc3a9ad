"""
Public posts of Bluesky: found by search, written by an account, or in a thread.

API: https://docs.bsky.app/docs/api/app-bsky-feed-search-posts ; lexicons `app.bsky.feed.*`,
`com.atproto.repo.*`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import one_line, plain
from collectors.settings import several, utc_text, web_address, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request, State, Verdict

PLATFORM = "bluesky"
TITLE = "Bluesky"
NEEDS = (
    "for search a handle and an app password (Settings > Privacy and security > App passwords); "
    "nothing for threads and accounts"
)
LEGAL = "Public posts by the documented API, within its rate limits; deletions are followed."

SOURCE = "bluesky/bsky.app"  # one network: a post has one id whichever server tells it
FURTHEST = 9_900  # the search index pages to about 10,000; then it is asked again with `until`
_HINT = (
    "make an app password at Settings > Privacy and security > App passwords and set handle and "
    "app_password"
)
_STATUSES = "400,401,403"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *search*: words to search for (`#tag` works), with *handle* and *app_password*; *lang*: only
    posts so tagged. *accounts*: handles or DIDs whose posts to read. *threads*: `at://` URIs.
    *service*: the server of the account. *appview*: who answers what needs no login.
    """

    search: tuple[str, ...] = ()
    handle: str | None = None
    app_password: str | None = None
    accounts: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    lang: str | None = None
    service: str = "https://bsky.social"
    appview: str = "https://public.api.bsky.app"
    page_size: int = 100

    def __post_init__(self) -> None:
        for name in ("search", "accounts", "threads"):
            object.__setattr__(self, name, several(getattr(self, name), name, least=0))
        for name in ("service", "appview"):
            object.__setattr__(self, name, web_address(getattr(self, name), name))
        if not (self.search or self.accounts or self.threads):
            raise ValueError("search: name words to search for, or accounts, or threads")
        for uri in self.threads:
            if not uri.startswith("at://"):
                raise ValueError(f"threads: {uri!r} is no at:// URI of a post")
        if self.search and not (self.handle and self.app_password):
            raise ValueError(f"app_password: search needs a login; {_HINT}")
        for name in ("handle", "app_password", "lang"):
            if getattr(self, name) is not None:
                words(getattr(self, name), name)
        whole(self.page_size, "page_size", low=1, high=100)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """
    A login if there is one, then each search newest first, each account, each thread. Later runs
    ask from the last one on.
    """
    root = settings.appview
    if settings.handle and settings.app_password:
        root = settings.service
        yield Request(
            f"{root}/xrpc/com.atproto.server.createSession",
            method="POST",
            json={"identifier": settings.handle.lstrip("@"), "password": settings.app_password},
            context={"accept_status": _STATUSES},
            phase="login",
            transient=True,
        )
    for query in settings.search:
        yield _search(settings, state, root, query)
    for account in settings.accounts:
        yield _get(root, "getAuthorFeed", actor=account.lstrip("@"), limit=str(settings.page_size))
    for uri in settings.threads:
        yield _get(root, "getPostThread", uri=uri, depth="1000", parentHeight="100")


def _search(settings: Settings, state: State, root: str, query: str) -> Request:
    params = {"q": query, "sort": "latest", "limit": str(settings.page_size)}
    if settings.lang:
        params["lang"] = settings.lang
    if state.since:
        params["since"] = utc_text(state.since)
    return _get(root, "searchPosts", **params)


def _get(root: str, method: str, **params: str) -> Request:
    context = {"accept_status": _STATUSES, "thread": f"{method} {params.get('q', '')}".strip()}
    return Request(
        f"{root}/xrpc/app.bsky.feed.{method}",
        params=params,
        context=context,
        phase="feed" if method != "searchPosts" else "search",
    )


def parse(answer: Answer) -> Page:
    """The posts of a search, a feed, a thread or a repository; or what a login came to."""
    if answer.status in (401, 403) and not answer.body.lstrip().startswith(b"{"):
        return _wall(f"HTTP {answer.status}")
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("bluesky: expected an object", url=answer.url)
    if isinstance(data.get("error"), str):
        return _refusal(answer, data)
    if "accessJwt" in data:
        token = need(data, "accessJwt", str, answer.url)
        return Page(session={"Authorization": f"Bearer {token}"})
    found = Found()
    _read(data, answer, found)
    following = _next(answer, data, found)
    return Page(
        posts=tuple(found.posts),
        next=following,
        declared=optional(data, "hitsTotal", int),
        deleted=tuple(f"{SOURCE}:{uri}" for uri in found.gone),
    )


_TYPE = re.compile(rb'"\$type"\s*:\s*"(?:app\.bsky|com\.atproto|community\.lexicon)\.')
_NOTHING = re.compile(
    rb'\{\s*"(?:posts|feed)"\s*:\s*\[\s*\](?:\s*,\s*"(?:cursor|hitsTotal)"\s*:\s*[^,{}\[\]]{1,80})*\s*\}\s*'
)
_ERRORS = re.compile(
    rb'^\s*\{\s*"error"\s*:\s*"(?:AuthMissing|InvalidToken|ExpiredToken|AuthenticationRequired'
    rb"|InvalidRequest|UpstreamFailure|RateLimitExceeded|NotFound|BlockedActor|BlockedByActor"
    rb'|AccountTakedown|AuthFactorTokenRequired|BadQueryString|InternalServerError)"'
)


def recognises(answer: Answer) -> int:
    start = answer.body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return 0
    if _ERRORS.match(start):
        return 75
    if "/xrpc/" in answer.url:
        return 80
    if not _TYPE.search(answer.body):
        return 55 if _NOTHING.fullmatch(start) else 0
    at_uris = b'"at://' in answer.body
    return 92 if at_uris else 40


# What an answer says besides posts -----------------------------------------------------------


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    error = one_line(need(data, "error", str, answer.url))[:100]
    said = f"{error}: {one_line(optional(data, 'message', str))[:200]}"
    if error == "NotFound" and "getPostThread" in answer.url and answer.request is not None:
        return Page(deleted=(f"{SOURCE}:{answer.request.params.get('uri', '')}",), note=said)
    if answer.status == 429 or error == "RateLimitExceeded":
        return Page(verdict=Verdict.RATE_LIMITED, note=f"the server says {said}")
    if (
        answer.status in (401, 403)
        or answer.phase == "login"
        or re.search(r"Auth|Token|Takedown|Deactivated|Forbidden", error)
    ):
        return _wall(said)
    if error in ("BlockedActor", "BlockedByActor"):
        return Page(verdict=Verdict.BLOCKED, note=f"the account's posts are not shown: {said}")
    raise SourceError(f"bluesky: the server answered {said}", url=answer.url)


def _wall(said: str) -> Page:
    return Page(verdict=Verdict.LOGIN_WALL, note=f"Bluesky asks for a login ({said}); {_HINT}")


# Shapes ----------------------------------------------------------------------------------------


class Found:
    """Posts in the order of the answer, each once; and what is said to be gone."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.gone: list[str] = []
        self._seen: set[str] = set()

    def add(self, post: Post) -> None:
        if post.native_id not in self._seen:
            self._seen.add(post.native_id)
            self.posts.append(post)


_LISTS = ("posts", "feed", "thread", "records", "notifications", "replies", "bookmarks")


def _read(data: Mapping[str, Any], answer: Answer, found: Found) -> None:
    """Fill *found* with whatever shape of the API *data* has."""
    if isinstance(data.get("thread"), Mapping):
        _read_thread(data["thread"], answer, found)
        return
    name = next((name for name in _LISTS if name in data), None)
    if name is not None:
        for row in rows(data[name], answer.url, name):
            _read_row(row, answer, found)
    elif "post" in data:
        _read_thread(data, answer, found)
    elif "uri" in data and ("record" in data or "value" in data):
        _read_row(data, answer, found)
    else:
        raise SourceError("field posts (or feed, thread) is missing", url=answer.url)


def _read_row(row: Any, answer: Answer, found: Found) -> None:
    """One entry of a list: a post view, or what holds one."""
    if not isinstance(row, Mapping):
        raise SourceError("bluesky: a post is no object", url=answer.url)
    value = row.get("value")
    item = row.get("item")
    if isinstance(row.get("post"), Mapping):  # a feed
        found.add(post_of(row["post"], answer.url))
    elif isinstance(value, Mapping) and "post" in value:  # a thread, second version
        _read_row(value, answer, found)
    elif isinstance(item, Mapping):  # bookmarks
        _read_row(item, answer, found)
    elif _is_gone(row) or (isinstance(value, Mapping) and _is_gone(value)):
        _note_gone(value if isinstance(value, Mapping) and _is_gone(value) else row, row, found)
    elif isinstance(value, Mapping):  # a repository
        if value.get("$type") in (None, "app.bsky.feed.post"):
            found.add(_record_post(row, answer.url))
    elif _is_post(row):
        found.add(post_of(row, answer.url))


def _is_post(row: Mapping[str, Any]) -> bool:
    """Notifications of likes and follows have records too, of other types."""
    kind = optional(row, "record.$type", str)
    return kind in (None, "app.bsky.feed.post")


def _is_gone(row: Mapping[str, Any]) -> bool:
    kind = str(row.get("$type") or "")
    return bool(row.get("notFound") or row.get("blocked")) or kind.endswith(
        ("NotFound", "notFoundPost", "Blocked", "blockedPost", "NoUnauthenticated")
    )


def _note_gone(row: Mapping[str, Any], holder: Mapping[str, Any], found: Found) -> None:
    """What is not found was deleted; what is blocked is only not shown to us."""
    uri = row.get("uri") or holder.get("uri")
    missing = row.get("notFound") or "notfound" in str(row.get("$type") or "").lower()
    if missing and isinstance(uri, str) and uri.startswith("at://"):
        found.gone.append(plain(uri))


def _read_thread(thread: Mapping[str, Any], answer: Answer, found: Found) -> None:
    """The parents, the post and the replies below, in reading order; without recursion."""
    waiting = [thread]  # a stack: the topmost parent is read first
    while isinstance(parent := waiting[-1].get("parent"), Mapping):
        waiting.append(parent)
    while waiting:
        node = waiting.pop()
        if _is_gone(node):
            _note_gone(node, node, found)
        elif "post" in node:
            found.add(post_of(need(node, "post", dict, answer.url), answer.url))
        else:
            raise SourceError("field thread.post is missing", url=answer.url)
        replies = optional(node, "replies", list) or []
        waiting.extend(reply for reply in reversed(replies) if isinstance(reply, Mapping))


# Posts -----------------------------------------------------------------------------------------


def post_of(view: Mapping[str, Any], url: str) -> Post:
    """A post view: `uri`, `author`, `record`, `indexedAt`, counts."""
    record = need(view, "record", dict, url)
    author = _handle(view, url)
    return replace(
        from_record(record, need(view, "uri", str, url), optional(view, "indexedAt", str), url),
        author=author,
        engagement=counts(
            likes=view.get("likeCount"),
            replies=view.get("replyCount"),
            reposts=view.get("repostCount"),
            quotes=view.get("quoteCount"),
        ),
    )


def _handle(view: Mapping[str, Any], url: str) -> str:
    """The handle; the DID where the handle is not valid any more."""
    handle = one_line(need(view, "author.handle", str, url))
    if handle and handle != "handle.invalid":
        return handle
    return identifier(view, "author.did", url)


def _record_post(row: Mapping[str, Any], url: str) -> Post:
    return from_record(need(row, "value", dict, url), need(row, "uri", str, url), None, url)


_URI = re.compile(r"^at://([^/\s]+)/app\.bsky\.feed\.post/([^/\s]+)$")


def from_record(record: Mapping[str, Any], uri: str, indexed: str | None, url: str) -> Post:
    """The post that a record holds; its author is the DID of *uri*."""
    uri = plain(uri)
    if not uri.startswith("at://"):
        raise SourceError(f"field uri is no at:// URI: {uri[:60]!r}", url=url)
    found = _URI.match(uri)
    langs = optional(record, "langs", list) or []
    parent = optional(record, "reply.parent.uri", str)
    above = _URI.match(parent or "")
    return Post(
        source=SOURCE,
        platform=PLATFORM,
        native_id=uri,
        text=plain(need(record, "text", str, url)),
        author=found.group(1) if found else None,
        published_at=_published(record, indexed, url),
        url=f"https://bsky.app/profile/{found.group(1)}/post/{found.group(2)}" if found else None,
        uri=uri,
        parent=parent,
        thread=optional(record, "reply.root.uri", str),
        language=next((plain(lang) for lang in langs if isinstance(lang, str)), None),
        reply_to=above.group(1) if above else None,  # a DID
    )


def _published(record: Mapping[str, Any], indexed: str | None, url: str) -> datetime:
    """
    When the author says it was written; when it was indexed where that cannot be (years 1 and 1970
    occur, and dates to come).
    """
    arrived = moment(indexed, "indexedAt", url) if indexed else None
    written = need(record, "createdAt", str, url)
    try:
        created = moment(written, "record.createdAt", url)
    except SourceError:
        if arrived is None:
            raise
        return arrived
    if arrived is not None and not _likely(created, arrived):
        return arrived
    return created


def _likely(created: datetime, arrived: datetime) -> bool:
    return datetime(2000, 1, 1, tzinfo=UTC) <= created <= arrived + timedelta(days=1)


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, data: Mapping[str, Any], found: Found) -> tuple[Request, ...]:
    """The next page by its cursor; beyond the end of the index, older posts by `until`."""
    asked = answer.request or Request(answer.url.partition("?")[0])
    cursor = optional(data, "cursor", str)
    if not found.posts:
        return ()
    if asked.phase == "search" and (not cursor or _offset(cursor) >= FURTHEST):
        reached = _offset(cursor or asked.params.get("cursor"))
        return _older(asked, found) if reached >= FURTHEST - 500 else ()
    if not cursor or cursor == asked.params.get("cursor"):
        return ()
    return (replace(asked, params={**asked.params, "cursor": cursor}, only_while_new=True),)


def _offset(cursor: str | None) -> int:
    return int(cursor) if cursor and cursor.isascii() and cursor.isdecimal() else 0


def _older(asked: Request, found: Found) -> tuple[Request, ...]:
    """The same search up to the oldest post of this page; the second at the seam is read twice."""
    dates = [post.published_at for post in found.posts if post.published_at]
    until = utc_text(min(dates) + timedelta(seconds=1))
    if until == asked.params.get("until"):
        return ()
    params = {name: value for name, value in asked.params.items() if name != "cursor"}
    return (replace(asked, params={**params, "until": until}, only_while_new=True),)
