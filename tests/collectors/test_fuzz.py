"""No parser crashes, hangs or guesses, whatever bytes come: it gives a page or says SourceError."""

import json
import os
import random
import resource

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.table import recognise
from raccroche.post import Answer
from tests.collectors.fuzzing import NOW, PLATFORMS, SEEDS, broken, parse

# FUZZ_EXAMPLES=5000 makes a campaign of an hour of the half minute that these take
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
MOST_MEMORY = 400_000  # kB that one hostile answer may add to the process
often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JSON_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


def _answer(body: bytes, status: int = 200) -> Answer:
    return Answer("https://site.example/x", body, status=status, fetched_at=NOW)


@pytest.mark.parametrize("platform", PLATFORMS)
@often
@given(body=st.binary(max_size=400), status=st.sampled_from([200, 400, 401, 403, 404, 500]))
def test_arbitrary_bytes_never_crash_a_parser(platform: str, body: bytes, status: int) -> None:
    parse(platform, _answer(body, status))
    recognise(_answer(body))


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if SEEDS[name]])
@often
@given(seed=st.integers(0, 2**64))
def test_broken_samples_give_a_sound_page_or_a_source_error(platform: str, seed: int) -> None:
    """Flipped, cut, doubled and nested bytes; values of another type, huge numbers, NUL."""
    answer = broken(platform, random.Random(seed))

    parse(platform, answer)
    recognise(answer)


@pytest.mark.parametrize(
    ("platform", "body"),
    [
        ("discourse", b'{"post_stream": {"posts": [], "stream": [{}]}, "id": 1}'),
        ("discourse", b'{"latest_posts": [{"id": 1, "topic_id": [], "post_number": []}]}'),
        ("discourse", b'{"errors": ["\\ud800"], "error_type": "not_logged_in"}'),
        ("discourse", b'{"latest_posts": [{"id": "x"}]}'),
        ("isso", b"<?xml version='1.0' encoding='\xff'?><feed/>"),
        ("isso", b"<feed><entry><id>isso/1/2&#xD800;</id></entry>"),
        ("isso", b"<?xml version='1.0' encoding='a\0b'?><feed/>"),
        ("opendatasoft", b'{"facet_groups": [{"facets": [{"path": "2026", "count": 1%s}]}]}'),
        ("x", b'{"data": [{"id": "1", "text": "a", "public_metrics": {"like_count": 1%s}}]}'),
        ("youtube", b'{"error": {"code": 403, "errors": [{"reason": "\\ud800"}]}}'),
        ("appstore", b"<feed xmlns='http://www.w3.org/2005/Atom'><link href='\xed\xa0'/></feed>"),
        ("appstore", b"<feed xmlns='http://www.w3.org/2005/Atom'><link rel='&#xD800;'/></feed>"),
        ("wordpress", b"<rss><channel><title>&#55296;</title></channel></rss>"),
        ("wordpress", b'{"code": "rest_forbidden\\ud800", "message": ""}'),
        ("mediawiki", b'{"continue": {"c": "\\ud800"}, "query": {"pages": []}}'),
        ("peertube", b'{"total": -1, "data": []}'),
        ("telegram", b'<div class="tgme_channel_info_counter"><span>%sK</span></div>'),
    ],
)
def test_what_once_crashed_a_parser_is_a_page_or_a_source_error(platform: str, body: bytes) -> None:
    parse(platform, _answer(body.replace(b"%s", b"0" * 400)))


def test_only_the_platform_of_files_has_no_sample_to_break() -> None:
    assert [name for name in PLATFORMS if not SEEDS[name]] == ["files"]  # it reads no answers


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
        b'{"comments": [' + b'{"id": 1e999, "replies": [' * 2_000,
        b"<div " + b"a=b " * 50_000 + b">",
        b'<script type="application/ld+json">' + b"[" * 50_000,
        b"[" + b"{}," * 100_000 + b"{}]",
        b"&#x1F600;" * 50_000,
    ],
    ids=[
        "deep html",
        "deep list",
        "deep object",
        "deep comments",
        "deep feed",
        "entities",
        "utf-16",
        "deep comments in JSON",
        "many attributes",
        "deep linked data",
        "many objects",
        "many references",
    ],
)
def test_hostile_answers_cost_little(platform: str, body: bytes) -> None:
    """Time is bounded in `parse`; memory here, by the most that the process ever held."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    parse(platform, _answer(body))

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY


@settings(max_examples=max(40, EXAMPLES // 2), deadline=None)
@given(
    data=st.recursive(
        JSON_LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
        max_leaves=12,
    )
)
def test_any_json_is_a_page_or_a_source_error(data: object) -> None:
    body = json.dumps(data).encode()
    for platform in PLATFORMS:
        parse(platform, _answer(body))
