"""
Public posts under hashtags, or found by search, from a server that speaks the Mastodon API
(Mastodon, GoToSocial, Pleroma).

API: https://docs.joinmastodon.org/methods/timelines/#tag ,
https://docs.joinmastodon.org/methods/search/#v2
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from collectors.fields import counts, identifier, moment, need, optional, rows
from collectors.html import absolute, host, one_line, text_of
from collectors.settings import several, web_address, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request, State, Verdict

PLATFORM = "mastodon"
TITLE = "Mastodon"
NEEDS = (
    "nothing where the server shows hashtags to the public; else, and for search, an access "
    "token with the scope "
    "read:statuses (Preferences > Development > New application)"
)
LEGAL = "Public posts by the server's documented API, within its rate limits; edits are followed."

_HINT = "get a token at Preferences > Development > New application (scope read) and set token"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *instance*: address of the server. *tags*: hashtags, each on its own timeline. *search*: words
    to search for, which
    needs a *token*. *local*: only posts written on this server.
    """

    instance: str
    tags: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    token: str | None = None
    local: bool = False
    page_size: int = 40

    def __post_init__(self) -> None:
        object.__setattr__(self, "instance", web_address(self.instance, "instance"))
        tags = tuple(tag.lstrip("#") for tag in several(self.tags, "tags", least=0))
        for tag in tags:
            if not re.fullmatch(r"[\w·・]+", tag):
                raise ValueError(f"tags: {tag!r} is no hashtag (letters, digits and _ only)")
        object.__setattr__(self, "tags", tags)
        object.__setattr__(self, "search", several(self.search, "search", least=0))
        if self.token is not None:
            words(self.token, "token")
        if not self.tags and not self.search:
            raise ValueError("tags: name at least one hashtag, or words to search for")
        if self.search and not self.token:
            raise ValueError(f"token: search needs one; {_HINT}")
        whole(self.page_size, "page_size", low=1, high=40)


def headers(settings: Settings) -> Mapping[str, str]:
    """The secret headers of this source."""
    return {"Authorization": f"Bearer {settings.token}"} if settings.token else {}


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """
    A timeline for each tag: what came after the cursor, oldest first; without a cursor backwards
    from the newest. The
    latest pages are read again too, for posts that reached the server late.
    """
    for tag in settings.tags:
        yield from _timeline(settings, state, tag)
    for phrase in settings.search:
        params = {"q": phrase, "type": "statuses", "limit": str(settings.page_size)}
        newest = state.cursor.get(f"search:{phrase}")
        if newest:
            params["min_id"] = newest
        yield Request(
            f"{settings.instance}/api/v2/search",
            params=params,
            context={"key": f"search:{phrase}", "accept_status": "401,403,422"},
            phase="search",
        )


def _timeline(settings: Settings, state: State, tag: str) -> Iterator[Request]:
    base = {"limit": str(settings.page_size)} | ({"local": "true"} if settings.local else {})
    newest = state.cursor.get(f"tag:{tag}")
    url = f"{settings.instance}/api/v1/timelines/tag/{tag}"
    context = {"key": f"tag:{tag}", "accept_status": "401,403,422"}
    if newest:
        yield Request(url, params=base | {"min_id": newest}, context=context, phase="catch_up")
    yield Request(url, params=base, context=context, phase="back")


def parse(answer: Answer) -> Page:
    """The statuses of a timeline, a search, a thread or a single status."""
    data = answer.json()
    if isinstance(data, Mapping):
        if "error" in data:
            return _refusal(answer, data)
        data = _listed(data, answer)
    listed = rows(data, answer.url, "statuses")
    home = _home(answer, listed)
    posts = tuple(post for row in listed if (post := _post(row, answer, home)) is not None)
    return Page(posts=posts, next=_next(answer, listed), cursor=_cursor(answer, listed))


def recognises(answer: Answer) -> int:
    body = answer.body[:20_000]
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"{")):
        return 0
    if re.search(rb'"acct"\s*:', answer.body) and b'"created_at"' in answer.body:
        return 95 if re.search(rb'"(?:reblog|spoiler_text|visibility)"', answer.body) else 70
    if re.search(r"/api/v1/(?:timelines|statuses)/", answer.url):
        return 80
    return 60 if re.search(r"/api/v2/search\b", answer.url) and b'"statuses"' in body else 0


def _listed(data: Mapping[str, Any], answer: Answer) -> list[Any]:
    """The statuses of a search answer, a thread context, or one status alone."""
    if "statuses" in data:
        return need(data, "statuses", list, answer.url)
    if "descendants" in data:
        above = optional(data, "ancestors", list) or []
        return [*above, *need(data, "descendants", list, answer.url)]
    if "content" in data:
        return [data]
    raise SourceError("mastodon: neither statuses nor an error", url=answer.url)


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    said = one_line(str(data.get("error") or ""))[:200]
    if answer.status in (401, 403, 422) or re.search(
        r"token|authenticated|requires|authori[sz]ed|login", said, re.IGNORECASE
    ):
        return Page(
            verdict=Verdict.LOGIN_WALL,
            note=f"the server shows this timeline to members only ({said}): {_HINT}",
        )
    if answer.status == 429 or "too many" in said.lower() or "throttled" in said.lower():
        return Page(verdict=Verdict.RATE_LIMITED, note=f"the server says: {said}")
    raise SourceError(f"mastodon: the server answered {said}", url=answer.url)


# Statuses --------------------------------------------------------------------------------------


def _post(row: Any, answer: Answer, home: str) -> Post | None:
    """One status; a boost gives what it boosts; None for what is not public."""
    if not isinstance(row, Mapping):
        raise SourceError("mastodon: a status is no object", url=answer.url)
    boosted = row.get("reblog")
    if isinstance(boosted, Mapping):
        row = boosted
    if (optional(row, "visibility", str) or "public") not in ("public", "unlisted"):
        return None
    url = answer.url
    link = absolute(optional(row, "url", str), url) or absolute(optional(row, "uri", str), url)
    uri = need(row, "uri", str, url)
    text = text_of(need(row, "content", str, url))
    warning = one_line(optional(row, "spoiler_text", str))
    edited = optional(row, "edited_at", str)
    parent = row.get("in_reply_to_id")
    return Post(
        source=f"mastodon/{home or 'unknown'}",
        platform=PLATFORM,
        native_id=identifier(row, "id", url),
        text=text.text,
        author=_author(row, answer, home),
        published_at=moment(need(row, "created_at", str, url), "created_at", url),
        title=warning or None,
        url=link,
        uri=_global_id(uri),
        parent=str(parent) if isinstance(parent, (str, int)) and parent else None,
        engagement=counts(
            favourites=row.get("favourites_count"),
            boosts=row.get("reblogs_count"),
            replies=row.get("replies_count"),
        ),
        language=optional(row, "language", str),
        edited_at=moment(edited, "edited_at", url) if edited else None,
        quoted=text.quoted,
        reply_to=_answered(row, home),
    )


def _answered(row: Mapping[str, Any], home: str) -> str | None:
    """The account that is answered, which is among those that the post mentions."""
    account = optional(row, "in_reply_to_account_id", str)
    for mention in optional(row, "mentions", list) or []:
        if account and isinstance(mention, Mapping) and mention.get("id") == account:
            name = one_line(optional(mention, "acct", str))
            return _with_server(name, optional(mention, "url", str), home) if name else None
    return None


def _author(row: Mapping[str, Any], answer: Answer, home: str) -> str:
    account = one_line(need(row, "account.acct", str, answer.url))
    return _with_server(account, optional(row, "account.url", str), home)


def _with_server(account: str, url: str | None, home: str) -> str:
    """`name@server`: local accounts are given without their server by the API."""
    server = "" if "@" in account else host(url) or home
    return f"{account}@{server}" if server else account


def _home(answer: Answer, listed: list[Any]) -> str:
    """The server that answered; for a saved answer, that of the first account without a server."""
    if host(answer.url):
        return host(answer.url)
    for row in listed:
        account = optional(row, "account.acct", str)
        if account and "@" not in account:
            return host(optional(row, "account.url", str))
    return ""


_BRIDGED = re.compile(r"^https?://(?:[\w-]+\.)*brid\.gy/(?:convert|r)/(?:\w+/)?(at://.+)$")


def _global_id(uri: str) -> str:
    """The ActivityPub id; for a copy bridged from Bluesky the `at://` id of the original."""
    bridged = _BRIDGED.match(uri)
    return bridged.group(1) if bridged else uri


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, listed: list[Any]) -> tuple[Request, ...]:
    """
    Catching up goes on with `min_id`, going back with `max_id`: by the Link header, else by the
    ids of this page.
    """
    asked = answer.request
    if asked is None or not listed:
        return ()
    if asked.phase == "search":
        return _next_search(asked, listed)
    name, relation = ("min_id", "prev") if asked.phase == "catch_up" else ("max_id", "next")
    place = _from_link(answer, relation, name)
    if place is None and "link" in answer.headers:
        return ()
    ids = [identifier(row, "id", answer.url) for row in listed]
    place = place or (max(ids, key=_order) if name == "min_id" else min(ids, key=_order))
    if place == asked.params.get(name):
        return ()
    params = {k: v for k, v in asked.params.items() if k not in ("min_id", "max_id", "since_id")}
    return (replace(asked, params=params | {name: place}, only_while_new=asked.phase == "back"),)


def _next_search(asked: Request, listed: list[Any]) -> tuple[Request, ...]:
    """Search pages by offset for members; a short page is the last."""
    size = int(asked.params.get("limit", "20"))
    if len(listed) < size:
        return ()
    offset = int(asked.params.get("offset", "0")) + len(listed)
    return (replace(asked, params={**asked.params, "offset": str(offset)}, only_while_new=True),)


_LINK = re.compile(r'<([^<>]{1,2000})>\s*;[^,<]{0,100}?rel="?(\w+)"?')


def _from_link(answer: Answer, relation: str, name: str) -> str | None:
    for url, rel in _LINK.findall(answer.headers.get("link", "")):
        if rel == relation:
            return dict(parse_qsl(urlsplit(url).query)).get(name)
    return None


def _order(native_id: str) -> tuple[int, str]:
    """Snowflakes and ULIDs sort by length, then by their characters."""
    return (len(native_id), native_id)


def _cursor(answer: Answer, listed: list[Any]) -> Mapping[str, str]:
    """The newest id seen; kept from the first page back and from each page of catching up."""
    asked = answer.request
    if asked is None or not listed or "max_id" in asked.params or "offset" in asked.params:
        return {}
    key = asked.context.get("key")
    if not key:
        return {}
    ids = [identifier(row, "id", answer.url) for row in listed]
    return {key: max(ids, key=_order)}
