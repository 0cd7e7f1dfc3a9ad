"""
Questions, answers and comments of Stack Exchange sites.

API: https://api.stackexchange.com/docs
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from collectors.dates import of_epoch
from collectors.fields import counts, identifier, need, optional, rows
from collectors.html import absolute, clean_author, host, one_line, text_of
from collectors.settings import several, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "stackexchange"
TITLE = "Stack Exchange"
NEEDS = "nothing for 300 requests a day; an application key (stackapps.com) for 10,000"
LEGAL = "Content under CC BY-SA, by the official API: name the author and the link when you quote."

_ROOT = "https://api.stackexchange.com/2.3"
_STATUSES = "400,401,402,403,404,406"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *site*: name of the site in the API (`expatriates`, `travel`, ...). *search*: words; *tags*.
    *key*: of a registered application; it is no secret.
    """

    site: str
    search: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    key: str | None = None
    page_size: int = 100

    def __post_init__(self) -> None:
        words(self.site, "site")
        object.__setattr__(self, "search", several(self.search, "search", least=0))
        object.__setattr__(self, "tags", several(self.tags, "tags", least=0))
        if not (self.search or self.tags):
            raise ValueError("search: name words to search for, or tags")
        if self.key is not None:
            words(self.key, "key")
        whole(self.page_size, "page_size", low=1, high=100)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each search and tag by last activity, so that questions with new answers come first."""
    common = {
        "site": settings.site,
        "order": "desc",
        "sort": "activity",
        "filter": "withbody",
        "pagesize": str(settings.page_size),
        "page": "1",
    }
    if settings.key:
        common["key"] = settings.key
    if state.since:
        common["min"] = str(int(state.since.timestamp()))  # of the sort: last activity
    asked = [{"q": query} for query in settings.search] + [{"tagged": t} for t in settings.tags]
    for which in asked:
        yield Request(
            f"{_ROOT}/search/advanced",
            params={**common, **which},
            context={"site": settings.site, "accept_status": _STATUSES},
            phase="questions",
        )


def parse(answer: Answer) -> Page:
    """The questions, answers and comments of one page; below questions more is asked for."""
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("stackexchange: expected an object", url=answer.url)
    if "error_id" in data:
        return _refusal(answer, data)
    listed = rows(need(data, "items", list, answer.url), answer.url, "items")
    posts = {post.native_id: post for row in listed for post in _posts(row, answer)}
    following = (*_below(answer, listed), *_next(answer, data, len(listed)))
    wait = optional(data, "backoff", int)
    if wait and following:
        return Page(
            posts=tuple(posts.values()),
            next=following,
            verdict=Verdict.RATE_LIMITED,
            note=f"the server asks to be left alone for {wait} s; the rest is left for later",
        )
    return Page(posts=tuple(posts.values()), next=following, declared=optional(data, "total", int))


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if host(answer.url) == "api.stackexchange.com":
        return 95
    if not start.startswith(b"{"):
        return 0
    if b'"quota_remaining"' in answer.body and b'"has_more"' in answer.body:
        return 93
    return 80 if b'"error_id"' in answer.body[:2000] and b'"error_name"' in answer.body else 0


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    name = one_line(str(data.get("error_name")))[:60]
    said = f"{name}: {one_line(str(data.get('error_message')))[:200]}"
    if name in ("throttle_violation", "temporarily_unavailable"):
        return Page(verdict=Verdict.RATE_LIMITED, note=f"Stack Exchange says {said}")
    if re.search(r"access_(?:token|denied)|key|application", name) or answer.status in (401, 403):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"Stack Exchange refuses the key ({said})")
    raise SourceError(f"stackexchange: the server answered {said}", url=answer.url)


# Posts -----------------------------------------------------------------------------------------

_IDS = (("comment_id", "comment"), ("answer_id", "answer"), ("question_id", "question"))


def _posts(row: Any, answer: Answer) -> Iterator[Post]:
    """A post, then what is given within it (a filter may ask for that)."""
    if not isinstance(row, Mapping):
        raise SourceError("stackexchange: an item is no object", url=answer.url)
    yield _post(row, answer)
    for name in ("comments", "answers"):
        for inner in optional(row, name, list) or []:
            if isinstance(inner, Mapping):
                yield _post(inner, answer)
                for comment in optional(inner, "comments", list) or []:
                    yield _post(comment, answer)


def _own(row: Any) -> tuple[str, str]:
    """Name of the id and kind: an answer has its question's id too."""
    for field, kind in _IDS:
        if isinstance(row, Mapping) and field in row:
            return field, kind
    return "question_id", "question"


def _post(row: Any, answer: Answer) -> Post:
    url = answer.url
    field, kind = _own(row)
    title = one_line(text_of(optional(row, "title", str)).text) or None
    text = text_of(need(row, "body", str, url))
    question = optional(row, "question_id", int)
    edited = optional(row, "last_edit_date", int)
    changed = of_epoch(edited) if edited else None
    created = of_epoch(need(row, "creation_date", int, url))
    if created is None:
        raise SourceError("field creation_date is no time", url=url)
    link = absolute(optional(row, "link", str), "") or _link(row, kind, answer)
    return Post(
        source=f"{PLATFORM}/{host(link) or answer.context.get('site') or 'unknown'}",
        platform=PLATFORM,
        native_id=f"{kind}/{identifier(row, field, url)}",
        text=text.text,
        kind=Kind.TOPIC if kind == "question" else Kind.COMMENT,
        author=clean_author(text_of(optional(row, "owner.display_name", str)).text),
        published_at=created.at,
        title=title if kind == "question" else None,
        url=link,
        parent=_parent(row, kind, answer),
        thread=f"question/{question}" if question is not None else None,
        thread_title=title,
        engagement=counts(
            score=row.get("score"),
            answers=row.get("answer_count"),
            views=row.get("view_count"),
        ),
        edited_at=changed.at if changed else None,
        quoted=text.quoted,
    )


_OWN_DOMAINS = frozenset(("stackoverflow", "serverfault", "superuser", "askubuntu", "stackapps"))


def _link(row: Mapping[str, Any], kind: str, answer: Answer) -> str | None:
    """Where the default filter names no link: short forms of the site."""
    site = answer.context.get("site", "")
    if not re.fullmatch(r"[a-z0-9.-]+", site):
        return None
    server = f"{site}.com" if site in _OWN_DOMAINS else f"{site}.stackexchange.com"
    server = urlsplit(f"https://{site}").hostname or server if site.count(".") > 1 else server
    if kind == "comment":
        return absolute(f"https://{server}/posts/comments/{row.get('comment_id')}", "")
    short = {"answer": "a", "question": "q"}[kind]
    return absolute(f"https://{server}/{short}/{row.get(f'{kind}_id')}", "")


def _parent(row: Mapping[str, Any], kind: str, answer: Answer) -> str | None:
    if kind == "answer":
        question = optional(row, "question_id", int)
        return f"question/{question}" if question is not None else None
    if kind != "comment":
        return None
    number = optional(row, "post_id", int)
    on = optional(row, "post_type", str) or answer.context.get("on") or "post"
    return f"{on}/{number}" if number is not None else None


# Paging ----------------------------------------------------------------------------------------


def _below(answer: Answer, listed: list[Any]) -> Iterator[Request]:
    """The answers and comments of the questions of a page, all in one request each."""
    asked = answer.request
    if asked is None or asked.phase not in ("questions", "answers"):
        return
    field = "question_id" if asked.phase == "questions" else "answer_id"
    ids = [str(row[field]) for row in listed if isinstance(optional(row, field, int), int)]
    if not ids:
        return
    common = {k: v for k, v in asked.params.items() if k in ("site", "key", "pagesize")}
    params = {**common, "filter": "withbody", "order": "desc", "sort": "creation", "page": "1"}
    joined = ";".join(ids[:100])
    context = {**asked.context, "accept_status": _STATUSES}
    yield Request(
        f"{_ROOT}/{asked.phase}/{joined}/comments",
        params=params,
        context={**context, "on": field.removesuffix("_id")},
        phase="comments",
    )
    if asked.phase == "questions" and any(optional(row, "answer_count", int) for row in listed):
        url = f"{_ROOT}/questions/{joined}/answers"
        yield Request(url, params=params, context=context, phase="answers")


def _next(answer: Answer, data: Mapping[str, Any], got: int) -> tuple[Request, ...]:
    asked = answer.request
    if asked is None or not got or not optional(data, "has_more", bool):
        return ()
    page = str(int(asked.params.get("page", "1")) + 1)
    return (replace(asked, params={**asked.params, "page": page}, only_while_new=True),)
