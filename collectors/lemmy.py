"""
Posts and comments of Lemmy communities, found by search or listed (API v3 and v4).

API: https://join-lemmy.org/api/ , https://github.com/LemmyNet/lemmy-js-client
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import absolute, host, one_line, plain
from collectors.settings import one_of, several, web_address, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "lemmy"
TITLE = "Lemmy"
NEEDS = "nothing, unless the instance is private (then an account's token)"
LEGAL = "Public posts by the instance's documented API, within its rate limits."

_HINT = "log in to the instance and set token"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *search*: words to search for. *communities*: `name` or `name@server`, all that is new there.
    *api*: "v3", or "v4" for Lemmy 1.0.
    """

    instance: str
    search: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    token: str | None = None
    api: str = "v3"
    page_size: int = 50

    def __post_init__(self) -> None:
        object.__setattr__(self, "instance", web_address(self.instance, "instance"))
        object.__setattr__(self, "search", several(self.search, "search", least=0))
        names = tuple(n.lstrip("!") for n in several(self.communities, "communities", least=0))
        object.__setattr__(self, "communities", names)
        if not (self.search or self.communities):
            raise ValueError("search: name words to search for, or communities")
        if self.token is not None:
            words(self.token, "token")
        one_of(self.api, "api", ("v3", "v4"))
        whole(self.page_size, "page_size", low=1, high=50)


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of this source."""
    return {"Authorization": f"Bearer {settings.token}"} if settings.token else {}


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each search and each community, newest first, while there is anything new."""
    root = f"{settings.instance}/api/{settings.api}"
    old = settings.api == "v3"
    paged = {"limit": str(settings.page_size)} | ({"page": "1"} if old else {})
    asked = "q" if old else "search_term"
    for query in settings.search:
        params = {asked: query, "type_": "All" if old else "all", "listing_type": _all(old)}
        params |= {"sort": "New"} if old else {"sort": "new"}
        yield _request(f"{root}/search", params | paged)
    for name in settings.communities:
        common = {"community_name": name, "sort": "New" if old else "new", **paged}
        yield _request(f"{root}/post/list", common)
        yield _request(f"{root}/comment/list", common | {"type_": _all(old)})


def _all(old: bool) -> str:
    return "All" if old else "all"


def _request(url: str, params: Mapping[str, str]) -> Request:
    return Request(url, params=params, context={"accept_status": "400,401,403"})


def parse(answer: Answer) -> Page:
    """The posts and comments of a search, a list or a thread."""
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("lemmy: expected an object", url=answer.url)
    if "error" in data:
        return _refusal(answer, data)
    views = _views(data, answer)
    posts: dict[str, Post] = {}
    gone: list[str] = []
    for view in views:
        post = _post(view, answer)
        if _is_gone(view):
            gone.append(post.id)
        else:
            posts[post.native_id] = post
    following = _next(answer, data, len(views))
    return Page(posts=tuple(posts.values()), deleted=tuple(gone), next=following)


_VIEW = re.compile(rb'"(?:ap_id|actor_id)"\s*:\s*"http')


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return 0
    shown = re.search(
        rb'"(?:comments|posts|results|items|post_view|comment_view)"\s*:', answer.body[:20_000]
    )
    if shown and _VIEW.search(answer.body) and b'"creator"' in answer.body:
        return 92
    if re.search(rb'"type_"\s*:\s*"', answer.body) and shown:
        return 70  # nothing found
    return 75 if re.search(r"/api/v[34]/(?:search|post|comment)\b", answer.url) else 0


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    said = one_line(f"{data.get('error')} {data.get('message') or ''}")[:200]
    if answer.status in (401, 403) or re.search(r"logged_in|private|incorrect_login|token", said):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"{answer.url} is closed ({said}): {_HINT}")
    if "rate_limit" in said or answer.status == 429:
        return Page(verdict=Verdict.RATE_LIMITED, note=f"the server says {said}")
    raise SourceError(f"lemmy: the server answered {said}", url=answer.url)


# Shapes ----------------------------------------------------------------------------------------


def _views(data: Mapping[str, Any], answer: Answer) -> list[Mapping[str, Any]]:
    """The views of posts and comments in *data*, posts first, of either version."""
    known = [name for name in ("posts", "comments", "results", "items") if name in data]
    if known:
        listed = [row for name in known for row in rows(data[name], answer.url, name)]
    elif "post_view" in data or "comment_view" in data:
        listed = [data.get("post_view", data.get("comment_view"))]
    else:
        raise SourceError("field posts (or comments, results) is missing", url=answer.url)
    for row in listed:
        if not isinstance(row, Mapping):
            raise SourceError("lemmy: a view is no object", url=answer.url)
    return [row for row in listed if "comment" in row or "post" in row]  # not people, communities


def _own(view: Mapping[str, Any]) -> str:
    """A view of a comment holds its post too."""
    return "comment" if isinstance(view.get("comment"), Mapping) else "post"


def _is_gone(view: Mapping[str, Any]) -> bool:
    own = _own(view)
    return bool(
        optional(view, f"{own}.deleted", bool)
        or optional(view, f"{own}.removed", bool)
        or optional(view, f"{own}.deleted_by_creator", bool)
    )


def _post(view: Mapping[str, Any], answer: Answer) -> Post:
    own, url = _own(view), answer.url
    comment = own == "comment"
    ap_id = need(view, f"{own}.ap_id", str, url)
    title = one_line(optional(view, "post.name", str)) or None
    numbers = optional(view, "counts", dict) or optional(view, own, dict) or {}
    number = identifier(view, f"{own}.id", url)
    body = need(view, "comment.content", str, url) if comment else _body(view)
    return Post(
        source=f"{PLATFORM}/{host(answer.url) or host(ap_id) or 'unknown'}",
        platform=PLATFORM,
        native_id=f"{own}/{number}",
        text=body,
        kind=Kind.COMMENT if comment else Kind.TOPIC,
        author=_author(view, url),
        published_at=_moment(view, own, ("published", "published_at"), url),
        title=None if comment else title,
        url=absolute(ap_id, ""),
        uri=ap_id,
        parent=_parent(view) if comment else None,
        thread=_thread(view),
        thread_title=title,
        engagement=counts(
            score=numbers.get("score"),
            upvotes=numbers.get("upvotes"),
            comments=numbers.get("child_count" if comment else "comments"),
        ),
        edited_at=_edited(view, own, url),
        quoted=_quoted(body),
    )


def _body(view: Mapping[str, Any]) -> str:
    return plain(optional(view, "post.body", str))


def _quoted(text: str) -> tuple[str, ...]:
    """Passages behind `>`, as Markdown quotes."""
    found = re.findall(r"(?:^>[^\n]*\n?)+", text, re.MULTILINE)
    cleaned = (re.sub(r"^> ?", "", passage, flags=re.MULTILINE).strip() for passage in found)
    return tuple(passage for passage in cleaned if passage)


def _author(view: Mapping[str, Any], url: str) -> str:
    """`name@server`, by the server where the account lives."""
    name = one_line(need(view, "creator.name", str, url))
    home = host(optional(view, "creator.actor_id", str) or optional(view, "creator.ap_id", str))
    return f"{name}@{home}" if home else name


def _moment(view: Mapping[str, Any], own: str, names: tuple[str, ...], url: str) -> datetime:
    for name in names:
        written = optional(view, f"{own}.{name}", str)
        if written:
            return moment(written, f"{own}.{name}", url)
    raise SourceError(f"field {own}.{names[0]} is missing", url=url)


def _edited(view: Mapping[str, Any], own: str, url: str) -> datetime | None:
    for name in ("updated", "updated_at"):
        written = optional(view, f"{own}.{name}", str)
        if written:
            return moment(written, f"{own}.{name}", url)
    return None


def _thread(view: Mapping[str, Any]) -> str | None:
    number = optional(view, "post.id", int) or optional(view, "comment.post_id", int)
    return f"post/{number}" if number is not None else None


def _parent(view: Mapping[str, Any]) -> str | None:
    """`path` is 0, then the comments above, then the comment itself."""
    above = (optional(view, "comment.path", str) or "").split(".")[1:-1]
    return f"comment/{plain(above[-1])}" if above else _thread(view)


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, data: Mapping[str, Any], got: int) -> tuple[Request, ...]:
    """By the cursor that the answer gives, else by number while pages are full."""
    asked = answer.request
    if asked is None or not got:
        return ()
    cursor = optional(data, "next_page", str)
    if cursor:
        params = {name: value for name, value in asked.params.items() if name != "page"}
        if cursor == params.get("page_cursor"):
            return ()
        return (replace(asked, params={**params, "page_cursor": cursor}, only_while_new=True),)
    fullest = max(len(value) for value in data.values() if isinstance(value, list))
    if "page" not in asked.params or fullest < int(asked.params.get("limit", "10")):
        return ()
    page = str(int(asked.params["page"]) + 1)
    return (replace(asked, params={**asked.params, "page": page}, only_while_new=True),)
