"""Hacker News: search beyond its thousand hits, items of both APIs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors import hackernews
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State

SAMPLES = Path(__file__).parents[1] / "samples" / "hackernews"
FOUND = json.loads((SAMPLES / "search.json").read_text("utf-8"))
URL = "https://hn.algolia.com/api/v1/search_by_date"


def _asked(since: datetime | None = None) -> Request:
    (asked,) = hackernews.requests(hackernews.Settings(search=("calls",)), State(since=since))
    return asked


def _parse(data: Any, request: Request | None = None) -> Page:
    return hackernews.parse(Answer(URL, json.dumps(data).encode(), request=request))


def test_a_later_run_asks_from_the_last_one_on() -> None:
    since = datetime(2026, 11, 20, 9, tzinfo=UTC)

    assert _asked(since).params["numericFilters"] == "created_at_i>1795165200"


def test_pages_follow_and_beyond_the_last_the_search_goes_on_from_the_oldest() -> None:
    asked = _asked()

    assert _parse({**FOUND, "nbPages": 10, "nbHits": 5000}, asked).next[0].params["page"] == "1"
    (older,) = _parse({**FOUND, "nbPages": 1, "nbHits": 5000}, asked).next
    assert older.params["numericFilters"] == "created_at_i<1795078801"
    assert _parse(FOUND, asked).next == ()


def test_deleted_items_are_passed_on_and_an_item_that_never_was_is_nothing() -> None:
    assert _parse({"id": 5, "type": "comment", "deleted": True}).deleted == (
        "hackernews/news.ycombinator.com:5",
    )
    assert _parse(None).posts == ()


@pytest.mark.parametrize("field", ["objectID", "author", "created_at_i"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    row = {name: value for name, value in FOUND["hits"][0].items() if name != field}

    with pytest.raises(SourceError, match=field):
        _parse({"hits": [row], "nbHits": 1})


def test_a_search_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="search"):
        hackernews.Settings(search=())
