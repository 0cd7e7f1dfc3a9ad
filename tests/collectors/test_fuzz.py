"""No parser crashes, hangs or guesses, whatever bytes come: it gives a page or says SourceError."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.table import recognise, sources
from raccroche.errors import SourceError
from raccroche.post import Answer, Page

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parents[1] / "samples"
PLATFORMS = sorted(sources())
SLOWEST = 5.0  # seconds for one small answer

SEEDS = {
    platform: [
        path.read_bytes()
        for path in sorted((SAMPLES / platform).glob("*"))
        if not path.name.endswith((".expected.json", ".meta.json"))
    ]
    for platform in PLATFORMS
}
WORDS = (b"null", b"-1", b'""', b"[]", b"{}", b"true", b"1e999", b"\\ud800", b"<", b"&#0;")
JSON_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


def _parse(platform: str, body: bytes, status: int = 200) -> Page | None:
    start = time.perf_counter()
    answer = Answer("https://site.example/x", body, status=status, fetched_at=NOW)
    try:
        page = sources()[platform].parse(answer)
    except SourceError:
        page = None
    assert time.perf_counter() - start < SLOWEST
    for post in page.posts if page else ():
        post.text.encode()
        assert post.native_id
    return page


@pytest.mark.parametrize("platform", PLATFORMS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.binary(max_size=400), status=st.sampled_from([200, 400, 401, 403, 404, 500]))
def test_arbitrary_bytes_never_crash_a_parser(platform: str, body: bytes, status: int) -> None:
    _parse(platform, body, status)
    recognise(Answer("https://site.example/x", body, fetched_at=NOW))


@pytest.mark.parametrize("platform", PLATFORMS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_mutated_answers_never_crash_a_parser(platform: str, seed: int) -> None:
    if not SEEDS[platform]:
        pytest.skip(f"no sample of {platform} to mutate")
    chance = random.Random(seed)

    _parse(platform, _mutated(chance.choice(SEEDS[platform]), chance))


def _mutated(body: bytes, chance: random.Random) -> bytes:
    """*body* with a few pieces cut, doubled, moved or overwritten."""
    data = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 60)
        piece = bytes(data[at : at + length])
        kind = chance.randrange(5)
        if kind == 0:
            del data[at : at + length]
        elif kind == 1:
            data[at:at] = piece * chance.randint(1, 3)
        elif kind == 2:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            words = (
                b"null",
                b"-1",
                b'""',
                b"[]",
                b"{}",
                b"true",
                b"1e999",
                b"\\ud800",
                b"<",
                b"&#0;",
            )
            data[at : at + length] = chance.choice(words)
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 30_000,
        b"[" * 30_000,
        b'{"a":' * 5_000,
        b"<li id='comment-1'>" * 5_000,
        b"<?xml version='1.0'?><rss><channel>" + b"<item>" * 5_000,
        b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 1000 + b'">]><rss>&b;&b;&b;</rss>',
        b"\xff\xfe" + b"\x00<" * 5_000,
    ],
    ids=[
        "deep html",
        "deep list",
        "deep object",
        "deep comments",
        "deep feed",
        "entities",
        "utf-16",
    ],
)
def test_hostile_answers_cost_little(platform: str, body: bytes) -> None:
    _parse(platform, body)


@settings(max_examples=40, deadline=None)
@given(
    data=st.recursive(
        JSON_LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
        max_leaves=12,
    )
)
def test_any_json_is_a_page_or_a_source_error(data: object) -> None:
    import json

    body = json.dumps(data).encode()
    for platform in PLATFORMS:
        _parse(platform, body)
