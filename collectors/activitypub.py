"""
What an account or a community of the fediverse published: its ActivityPub outbox.

Protocol: https://www.w3.org/TR/activitypub/#outbox , https://www.w3.org/TR/activitystreams-core/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from collectors.fields import identifier, moment, optional
from collectors.html import absolute, host, one_line, plain, text_of
from collectors.settings import several, web_address
from collectors.walls import wall
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Page, Post, Request, State, Verdict

PLATFORM = "activitypub"
TITLE = "ActivityPub outboxes"
NEEDS = "nothing, unless the server wants signed requests"
LEGAL = "Public activities by the open protocol of the fediverse; deletions are followed."

_ACCEPT = (
    "application/activity+json, "
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
)
_HEADERS = {"Accept": _ACCEPT}
_STATUSES = "401,403"


@dataclass(frozen=True, slots=True)
class Settings:
    """*actors*: addresses of accounts, communities, or outboxes."""

    actors: tuple[str, ...]
    context_brand: str | None = None

    def __post_init__(self) -> None:
        actors = tuple(web_address(one, "actors") for one in several(self.actors, "actors"))
        object.__setattr__(self, "actors", actors)


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Each actor; its document names the outbox, and that its pages, newest first."""
    context = {"accept_status": _STATUSES}
    if settings.context_brand:
        context["context_brand"] = settings.context_brand
    for url in settings.actors:
        yield Request(url, headers=_HEADERS, context=context)


def parse(answer: Answer) -> Page:
    """The posts of an outbox, a page of one, a single activity or object; an actor leads on."""
    if answer.status in (401, 403):
        return Page(
            verdict=Verdict.LOGIN_WALL,
            note=f"HTTP {answer.status}: the server answers signed requests only",
        )
    if answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        blocked = wall(answer)
        if blocked is not None:
            return blocked
    data = answer.json()
    if not isinstance(data, Mapping):
        raise SourceError("activitypub: expected an object", url=answer.url)
    kinds = _types(data)
    if kinds & _ACTORS and "outbox" in data:
        return Page(next=_follow(data["outbox"], answer))
    found = _Found()
    if kinds & _COLLECTIONS:
        return _collection(data, answer, found)
    _read(data, answer, found)
    if not (found.posts or found.gone or kinds & (_OBJECTS | _CARRIERS | _OTHERS)):
        raise SourceError("field type is missing or unknown", url=answer.url)
    return _page(found)


_CONTEXT = re.compile(rb'"https://www\.w3\.org/ns/activitystreams')


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{"):
        return 0
    if re.search(rb'"type"\s*:\s*"(?:Ordered)?Collection(?:Page)?"', answer.body):
        return 92
    if not _CONTEXT.search(answer.body):
        return 60 if "activity+json" in answer.headers.get("content-type", "") else 0
    return 75 if re.search(rb'"type"\s*:\s*"[A-Z]', answer.body) else 0


# Types -----------------------------------------------------------------------------------------

_COLLECTIONS = frozenset(
    ("OrderedCollection", "OrderedCollectionPage", "Collection", "CollectionPage")
)
_ACTORS = frozenset(("Person", "Group", "Service", "Application", "Organization"))
_CARRIERS = frozenset(("Create", "Announce", "Update", "Add"))
_OTHERS = frozenset(("Delete", "Undo", "Like", "Dislike", "Remove", "Follow", "Accept", "Lock"))
_OBJECTS = frozenset(
    ["Note", "Page", "Article", "Question", "Video", "Event", "Audio", "Image", "Document"]
)
_KINDS = {"Page": Kind.TOPIC, "Article": Kind.ARTICLE, "Video": Kind.ARTICLE}
_PUBLIC = frozenset(("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"))


def _types(data: Any) -> set[str]:
    value = data.get("type") if isinstance(data, Mapping) else None
    return {one for one in _many(value) if isinstance(one, str)}


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


# Shapes ----------------------------------------------------------------------------------------


class _Found:
    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self.gone: dict[str, None] = {}
        self.elsewhere = 0  # posts that are only named


def _collection(data: Mapping[str, Any], answer: Answer, found: _Found) -> Page:
    items = data.get("orderedItems", data.get("items"))
    first = data.get("first")
    following: tuple[Request, ...] = _follow(data.get("next"), answer)
    if items is None and isinstance(first, Mapping):
        items = first.get("orderedItems", first.get("items"))
        following = _follow(first.get("next"), answer)
    elif items is None and first is not None:
        following = _follow(first, answer)
    elif items is None and "totalItems" not in data:
        raise SourceError("field orderedItems is missing", url=answer.url)
    for item in _many(items):
        _read(item, answer, found)
    page = _page(found)
    return Page(
        posts=page.posts,
        deleted=page.deleted,
        note=page.note,
        next=following,
        declared=_total(data, found),
    )


def _total(data: Mapping[str, Any], found: _Found) -> int | None:
    """Lists of people, and of posts kept elsewhere, declare nothing that we could read."""
    total = optional(data, "totalItems", int)
    readable = found.posts or found.gone or not data.get("orderedItems", data.get("items"))
    place = str(data.get("id") or "")
    people = re.search(r"/(?:followers|following|moderators)\b", place)
    return total if total is not None and total >= 0 and readable and not people else None


def _page(found: _Found) -> Page:
    gone = tuple(f"{PLATFORM}/{host(name)}:{name}" for name in found.gone)
    note = f"{found.elsewhere} posts of other servers are only named" if found.elsewhere else None
    return Page(posts=tuple(found.posts.values()), deleted=gone, note=note)


def _read(item: Any, answer: Answer, found: _Found) -> None:
    """One activity, whatever it wraps (a community announces what members created), or object."""
    around: list[Any] = []
    for _ in range(5):
        kinds = _types(item)
        if kinds & _OBJECTS:
            if _is_public(item, around):
                post = _post(item, kinds, answer)
                found.posts[post.native_id] = post
            return
        if "Tombstone" in kinds or "Delete" in kinds:
            _note_gone(item, answer, found)
            return
        if not kinds & _CARRIERS:
            return  # an actor, a like, an address
        around.append(item)
        item = item.get("object")
        if isinstance(item, str):
            found.elsewhere += 1
            return


def _note_gone(item: Mapping[str, Any], answer: Answer, found: _Found) -> None:
    """What a server says is gone, of its own: none may take back what another one holds."""
    target = item.get("object") if "Delete" in _types(item) else item
    name = target.get("id") if isinstance(target, Mapping) else target
    if isinstance(name, str) and host(name) and host(answer.url) in ("", host(name)):
        found.posts.pop(plain(name), None)
        found.gone[plain(name)] = None


def _is_public(item: Mapping[str, Any], around: list[Any]) -> bool:
    """Addressed to the public, by itself or by what wraps it; what names nobody is public."""
    named: list[Any] = []
    for holder in (item, *around):
        named += _many(holder.get("to")) + _many(holder.get("cc"))
    return not named or any(isinstance(one, str) and one in _PUBLIC for one in named)


# Posts -----------------------------------------------------------------------------------------


def _post(item: Mapping[str, Any], kinds: set[str], answer: Answer) -> Post:
    url = answer.url
    name = identifier(item, "id", url)
    text = text_of(_content(item))
    title = one_line(optional(item, "name", str) or optional(item, "summary", str))
    published = _moment(item, "published", url)
    changed = _moment(item, "updated", url)
    parent = item.get("inReplyTo")
    kind = next((_KINDS[one] for one in sorted(kinds) if one in _KINDS), Kind.POST)
    if isinstance(parent, Mapping):
        parent = parent.get("id")
    return Post(
        source=f"{PLATFORM}/{host(name) or 'unknown'}",
        platform=PLATFORM,
        native_id=name,
        text=text.text,
        kind=kind,
        author=_author(item),
        published_at=published,
        title=title or None,
        url=_link(item.get("url")) or absolute(name, ""),
        uri=name,
        parent=plain(parent) if isinstance(parent, str) and parent else None,
        thread=_thread(item),
        language=_language(item),
        edited_at=changed if changed and published and changed > published else None,
        context_brand=answer.context.get("context_brand"),
        quoted=text.quoted,
    )


def _content(item: Mapping[str, Any]) -> str:
    content = optional(item, "content", str)
    if content is not None:
        return content
    by_language = optional(item, "contentMap", dict) or {}
    return next((text for text in by_language.values() if isinstance(text, str)), "")


def _moment(item: Mapping[str, Any], name: str, url: str) -> datetime | None:
    written = optional(item, name, str)
    return moment(written, name, url) if written else None


def _author(item: Mapping[str, Any]) -> str | None:
    """`name@server`, from the address of the first who wrote it."""
    for one in _many(item.get("attributedTo") or item.get("actor")):
        place = one.get("id") if isinstance(one, Mapping) else one
        if not isinstance(place, str) or not host(place):
            continue
        parts = [part for part in urlsplit(place).path.split("/") if part]
        given = optional(one, "preferredUsername", str) if isinstance(one, Mapping) else None
        name = one_line(given or (parts[-1] if parts else "")).lstrip("@")
        return f"{name}@{host(place)}" if name else host(place)
    return None


def _link(value: Any) -> str | None:
    """The page for people: an address, a link object, or the HTML one among several."""
    links = _many(value)
    for link in sorted(links, key=_is_page, reverse=True):
        href = link.get("href") if isinstance(link, Mapping) else link
        if isinstance(href, str) and absolute(href, ""):
            return absolute(href, "")
    return None


def _is_page(link: Any) -> bool:
    return isinstance(link, Mapping) and link.get("mediaType") == "text/html"


def _thread(item: Mapping[str, Any]) -> str | None:
    found = optional(item, "context", str) or optional(item, "conversation", str)
    return plain(found) if found else None


def _language(item: Mapping[str, Any]) -> str | None:
    """Lemmy says it in `language`, Mastodon by the key of `contentMap`."""
    named = optional(item, "language.identifier", str)
    by_language = list(optional(item, "contentMap", dict) or {})
    return named or (str(by_language[0]) if len(by_language) == 1 else None)


# Paging ----------------------------------------------------------------------------------------


def _follow(place: Any, answer: Answer) -> tuple[Request, ...]:
    address = place.get("id") if isinstance(place, Mapping) else place
    url = absolute(address, answer.url) if isinstance(address, str) else None
    if url is None or url == answer.url:
        return ()
    context = answer.context or {"accept_status": _STATUSES}
    deeper = bool(re.search(r"[?&/](?:page|max_id|cursor|offset)\b", url))
    return (Request(url, headers=_HEADERS, context=context, only_while_new=deeper),)
