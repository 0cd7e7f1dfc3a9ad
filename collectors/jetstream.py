"""
Bluesky's stream of new posts (Jetstream), of which only those that name a brand are kept, or those
with the wanted words.

Interface: https://github.com/bluesky-social/jetstream ; one JSON event a line of the answer.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from collectors.bluesky import SOURCE, from_record
from collectors.contract import ONLY_BRANDS
from collectors.fields import identifier, moment, need, optional
from collectors.settings import several, whole, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request, State, iso

PLATFORM = "jetstream"
TITLE = "Bluesky, as a stream (Jetstream)"
NEEDS = ""
LEGAL = "Public posts by the network's own stream; its deletions are followed."

_COLLECTION = "app.bsky.feed.post"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *words*: a post is kept when it has one of them (whole words, whatever the case and accents);
    without any, when it names a brand of the table. *seconds*: how long a run listens. *lang*: only
    posts so tagged. *url*: of the stream.
    """

    words: tuple[str, ...] = ()
    seconds: int = 60
    lang: str | None = None
    url: str = "wss://jetstream.us-east.bsky.network/xrpc/network.bsky.jetstream.subscribeEvents"

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", several(self.words, "words", least=0))
        whole(self.seconds, "seconds", low=1, high=3_600)
        if self.lang is not None:
            words(self.lang, "lang")
        if urlsplit(words(self.url, "url")).scheme not in ("ws", "wss"):
            raise ValueError(f"url: {self.url!r} is no address of a stream (wss://...)")


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """
    The stream from where the last run stopped (the server keeps a day or more), else from now on.
    """
    old = settings.url.rstrip("/").endswith("/subscribe")  # version 1
    params = {"wantedCollections" if old else "collections": _COLLECTION}
    if not old:
        params["kinds"] = "commit"
    if state.cursor.get("jetstream"):
        params["cursor"] = state.cursor["jetstream"]
    context = {"seconds": str(settings.seconds)}
    if settings.words:
        context["words"] = json.dumps(settings.words)
    else:
        context[ONLY_BRANDS] = "yes"
    if settings.lang:
        context["lang"] = settings.lang
    yield Request(settings.url, params=params, context=context)


def parse(answer: Answer) -> Page:
    """
    The posts of the events that have a wanted word (all, where brands are to be looked for), and
    the ids of all that were deleted.

    A post written and deleted within the answer is only deleted. Anybody may write a record that is
    no post: it is left out, unless none of them is one.
    """
    posts: dict[str, Post] = {}
    gone: dict[str, None] = {}
    newest, written, broken = 0, 0, None
    wanted = _wanted(answer.context)
    for event in _events(answer):
        newest = max(newest, _place(event, answer))
        if event.get("kind") != "commit":
            continue
        uri, operation = _commit(event, answer)
        if optional(event, "commit.collection", str) != _COLLECTION:
            continue
        if operation == "delete":
            posts.pop(uri, None)
            gone[uri] = None
        elif operation in ("create", "update"):
            try:
                post = _post(event, uri, operation, answer)
            except SourceError as error:
                broken = error
                continue
            written += 1
            gone.pop(uri, None)
            if wanted(post):
                posts[uri] = post
    if broken and not written:
        raise broken
    kept = tuple(posts.values())
    return Page(
        posts=kept,
        deleted=tuple(f"{SOURCE}:{uri}" for uri in gone),
        cursor={"jetstream": str(newest)} if newest else {},
        next=_next(answer, newest),
    )


_EVENT = re.compile(
    rb'\{[^\n]{0,3000}?(?:"kind"\s*:\s*"(?:commit|identity|account)"'
    rb'|"\$type"\s*:\s*"network\.bsky\.jetstream\.)'
)


def recognises(answer: Answer) -> int:
    start = answer.body[:4000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not _EVENT.match(start) or b'"did"' not in start:
        return 0
    return 95


# Events ----------------------------------------------------------------------------------------


def _events(answer: Answer) -> Iterator[Mapping[str, Any]]:
    """One event a line; a last line cut short by the end of the reading is left out."""
    lines = [line for line in answer.body.split(b"\n") if line.strip()]
    if not lines and not answer.headers.get("x-stream-end"):
        raise SourceError("jetstream: no event in the answer", url=answer.url)
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines) and number > 1:
                return
            raise SourceError(f"jetstream: line {number} is no JSON", url=answer.url) from error
        if not isinstance(event, Mapping):
            raise SourceError(f"jetstream: line {number} is no object", url=answer.url)
        yield _unwrapped(event, answer)


def _unwrapped(event: Mapping[str, Any], answer: Answer) -> Mapping[str, Any]:
    """
    One form for both versions: `kind`, `did`, `commit`.

    Version 2 wraps `{"$type": "message", "payload": {"$type": "...#commit", "seq": ...}}` and has
    no `commit` within.
    """
    if event.get("$type") == "error" or "error" in event:
        said = optional(event, "payload.error", str) or event.get("error")
        raise SourceError(f"jetstream: the server says {str(said)[:100]}", url=answer.url)
    inner = event.get("payload")
    if not isinstance(inner, Mapping):
        return event
    kind = str(inner.get("$type") or "").rpartition("#")[2]
    return {**inner, "kind": kind, **({"commit": inner} if kind == "commit" else {})}


def _place(event: Mapping[str, Any], answer: Answer) -> int:
    """The number to go on from: `seq`, in version 1 the time in microseconds."""
    if event.get("kind") == "info":
        return 0  # a notice of the server, without a number
    return need(event, "time_us" if "time_us" in event else "seq", int, answer.url)


def _commit(event: Mapping[str, Any], answer: Answer) -> tuple[str, str]:
    """The URI that the event is about, and what was done to it."""
    did = identifier(event, "did", answer.url)
    rkey = identifier(event, "commit.rkey", answer.url)
    operation = need(event, "commit.operation", str, answer.url)
    return f"at://{did}/{optional(event, 'commit.collection', str)}/{rkey}", operation


def _post(event: Mapping[str, Any], uri: str, operation: str, answer: Answer) -> Post:
    record = need(event, "commit.record", dict, answer.url)
    arrived = _arrival(event, answer)
    post = from_record(record, uri, iso(arrived), answer.url)
    return replace(post, edited_at=arrived) if operation == "update" else post


def _arrival(event: Mapping[str, Any], answer: Answer) -> datetime:
    micros = optional(event, "time_us", int)
    written = optional(event, "time", str)
    if written:
        return moment(written, "time", answer.url)
    try:
        return datetime.fromtimestamp(micros / 1e6, UTC) if micros else answer.fetched_at
    except (ValueError, OverflowError, OSError):
        return answer.fetched_at


def _next(answer: Answer, newest: int) -> tuple[Request, ...]:
    """Reading that stopped for its size goes on; the cursor is inclusive, one post comes twice."""
    if answer.request is None or answer.headers.get("x-stream-end") not in ("bytes", "messages"):
        return ()
    if answer.request.params.get("cursor") == str(newest):
        return ()
    params = {**answer.request.params, "cursor": str(newest)}
    return (replace(answer.request, params=params),)


# Words -----------------------------------------------------------------------------------------


def _wanted(context: Mapping[str, str]) -> Callable[[Post], bool]:
    """Whether a post has a wanted word and the wanted language; all have where none is named."""
    pattern = _pattern(context.get("words", "[]"))
    lang = context.get("lang")

    def wanted(post: Post) -> bool:
        if lang and post.language and post.language.split("-")[0] != lang:
            return False
        return pattern is None or bool(pattern.search(_folded(post.text)))

    return wanted


@lru_cache(maxsize=64)
def _pattern(words_json: str) -> re.Pattern[str] | None:
    named = [_folded(word) for word in json.loads(words_json)]
    if not named:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, named)) + r")(?!\w)")


def _folded(text: str) -> str:
    """Lower case without accents."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("\u2019", "'"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
