"""
Topics and posts of Discourse forums, by the JSON that every page has beside it.

API: https://docs.discourse.org/ . Searches give cut texts, so they lead to the topics they found.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors import boards
from collectors.boards import Board, Pages, Row
from collectors.dates import Moment
from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import absolute, host, one_line, text_of, tree
from collectors.settings import one_of, several, utc_text, web_address, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Thread, Verdict

PLATFORM = "discourse"
TITLE = "Discourse"
NEEDS = "nothing where everybody may read; else an API key and the name of its user"
LEGAL = "Public posts by the forum's JSON; its robots.txt and terms apply."

_PAGE = 20  # posts of one page of a topic


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *site*: address of the forum. *read*: posts (the newest of the whole forum) or topics (those
    that changed). *category*: `slug/id`, for topics of one category. *topics*: single ones, by
    number or address. *search*: words, newest matches first.
    """

    site: str
    read: str = "posts"
    category: str | None = None
    topics: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    api_key: str | None = None
    api_user: str | None = None
    context_brand: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "site", web_address(self.site, "site"))
        one_of(self.read, "read", ("posts", "topics"))
        if self.category is not None and not re.fullmatch(r"[\w-]+(?:/[\w-]+)*/\d+", self.category):
            raise ValueError(f"category: {self.category!r} is not like operateurs/12")
        object.__setattr__(self, "search", several(self.search, "search", least=0))
        topics = tuple(_topic_number(t) for t in several(self.topics, "topics", least=0))
        object.__setattr__(self, "topics", topics)
        if (self.api_key is None) != (self.api_user is None):
            raise ValueError("api_key: api_key and api_user go together")
        if self.api_key is not None:
            words(self.api_key, "api_key")


def _topic_number(topic: str) -> str:
    found = re.fullmatch(r"\d+", topic) or re.search(r"/t/(?:[^/]+/)?(\d+)(?:/\d+)?/?$", topic)
    if not found:
        raise ValueError(f"topics: {topic!r} is neither the number nor the address of a topic")
    return found.group(found.lastindex or 0)


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of this source."""
    if settings.api_key is None or settings.api_user is None:
        return {}
    return {"Api-Key": settings.api_key, "Api-Username": settings.api_user}


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Newest first; what was read before ends the way back."""
    context = {"accept_status": "401,403", "site": settings.site}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    since = {"since": utc_text(state.since)} if state.since else {}
    for number in settings.topics:
        known = state.cursor.get(f"topic:{number}", "0")
        own = context | {"thread": number, "known": known}
        yield Request(f"{settings.site}/t/{number}.json", context=own)
    for phrase in settings.search:
        after = f" after:{state.since.date().isoformat()}" if state.since else ""
        params = {"q": f"{phrase} order:latest{after}", "page": "1"}
        yield Request(f"{settings.site}/search.json", params=params, context=context | since)
    if settings.category or (settings.read == "topics" and not settings.topics):
        path = f"/c/{settings.category}.json" if settings.category else "/latest.json"
        params = {"order": "activity"} if settings.category else {}
        yield Request(f"{settings.site}{path}", params=params, context=context | since)
    elif not settings.topics and not settings.search:
        yield Request(f"{settings.site}/posts.json", context=context)


def parse(answer: Answer) -> Page:
    """The posts of a topic or of the whole forum, or the topics of a list or a search."""
    if not answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        blocked = boards.forum_wall(answer, tree(answer.text))
        if blocked is not None:
            return blocked
    data = answer.json()
    if isinstance(data, list):  # searches before 2014
        return _old_search(answer, data)
    data = boards.json_object(answer)
    if "errors" in data or "error_type" in data:
        return _refusal(answer, data)
    if "post_stream" in data:
        return _topic(answer, data)
    if "latest_posts" in data:
        return _latest(answer, data)
    if "topic_list" in data:
        return _topics(answer, data)
    if "cooked" in data and "post_number" in data:
        posts, gone = _posts(answer, [data])
        return Page(posts=tuple(posts), deleted=gone)
    if "grouped_search_result" in data or ("posts" in data and "topics" in data):
        return _search(answer, data)
    raise SourceError("discourse: neither posts nor topics", url=answer.url)


def recognises(answer: Answer) -> int:
    body = answer.body
    if body.lstrip()[:1] != b"{":
        old = body.lstrip()[:1] == b"[" and b'"type":' in body[:200] and b'"/t/' in body
        return 60 if old else 0
    if b'"cooked"' in body:
        known = (b'"post_stream"', b'"latest_posts"', b'"post_number"')
        return 96 if any(name in body for name in known) else 0
    start = body[:5000]
    if b'"topic_list"' in body and (b'"can_create_topic"' in body or b'"topics"' in body):
        return 93
    if b'"grouped_search_result"' in body:
        return 93
    return 80 if b'"error_type"' in start and b'"errors"' in start else 0


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    said = one_line("; ".join(map(str, rows(data.get("errors") or [], answer.url))))[:200]
    kind = optional(data, "error_type", str) or ""
    if kind in ("not_logged_in", "invalid_access", "invalid_api_key") or answer.status in (
        401,
        403,
    ):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"the forum is for members ({kind}: {said})")
    if kind == "rate_limit" or answer.status == 429:
        return Page(verdict=Verdict.RATE_LIMITED, note=said)
    if kind == "not_found":
        return Page(note=f"not found: {said}")
    raise SourceError(
        f"discourse: the forum answered {kind or answer.status}: {said}", url=answer.url
    )


# Posts -----------------------------------------------------------------------------------------

_REGULAR = frozenset((1, 2))  # post types; 3 is a note such as "closed", 4 a whisper


def _gone(row: Any) -> bool:
    return bool(row.get("deleted_at") or row.get("user_deleted"))


def _source(answer: Answer) -> str:
    return f"{PLATFORM}/{host(answer.context.get('site') or answer.url) or 'unknown'}"


def _posts(answer: Answer, listed: list[Any]) -> tuple[list[Post], tuple[str, ...]]:
    """(the posts people wrote, the ids of those taken back)."""
    url = answer.url
    numbers = {
        _place(row, "post_number"): identifier(row, "id", url)
        for row in listed
        if isinstance(row, Mapping)
    }
    posts, gone = [], []
    for row in listed:
        number = identifier(row, "id", url)
        if _gone(row):
            gone.append(f"{_source(answer)}:{number}")
        elif (optional(row, "post_type", int) or 1) in _REGULAR:
            parent = numbers.get(_place(row, "reply_to_post_number"))
            posts.append(_post(answer, row, number, parent))
    return posts, tuple(gone)


def _post(answer: Answer, row: Mapping[str, Any], number: str, parent: str | None) -> Post:
    url = answer.url
    thread = identifier(row, "topic_id", url)
    place = need(row, "post_number", int, url)
    text = text_of(need(row, "cooked", str, url))
    slug = optional(row, "topic_slug", str) or "-"
    written = moment(need(row, "created_at", str, url), "created_at", url)
    changed = optional(row, "updated_at", str)
    edits = optional(row, "version", int) or 1
    return Post(
        source=_source(answer),
        platform=PLATFORM,
        native_id=number,
        text=text.text,
        kind=Kind.TOPIC if place == 1 else Kind.POST,
        author=one_line(need(row, "username", str, url)) or None,
        published_at=written,
        url=absolute(f"/t/{slug}/{thread}/{place}", answer.context.get("site") or url),
        parent=parent if parent != number else None,
        thread=thread,
        thread_title=one_line(optional(row, "topic_title", str)) or None,
        engagement=_engagement(row),
        edited_at=moment(changed, "updated_at", url) if changed and edits > 1 else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
        reply_to=optional(row, "reply_to_user.username", str),
    )


def _engagement(row: Mapping[str, Any]) -> dict[str, int]:
    told = {"likes": row.get("like_count"), "replies": row.get("reply_count")}
    for action in optional(row, "actions_summary", list) or []:
        if isinstance(action, Mapping) and action.get("id") == 2:  # 2 is "like"
            told["likes"] = action.get("count")
    return {name: number for name, number in counts(**told).items() if number >= 0}


def _latest(answer: Answer, data: Mapping[str, Any]) -> Page:
    """The newest posts of the forum, and those before them: a window of 50 numbers, maybe empty."""
    listed = need(data, "latest_posts", list, answer.url)
    posts, gone = _posts(answer, listed)
    asked = answer.request
    following: tuple[Request, ...] = ()
    if asked is not None:
        before = asked.params.get("before", "")
        numbers = [need(row, "id", int, answer.url) for row in listed]
        floor = int(before) - 50 if before.isdigit() else 0
        place = min(numbers) - 1 if numbers else floor
        if place > 0 and str(place) != before:
            params = {**asked.params, "before": str(place)}
            following = (replace(asked, params=params, only_while_new=True),)
    newest = max((int(p.native_id) for p in posts if p.native_id.isdecimal()), default=0)
    cursor = {"newest": str(newest)} if asked and newest and "before" not in asked.params else {}
    return Page(posts=tuple(posts), next=following, deleted=gone, cursor=cursor)


# Topics ----------------------------------------------------------------------------------------


def _place(row: Mapping[str, Any], field: str) -> tuple[int | None, int | None] | None:
    """(topic, number in it), by which posts name each other; None where there is no number."""
    number = optional(row, field, int)
    return (optional(row, "topic_id", int), number) if number is not None else None


def _topic(answer: Answer, data: Mapping[str, Any]) -> Page:
    url = answer.url
    listed = need(data, "post_stream.posts", list, url)
    posts, gone = _posts(answer, listed)
    title = one_line(optional(data, "title", str))[:500] or None
    stream = [str(n) for n in optional(data, "post_stream.stream", list) or [] if type(n) is int]
    number = answer.context.get("thread") or (str(data["id"]) if "id" in data else None)
    if title:
        posts = [replace(post, thread_title=title) for post in posts]
    return Page(
        posts=tuple(posts),
        next=tuple(_rest(answer, [identifier(row, "id", url) for row in listed], stream, number)),
        declared=optional(data, "posts_count", int),
        cursor=_topic_cursor(answer, stream, number),
        deleted=gone,
    )


def _rest(
    answer: Answer, here: list[str], stream: list[str], number: str | None
) -> Iterator[Request]:
    """Walking back from the last page of a topic met in a list; else the posts not on this page."""
    context = dict(answer.context) | ({"thread": number} if number else {})
    site = answer.context.get("site") or re.sub(r"/t/.*$", "", answer.url)
    if not stream or number is None or not site.startswith(("http://", "https://")):
        return
    if answer.phase in ("tail", "back"):
        page = int(context.get("page", "1"))
        if page > 1:
            yield _page_of(site, number, page - 1, context, "back", only_while_new=True)
        if answer.phase == "tail" and here and here[-1] != stream[-1]:
            yield _page_of(site, number, page + 1, context, "tail")
        return
    known = context.get("known", "0")
    seen = set(here)
    missing = [n for n in stream if n not in seen and int(n) > int(known)]
    for start in range(0, len(missing), _PAGE):
        ids = "&".join(f"post_ids[]={n}" for n in missing[start : start + _PAGE])
        yield Request(f"{site}/t/{number}/posts.json?{ids}", context=context, phase="rest")


def _page_of(
    site: str,
    number: str,
    page: int,
    context: Mapping[str, str],
    phase: str,
    *,
    only_while_new: bool = False,
) -> Request:
    return Request(
        f"{site}/t/{number}.json?page={page}",
        context={**context, "page": str(page), "thread": number},
        phase=phase,
        only_while_new=only_while_new,
    )


def _topic_cursor(answer: Answer, stream: list[str], number: str | None) -> Mapping[str, str]:
    if "known" not in answer.context or answer.phase != "" or not stream or number is None:
        return {}
    return {f"topic:{number}": max(stream, key=int)}


def _topics(answer: Answer, data: Mapping[str, Any]) -> Page:
    url = answer.url
    listed = need(data, "topic_list.topics", list, url)
    board = Board.of_json(answer, PLATFORM)
    site = answer.context.get("site") or re.sub(r"/(?:latest|c/|top|new).*$", "", url)
    found = [_row(row, url, site) for row in listed]
    more = optional(data, "topic_list.more_topics_url", str)
    page = boards.listing_page(board, found, Pages(next=_json_address(more, url)))
    steps = {row.native_id: row for row in found}
    return replace(page, next=tuple(_as_tail(request, steps, site) for request in page.next))


def _json_address(more: str | None, url: str) -> str | None:
    """`/latest?page=1` is the page for people: the same with `.json` is ours."""
    target = absolute(more, url)
    if target is None or ".json" in target:
        return target
    path, mark, query = target.partition("?")
    return f"{path}.json{mark}{query}"


def _as_tail(request: Request, found: Mapping[str, Row], site: str) -> Request:
    """A topic of a list is entered at its last page."""
    number = request.context.get("thread")
    row = found.get(number or "")
    if row is None or number is None:
        return request
    last = max(1, -(-(row.posts or 1) // _PAGE))
    return _page_of(site, number, last, request.context, "tail")


def _row(row: Any, url: str, site: str) -> Row:
    number = identifier(row, "id", url)
    changed = optional(row, "bumped_at", str) or optional(row, "last_posted_at", str)
    return Row(
        native_id=number,
        title=one_line(need(row, "title", str, url))[:500],
        url=absolute(f"/t/{number}.json", site if "//" in site else ""),
        posts=need(row, "posts_count", int, url),
        at=Moment(moment(changed, "bumped_at", url)) if changed else None,
        pinned=bool(optional(row, "pinned", bool)),
    )


# Searches --------------------------------------------------------------------------------------


def _search(answer: Answer, data: Mapping[str, Any]) -> Page:
    """The posts found, whose texts are cut: their topics are read from where they were found."""
    url = answer.url
    titles = {
        identifier(row, "id", url): one_line(optional(row, "title", str))[:500]
        for row in optional(data, "topics", list) or []
    }
    threads = tuple(Thread(number, title) for number, title in titles.items())
    site = answer.context.get("site") or url.partition("/search")[0]
    hits = [str(row["id"]) for row in optional(data, "posts", list) or [] if "id" in row]
    into = [
        Request(f"{site}/posts/{hit}.json", context=answer.context, phase="hit") for hit in hits
    ]
    more = optional(data, "grouped_search_result.more_full_page_results", bool)
    asked = answer.request
    if more and asked is not None and asked.params.get("page", "").isdigit():
        page = str(int(asked.params["page"]) + 1)
        into.append(replace(asked, params={**asked.params, "page": page}))
    return Page(threads=threads, next=tuple(into))


def _old_search(answer: Answer, data: list[Any]) -> Page:
    found = [
        Thread(identifier(row, "id", answer.url), one_line(optional(row, "title", str))[:500])
        for group in data
        for row in optional(group, "results", list) or []
        if optional(row, "url", str) and str(row["url"]).startswith("/t/")
    ]
    return Page(threads=tuple(found))
