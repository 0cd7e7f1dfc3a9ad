"""
Posts found by X's recent search (API v2), of the last seven days.

API: https://docs.x.com/x-api/posts/search-recent-posts
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import one_line, plain
from collectors.settings import several, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request, State, Verdict

PLATFORM = "x"
TITLE = "X (Twitter)"
NEEDS = "a bearer token of a paid X developer account (developer.x.com > Projects > Keys)"
LEGAL = "Official API under its own terms, with your key; scraping the site is forbidden by them."
_SOURCE = "x/x.com"

_URL = "https://api.x.com/2/tweets/search/recent"
_HINT = "get a bearer token at developer.x.com > Projects > Keys and tokens and set token"
_FIELDS = {
    "tweet.fields": "created_at,lang,author_id,conversation_id,public_metrics,referenced_tweets,"
    "note_tweet,edit_history_tweet_ids,in_reply_to_user_id",
    "expansions": "author_id,in_reply_to_user_id",
    "user.fields": "username",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *search*: queries in X's search language. *lang*: only posts so tagged. *reposts*: also what
    merely repeats a post.
    """

    search: tuple[str, ...]
    token: str | None = None
    lang: str | None = None
    reposts: bool = False
    page_size: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "search", several(self.search, "search"))
        if not self.token:
            raise ValueError(f"token: X answers nobody without one; {_HINT}")
        words(self.token, "token")
        if self.lang is not None:
            words(self.lang, "lang")
        whole(self.page_size, "page_size", low=10, high=100)


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of this source."""
    return {"Authorization": f"Bearer {settings.token}"}


def obeys_robots(settings: Settings) -> bool:
    """An official API, always asked with the operator's own key."""
    return False


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each search, newest first, back to the newest post of the last run or seven days."""
    for query in settings.search:
        full = query if settings.reposts else f"{query} -is:retweet"
        full = f"{full} lang:{settings.lang}" if settings.lang else full
        params = {"query": full, "max_results": str(settings.page_size), **_FIELDS}
        newest = state.cursor.get(f"search:{query}")
        if newest:
            params["since_id"] = newest
        yield Request(
            _URL,
            params=params,
            context={"key": f"search:{query}", "accept_status": "400,401,403"},
        )


def parse(answer: Answer) -> Page:
    """The posts of one page; those that an edit replaced are deleted."""
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("x: expected an object", url=answer.url)
    if "data" not in data and not isinstance(data.get("meta"), Mapping):
        return _refusal(answer, data)
    found = data.get("data", [])
    listed = [found] if isinstance(found, Mapping) else rows(found, answer.url, "posts")
    names = _names(data)
    posts = tuple(_post(row, names, answer) for row in listed)
    return Page(
        posts=posts,
        next=_next(answer, data),
        cursor=_cursor(answer, data),
        deleted=tuple(f"{_SOURCE}:{old}" for row in listed for old in _replaced(row)),
    )


_PROBLEM = re.compile(rb'"https://(?:api\.(?:twitter|x)\.com|developer\.)[^"]{0,40}/problems/')


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return 0
    body = answer.body
    if re.search(rb'"edit_history_tweet_ids"\s*:|"(?:newest_id|oldest_id)"\s*:\s*"\d', body):
        return 92
    if re.search(r"//api\.(?:x|twitter)\.com/2/", answer.url):
        return 90
    if _PROBLEM.search(body[:20_000]):
        return 85
    if re.match(rb'\{\s*"data"\s*:', body) and b'"author_id"' in body and b'"text"' in body:
        return 60
    return 60 if re.search(rb'"meta"\s*:\s*\{\s*"result_count"\s*:\s*0\s*\}', body[:2000]) else 0


# What an answer says besides posts -----------------------------------------------------------


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    errors = [error for error in optional(data, "errors", list) or [] if isinstance(error, Mapping)]
    first = errors[0] if errors else data
    said = ": ".join(
        one_line(str(value))[:300]
        for name in ("title", "detail", "message")
        if (value := first.get(name) or data.get(name))
    )
    if answer.request is not None and "since_id" in answer.request.params and "since_id" in said:
        params = {k: v for k, v in answer.request.params.items() if k != "since_id"}
        return Page(  # older than seven days: ask for all there is
            next=(replace(answer.request, params=params),),
            note="more than seven days since the last run: posts between are lost to this API",
        )
    status = answer.status if answer.status >= 400 else data.get("status")
    if status == 429 or "UsageCapExceeded" in said or "usage-capped" in str(first.get("type")):
        return Page(verdict=Verdict.RATE_LIMITED, note=f"X says: {said}")
    if status in (401, 403):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"X refuses the token ({said}); {_HINT}")
    if said:
        raise SourceError(f"x: the server answered {said}", url=answer.url)
    raise SourceError("field data is missing", url=answer.url)


# Posts -----------------------------------------------------------------------------------------


def _names(data: Mapping[str, Any]) -> dict[str, str]:
    """User names by user id, from `includes`."""
    users = optional(data, "includes.users", list) or []
    return {
        str(user["id"]): one_line(str(user["username"]))
        for user in users
        if isinstance(user, Mapping) and "id" in user and "username" in user
    }


def _post(row: Any, names: Mapping[str, str], answer: Answer) -> Post:
    url = answer.url
    native_id = identifier(row, "id", url)
    author_id = optional(row, "author_id", str)
    author = names.get(author_id or "") or author_id
    created = optional(row, "created_at", str)
    text = optional(row, "note_tweet.text", str) or need(row, "text", str, url)
    return Post(
        source=_SOURCE,
        platform=PLATFORM,
        native_id=native_id,
        text=plain(unescape(text)),  # the API writes &amp; &lt; &gt;
        author=one_line(author) or None,
        published_at=moment(created, "created_at", url) if created else None,
        url=f"https://x.com/{names.get(author_id or '', 'i/web')}/status/{native_id}",
        parent=_referenced(row, "replied_to"),
        thread=optional(row, "conversation_id", str),
        engagement=_engagement(optional(row, "public_metrics", dict) or {}),
        language=_language(optional(row, "lang", str)),
        reply_to=names.get(optional(row, "in_reply_to_user_id", str) or ""),
    )


def _referenced(row: Mapping[str, Any], how: str) -> str | None:
    for other in optional(row, "referenced_tweets", list) or []:
        if isinstance(other, Mapping) and other.get("type") == how:
            return optional(other, "id", str)
    return None


def _engagement(metrics: Mapping[str, Any]) -> dict[str, int]:
    return counts(
        likes=metrics.get("like_count"),
        replies=metrics.get("reply_count"),
        reposts=metrics.get("retweet_count"),
        quotes=metrics.get("quote_count"),
        views=metrics.get("impression_count"),
    )


def _language(lang: str | None) -> str | None:
    """`und`, `qme` and their like mean that X does not know."""
    return lang if lang and len(lang) == 2 else None


def _replaced(row: Mapping[str, Any]) -> list[str]:
    """Ids of the earlier versions of an edited post."""
    history = [one_line(str(one)) for one in optional(row, "edit_history_tweet_ids", list) or []]
    own = str(row["id"])
    return history[: history.index(own)] if own in history else []


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, data: Mapping[str, Any]) -> tuple[Request, ...]:
    token = optional(data, "meta.next_token", str)
    asked = answer.request or Request(answer.url.partition("?")[0])
    if not token or token == asked.params.get("next_token"):
        return ()
    return (replace(asked, params={**asked.params, "next_token": token}, only_while_new=True),)


def _cursor(answer: Answer, data: Mapping[str, Any]) -> Mapping[str, str]:
    """The newest id, told by the first page."""
    newest = optional(data, "meta.newest_id", str)
    key = answer.context.get("key")
    first = answer.request is not None and "next_token" not in answer.request.params
    return {key: newest} if newest and key and first else {}
