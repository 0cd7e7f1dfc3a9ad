"""
Posts and comments of Reddit, by its OAuth API with a key that Reddit approved.

API: https://www.reddit.com/dev/api ; access since November 2025 by approval only.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from collectors.dates import of_epoch
from collectors.fields import counts, identifier, need, optional, rows
from collectors.html import host, one_line, plain, without_session
from collectors.settings import several, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "reddit"
TITLE = "Reddit"
NEEDS = (
    "client id and secret of an application that Reddit approved (support.reddithelp.com > API "
    "access request): without approval Reddit gives no key since November 2025"
)
LEGAL = "Official API under Reddit's Data API terms, with your approved key; else refused."

_ROOT = "https://oauth.reddit.com"
_LOGIN = "https://www.reddit.com/api/v1/access_token"
_HINT = (
    "Reddit closed its anonymous pages (403) and gives keys by approval only: ask at "
    "support.reddithelp.com, then set client_id and client_secret"
)
_STATUSES = "400,401,403,404"
_FRESH = timedelta(days=30)  # comments of posts younger than this are read again every run


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *search*: words, within *subreddits* or everywhere; without words all that the subreddits hold
    that is new. *comments*: also those below the posts found.
    """

    client_id: str | None = None
    client_secret: str | None = None
    subreddits: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    comments: bool = True
    page_size: int = 100

    def __post_init__(self) -> None:
        if not (self.client_id and self.client_secret):
            raise ValueError(f"client_id, client_secret: {_HINT}")
        words(self.client_id, "client_id")
        words(self.client_secret, "client_secret")
        named = several(self.subreddits, "subreddits", least=0)
        short = tuple(re.sub(r"^/?r/", "", name).strip("/") for name in named)
        for name in short:
            if not re.fullmatch(r"\w{2,50}", name, re.ASCII):
                raise ValueError(f"subreddits: {name!r} is no name of a subreddit")
        object.__setattr__(self, "subreddits", short)
        object.__setattr__(self, "search", several(self.search, "search", least=0))
        if not (self.subreddits or self.search):
            raise ValueError("subreddits: name at least one, or words to search for")
        whole(self.page_size, "page_size", low=1, high=100)


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of the login; its answer puts a bearer token in their place."""
    pair = f"{settings.client_id}:{settings.client_secret}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def hosts(settings: Settings) -> tuple[str, ...]:
    """Who may see them: the login is on one host, the API on another."""
    return ("www.reddit.com", "oauth.reddit.com")


def obeys_robots(settings: Settings) -> bool:
    """An official API, always asked with the operator's own key."""
    return False


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """A login, then each search or subreddit, newest first, while there is anything new."""
    yield Request(
        _LOGIN,
        method="POST",
        form={"grant_type": "client_credentials"},
        context={"accept_status": _STATUSES},
        phase="login",
        transient=True,
    )
    context = {"accept_status": _STATUSES} | ({"comments": "yes"} if settings.comments else {})
    common = {"limit": str(settings.page_size), "raw_json": "1"}
    for query in settings.search:
        params = {"q": query, "sort": "new", "t": "all", "type": "link", **common}
        for name in settings.subreddits:
            own = {**params, "restrict_sr": "1"}
            yield Request(f"{_ROOT}/r/{name}/search", params=own, context=context, phase="list")
        if not settings.subreddits:
            yield Request(f"{_ROOT}/search", params=params, context=context, phase="list")
    if settings.search:
        return
    for name in settings.subreddits:
        yield Request(f"{_ROOT}/r/{name}/new", params=common, context=context, phase="list")
        if settings.comments:  # all new ones, however old the post
            yield Request(f"{_ROOT}/r/{name}/comments", params=common, context=context)


def parse(answer: Answer) -> Page:
    """The posts and comments of a listing, a thread, or the stubs of one; or of a login."""
    if answer.status in (401, 403, 404) and answer.body.lstrip().startswith(b"<"):
        return _failure(answer, "a page instead of an answer")
    data = answer.json()
    if isinstance(data, Mapping):
        if "access_token" in data:
            token = need(data, "access_token", str, answer.url)
            return Page(session={"Authorization": f"Bearer {token}"})
        if "error" in data or ("message" in data and "data" not in data):
            return _refusal(answer, data)
    found = _Found()
    for thing in _things(data, answer):
        _read(thing, answer, found)
    return Page(
        posts=tuple(found.posts.values()),
        next=(*_comments(answer, found), *_stubs(answer, found), *_next(answer, data)),
        declared=_declared(data, found),
        deleted=_deleted(found),
    )


def recognises(answer: Answer) -> int:
    start = answer.body[:4000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith((b"{", b"[")):
        return 0
    if re.match(rb'\[?\s*\{\s*"kind"\s*:\s*"(?:Listing|t[1-6]|more)"', start):
        return 95
    if re.search(rb'"kind"\s*:\s*"(?:Listing|t1|t3|more)"', answer.body) and re.search(
        rb'"(?:children|things|subreddit)"\s*:', answer.body
    ):
        return 85
    return 80 if host(answer.url) in ("oauth.reddit.com", "reddit.com", "old.reddit.com") else 0


# What an answer says besides posts -----------------------------------------------------------


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    reason = one_line(str(data.get("reason") or data.get("message") or data.get("error")))[:200]
    if answer.status < 400 and isinstance(data.get("error"), int):
        answer = replace(answer, status=data["error"])
    return _failure(answer, reason)


def _failure(answer: Answer, said: str) -> Page:
    if answer.status == 401 or answer.phase == "login":
        return Page(verdict=Verdict.LOGIN_WALL, note=f"Reddit refuses the key ({said}); {_HINT}")
    if answer.status == 429:
        return Page(verdict=Verdict.RATE_LIMITED, note=f"Reddit says: {said}")
    if answer.status == 403 and said in ("private", "gold_only", "quarantined"):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"{answer.url}: the subreddit is {said}")
    if answer.status == 403:
        return Page(verdict=Verdict.BLOCKED, note=f"Reddit refuses ({said}); {_HINT}")
    if answer.status == 404:
        return Page(verdict=Verdict.UNREACHABLE, note=f"{answer.url} is gone: {said}")
    raise SourceError(f"reddit: the server answered {said}", url=answer.url)


# Shapes ----------------------------------------------------------------------------------------


class _Found:
    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.links: list[Mapping[str, Any]] = []
        self.stubs: list[Mapping[str, Any]] = []
        self.gone: list[str] = []


def _things(data: Any, answer: Answer) -> list[Any]:
    """The things at the top of *data*, in order."""
    if isinstance(data, list):  # a thread: the post's listing, then its comments
        return [thing for part in data for thing in _things(part, answer)]
    if not isinstance(data, Mapping):
        raise SourceError("reddit: expected a listing", url=answer.url)
    things = optional(data, "json.data.things", list)
    if things is not None:
        return things
    if data.get("kind") in ("t1", "t3", "more"):
        return [data]
    return rows(need(data, "data.children", list, answer.url), answer.url, "children")


def _read(top: Any, answer: Answer, found: _Found) -> None:
    """One thing and the replies below it, in reading order, without recursion."""
    waiting = [top]
    while waiting:
        thing = waiting.pop()
        if not isinstance(thing, Mapping):
            raise SourceError("reddit: a child is no object", url=answer.url)
        kind = thing.get("kind")
        if kind == "more":
            found.stubs.append(need(thing, "data", dict, answer.url))
        elif kind in ("t1", "t3"):
            _read_one(kind, need(thing, "data", dict, answer.url), answer, found)
            below = optional(thing, "data.replies.data.children", list) or []
            waiting.extend(reversed(below))
        elif not isinstance(kind, str):
            raise SourceError("field kind is missing", url=answer.url)


_GONE = frozenset(("[deleted]", "[removed]", "[deleted by user]", "[ Removed by Reddit ]"))


def _read_one(kind: str, data: Mapping[str, Any], answer: Answer, found: _Found) -> None:
    number = identifier(data, "name" if "name" in data else "id", answer.url)
    name = number if number.startswith(f"{kind}_") else f"{kind}_{number}"
    if kind == "t3":
        found.links.append(data)
    body = need(data, "body", str, answer.url) if kind == "t1" else _selftext(data)
    if body.strip() in _GONE:
        found.gone.append(name)
        return
    found.posts[name] = _post(kind, name, data, body, answer)


def _selftext(data: Mapping[str, Any]) -> str:
    return optional(data, "selftext", str) or ""


def _deleted(found: _Found) -> tuple[str, ...]:
    return tuple(f"{_SOURCE}:{name}" for name in found.gone)


# Posts -----------------------------------------------------------------------------------------

_SOURCE = "reddit/reddit.com"


def _post(kind: str, name: str, data: Mapping[str, Any], body: str, answer: Answer) -> Post:
    text = plain(unescape(body))
    author = optional(data, "author", str)
    link = optional(data, "permalink", str)
    comment = kind == "t1"
    title = None if comment else one_line(unescape(need(data, "title", str, answer.url)))
    return Post(
        source=_SOURCE,
        platform=PLATFORM,
        native_id=name,
        text=text,
        kind=Kind.COMMENT if comment else Kind.TOPIC,
        author=one_line(author) if author and author not in _GONE else None,
        published_at=_epoch(data, answer),
        title=title,
        url=_address(link),
        parent=optional(data, "parent_id", str) if comment else None,
        thread=optional(data, "link_id", str) if comment else name,
        thread_title=_thread_title(data) if comment else title,
        engagement=counts(score=data.get("score"), comments=data.get("num_comments")),
        edited_at=_edited(data),
        quoted=_quoted(text),
    )


def _thread_title(data: Mapping[str, Any]) -> str | None:
    return one_line(unescape(optional(data, "link_title", str) or "")) or None


def _address(permalink: str | None) -> str | None:
    if not permalink or not permalink.startswith("/"):
        return None
    return without_session(f"https://www.reddit.com{permalink.partition('?')[0]}")


def _epoch(data: Mapping[str, Any], answer: Answer) -> datetime:
    written = optional(data, "created_utc", float) or optional(data, "created_utc", int)
    at = of_epoch(written) if written is not None else None
    if at is None:
        raise SourceError("field created_utc is missing or no time", url=answer.url)
    return at.at


def _edited(data: Mapping[str, Any]) -> datetime | None:
    """False, or when; `true` for very old edits, of which no time is known."""
    written = optional(data, "edited", float) or optional(data, "edited", int)
    at = of_epoch(written) if written else None
    return at.at if at else None


def _quoted(text: str) -> tuple[str, ...]:
    """Passages behind `>`, as Markdown quotes."""
    passages: list[list[str]] = []
    quoting = False
    for line in text.split("\n"):
        if line.startswith(">") and not line.startswith(">!"):
            if not quoting:
                passages.append([])
            passages[-1].append(line.lstrip("> "))
        quoting = line.startswith(">")
    return tuple(passage for lines in passages if (passage := "\n".join(lines).strip()))


# Paging ----------------------------------------------------------------------------------------


def _declared(data: Any, found: _Found) -> int | None:
    """A thread says how many comments it has."""
    if isinstance(data, list) and len(found.links) == 1:
        return optional(found.links[0], "num_comments", int)
    return None


def _next(answer: Answer, data: Any) -> tuple[Request, ...]:
    after = optional(data, "data.after", str)
    asked = answer.request or Request(answer.url.partition("?")[0])
    if not after or after == asked.params.get("after"):
        return ()
    return (replace(asked, params={**asked.params, "after": after}, only_while_new=True),)


def _comments(answer: Answer, found: _Found) -> Iterator[Request]:
    """The threads of the posts found; of old ones only while the page brings anything new."""
    if answer.phase != "list" or "comments" not in answer.context:
        return
    for data in found.links:
        if not optional(data, "num_comments", int):
            continue
        name = identifier(data, "id", answer.url)
        written = of_epoch(optional(data, "created_utc", float) or 0)
        age = answer.fetched_at - (written.at if written else datetime.fromtimestamp(0, UTC))
        yield Request(
            f"{_ROOT}/comments/{name}",
            params={"limit": "500", "sort": "new", "raw_json": "1"},
            context={"accept_status": _STATUSES, "thread": f"t3_{name}"},
            only_while_new=age > _FRESH,
        )


def _stubs(answer: Answer, found: _Found) -> Iterator[Request]:
    """Comments that the thread only names: a hundred at a time, or where it goes on too deep."""
    link = answer.context.get("thread") or next(
        (f"t3_{link['id']}" for link in found.links if isinstance(link.get("id"), str)), None
    )
    if link is None or not re.fullmatch(r"t3_\w{1,20}", link):
        return
    context = {"accept_status": _STATUSES, "thread": link}
    children = [c for s in found.stubs for c in optional(s, "children", list) or []]
    named = [child for child in children if isinstance(child, str) and child.isalnum()]
    for start in range(0, len(named), 100):
        form = {"link_id": link, "children": ",".join(named[start : start + 100])}
        yield Request(
            f"{_ROOT}/api/morechildren",
            params={**form, "api_type": "json", "raw_json": "1"},
            context=context,
        )
    for stub in found.stubs:
        parent = optional(stub, "parent_id", str) or ""
        if not optional(stub, "children", list) and re.fullmatch(r"t1_\w{1,20}", parent):
            yield Request(
                f"{_ROOT}/comments/{link[3:]}/_/{parent[3:]}",
                params={"limit": "500", "raw_json": "1"},
                context=context,
            )
