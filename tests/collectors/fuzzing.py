"""What the fuzzers share: samples to start from, ways to break them, and what must hold after."""

import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors.table import sources
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Post, Request

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parents[1] / "samples"
PLATFORMS = sorted(sources())
SLOWEST = 5.0  # CPU seconds for one small answer, on a busy machine
GROWTH = 100  # a broken answer may be so many times as large as the sample
LARGEST = 2**63  # the whole numbers a database takes are below
PHASES = (
    "", "answers", "article", "articles", "back", "catch_up", "comments", "feed", "hit", "html",
    "list", "login", "page", "question", "questions", "replies", "rest", "search", "tail", "videos",
)  # fmt: skip
CONTEXTS: tuple[dict[str, str], ...] = (
    {"app": "12", "country": "fr", "page": "1", "form": "0"},
    {"site": "https://site.example", "collected": "1", "articles": "1"},
    {"until": "2020-01-01T00:00:00Z", "since": "2020-01-01T00:00:00Z", "tag": "fibre"},
    {"thread": "12", "title": "Titre", "context_brand": "Zoubidoo", "direction": "older"},
)
ASKED = {"page": "2", "offset": "0", "limit": "20", "start": "0", "count": "20", "number": "20"}


@dataclass(frozen=True, slots=True)
class Seed:
    """A sample of a platform, with the address and the status it came with."""

    name: str
    url: str
    status: int
    body: bytes


def _seeds(platform: str) -> list[Seed]:
    files = sorted((SAMPLES / platform).glob("*"))
    return [_seed(p) for p in files if not p.name.endswith((".expected.json", ".meta.json"))]


def _seed(path: Path) -> Seed:
    meta_file = path.with_suffix(".meta.json")
    meta = json.loads(meta_file.read_text("utf-8")) if meta_file.exists() else {}
    url = meta.get("url", "https://site.example/page")
    return Seed(path.name, url, meta.get("status", 200), path.read_bytes())


SEEDS: dict[str, list[Seed]] = {platform: _seeds(platform) for platform in PLATFORMS}


# What must hold --------------------------------------------------------------------------------


def parse(platform: str, answer: Answer) -> Page | None:
    """The page, checked; None for a `SourceError`. Another error, or a slow answer, is a fault."""
    start = time.process_time()
    try:
        page: Page | None = sources()[platform].parse(answer)
    except SourceError as error:
        str(error).encode()
        page = None
    spent = time.process_time() - start
    assert spent < SLOWEST, f"{platform}: {spent:.1f} s for {len(answer.body)} bytes"
    if page is not None:
        check(page)
    return page


def check(page: Page) -> None:
    """A page that the store takes: sound texts, numbers in range, requests that can be kept."""
    for post in page.posts:
        _check_post(post)
    for request in page.next:
        _check_request(request)
    assert page.declared is None or 0 <= page.declared < LARGEST, page.declared
    for thread in page.threads:
        _check_texts(thread.native_id, thread.title, thread.url)
    _check_texts(page.note, *page.deleted, *page.cursor.values(), *page.session.values())
    assert all(math.isfinite(value) for _, _, value, _ in page.series)


def _check_post(post: Post) -> None:
    assert post.native_id
    _check_texts(
        post.source, post.native_id, post.text, post.author, post.title, post.url, post.uri,
        post.parent, post.thread, post.thread_title, post.language, *post.quoted,
    )  # fmt: skip
    assert post.rating is None or math.isfinite(post.rating), post.rating
    assert all(type(n) is int and abs(n) < LARGEST for n in post.engagement.values())
    json.dumps(post.to_dict(), allow_nan=False)


def _check_request(request: Request) -> None:
    pairs = {**request.params, **request.context, **request.headers, **(request.form or {})}
    assert all(isinstance(value, str) for value in pairs.values())
    _check_texts(request.url, request.phase, *pairs, *pairs.values())
    json.dumps(request.json)


def _check_texts(*texts: str | None) -> None:
    for text in texts:
        if text is not None:
            assert isinstance(text, str), text
            text.encode()  # no lone surrogate


# Ways to break a sample ------------------------------------------------------------------------


def broken(platform: str, chance: random.Random) -> Answer:
    """A sample of *platform*, broken in a few places and asked in some phase."""
    seed = chance.choice(SEEDS[platform])
    body = seed.body
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        body = chance.choice(_WAYS)(body, chance)
        body = body[: len(seed.body) * GROWTH]
    return answer_of(body, chance, url=seed.url, status=seed.status)


def answer_of(
    body: bytes, chance: random.Random, *, url: str = "https://site.example/x", status: int = 200
) -> Answer:
    """*body* as the answer to some request of some phase, mostly to none."""
    if chance.random() < 0.1:
        status = chance.choice((200, 400, 401, 403, 404, 410, 422, 429, 500))
    request = None
    if chance.random() < 0.5:
        request = Request(
            url,
            params=chance.choice(({}, {"page": "1"}, ASKED)),
            context=CONTEXTS[0] | chance.choice(CONTEXTS),
            phase=chance.choice(PHASES),
        )
    headers = chance.choice(
        ({}, {"content-type": "text/html; charset=utf-16"}, {"x-wp-total": "9" * 30}, {"link": "<"})
    )
    return Answer(url, body, status=status, headers=headers, request=request, fetched_at=NOW)


def _flip(body: bytes, chance: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(chance.randint(1, 20)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _drop(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + body[at + chance.randint(1, 200) :]


def _double(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    piece = body[at : at + chance.randint(1, 400)]
    return body[:at] + piece * chance.choice((2, 3, 50)) + body[at:]


_WORDS = (
    b"null", b"-1", b'""', b"[]", b"{}", b"true", b"1e999", b"NaN", b"\\ud800", b"\\u0000", b"\0",
    b"<", b"&#0;", b"&#xD800;", b"9" * 30, b"9" * 5000, b"-9223372036854775809", b"0000-00-00",
    b"9999-12-31T23:59:59+00:00", b"]]>", b"<!--", b"http://[", b"//", b"javascript:", b"?page=x",
    "\u202e\u00a0٣".encode(), b"\xff\xfe", b"</div></div>", b"<table><tr>", b"<template>",
)  # fmt: skip


def _insert(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(_WORDS) + body[at + chance.choice((0, 0, 3, 30)) :]


def _number(body: bytes, chance: random.Random) -> bytes:
    """One number of the answer becomes another one, or none at all."""
    places = [i for i, byte in enumerate(body) if 48 <= byte <= 57]
    if not places:
        return body
    at = end = chance.choice(places)
    while end < len(body) and 48 <= body[end] <= 57:
        end += 1
    new = chance.choice((b"0", b"-1", b"9" * 20, b"9" * 400, b"1e400", b"0.5", b"", b"x", b"01"))
    return body[:at] + new + body[end:]


def _nest(body: bytes, chance: random.Random) -> bytes:
    """A deep nest of one thing somewhere in the answer."""
    opening = chance.choice((b"<div>", b"<blockquote>", b"<li>", b"[", b'{"a":', b"<b>", b"<item>"))
    at = chance.randrange(len(body) + 1)
    return body[:at] + opening * chance.choice((50, 2_000)) + body[at:]


def _json(body: bytes, chance: random.Random) -> bytes:
    """One value of a JSON answer becomes something else, or is gone; a sound document is left."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return _attribute(body, chance)
    places = list(_places(data)) if isinstance(data, (dict, list)) else []
    if not places:
        return json.dumps(_strange(chance)).encode()
    holder, key = chance.choice(places)
    if chance.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    elif chance.random() < 0.1:
        holder[key] = [holder[key]] * 3
    else:
        holder[key] = _strange(chance)
    return json.dumps(data, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")


_STRANGE = (
    "null", "true", "0", "-1", "9" * 30, "1e308", "Infinity", "NaN", '""', '"\\u0000"',
    '"a\\u0000b"', '"\\ud800"', f'"{"x" * 5_000}"', "[]", "{}", "[[]]", '{"id": {}}', "[null]",
    '"http://[::1"', '"0000-00-00T00:00:00"', '"9999-12-31T23:59:59-12:00"',
    '"0001-01-01T00:00:00+14:00"', f'"{"9" * 30}"', f'"{"<p>" * 500}"', "253402300800",
    "-62135596801", '{"$type": 1}',
)  # fmt: skip


def _strange(chance: random.Random) -> Any:
    return json.loads(chance.choice(_STRANGE))


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) of a JSON document."""
    todo = [data]
    while todo:
        holder = todo.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                todo.append(holder[key])


def _attribute(body: bytes, chance: random.Random) -> bytes:
    """What one pair of quotes, or of tags, holds becomes something else."""
    mark, end = chance.choice(((b'"', b'"'), (b">", b"<"), (b"='", b"'")))
    places = [i for i in range(len(body)) if body.startswith(mark, i)]
    if not places:
        return body
    at = chance.choice(places) + len(mark)
    stop = body.find(end, at)
    return body[:at] + chance.choice(_WORDS) + body[max(stop, at) :]


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _cut, _drop, _double, _insert, _insert, _number, _number, _nest, _json, _json, _json,
    _attribute, _attribute,
)  # fmt: skip
