"""Every answer in tests/samples gives the posts written beside it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.table import recognise, sources
from raccroche.post import Answer, Page, iso

SAMPLES = Path(__file__).parents[1] / "samples"
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
ANSWERS = sorted(
    path
    for path in SAMPLES.glob("*/*")
    if path.parent.name in sources() and not path.name.endswith((".expected.json", ".meta.json"))
)


def _answer(path: Path) -> Answer:
    """The answer, with the address and status that `.meta.json` gives beside it, if any."""
    meta_file = path.with_suffix(".meta.json")
    meta = json.loads(meta_file.read_text("utf-8")) if meta_file.exists() else {}
    return Answer(
        meta.get("url", "https://site.example/page"),
        path.read_bytes(),
        status=meta.get("status", 200),
        headers=meta.get("headers", {}),
        fetched_at=NOW,
    )


def _as_json(page: Page) -> dict[str, Any]:
    posts = [
        {**post.to_dict(), **({"quoted": list(post.quoted)} if post.quoted else {})}
        | ({"day_only": True} if post.day_only else {})
        | ({"edited_at": iso(post.edited_at)} if post.edited_at else {})
        for post in page.posts
    ]
    told = {
        "declared": page.declared,
        "verdict": str(page.verdict) if page.verdict else None,
        "next": [request.url for request in page.next],
        "threads": [thread.native_id for thread in page.threads],
        "deleted": list(page.deleted),
    }
    return {"posts": posts, **{name: value for name, value in told.items() if value}}


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_saved_answer_becomes_the_posts_beside_it(path: Path) -> None:
    page = sources()[path.parent.name].parse(_answer(path))

    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    assert _as_json(page) == expected


@pytest.mark.parametrize("path", ANSWERS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_saved_answer_is_recognised_as_its_platform(path: Path) -> None:
    source = recognise(_answer(path))

    assert source is not None
    assert path.parent.name == source.PLATFORM


def test_each_platform_says_what_it_needs_and_under_which_terms() -> None:
    for name, source in sources().items():
        assert name == source.PLATFORM
        assert source.TITLE
        assert source.LEGAL
