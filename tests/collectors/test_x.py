"""X: how its search is asked, and what its refusals mean."""

import json
from typing import Any

import pytest

from collectors import x
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

URL = "https://api.x.com/2/tweets/search/recent"
SETTINGS = x.Settings(search=("mobiloux",), token="secret", lang="fr")


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    return x.parse(Answer(URL, json.dumps(data).encode(), status=status, request=request))


def _asked(newest: str | None = None) -> Request:
    state = State(cursor={"search:mobiloux": newest} if newest else {})
    return next(iter(x.requests(SETTINGS, state)))


def test_the_token_travels_in_a_header_only() -> None:
    assert x.headers(SETTINGS) == {"Authorization": "Bearer secret"}
    assert "secret" not in repr(_asked())


def test_a_later_run_asks_for_what_is_newer_than_the_newest() -> None:
    assert "since_id" not in _asked().params
    assert _asked(newest="18").params["since_id"] == "18"
    assert _asked().params["query"] == "mobiloux -is:retweet lang:fr"


def test_the_first_page_sets_the_cursor_and_leads_on() -> None:
    data = {
        "data": [{"id": "9", "text": "a"}],
        "meta": {"newest_id": "9", "result_count": 1, "next_token": "t"},
    }

    first = _parse(data, _asked())
    second = _parse(data | {"meta": {"newest_id": "7", "result_count": 1}}, first.next[0])

    assert first.cursor == {"search:mobiloux": "9"}
    assert first.next[0].params["next_token"] == "t"
    assert second.cursor == {}
    assert second.next == ()


def test_nothing_found_is_a_page_without_posts() -> None:
    assert _parse({"meta": {"result_count": 0}}).posts == ()


def test_a_last_run_of_too_long_ago_asks_again_without_it_and_says_so() -> None:
    error = {
        "errors": [{"message": "'since_id' must be a tweet id created after [2026-11-17T00:00Z]"}],
        "title": "Invalid Request",
    }

    page = _parse(error, _asked(newest="1"), status=400)

    assert "since_id" not in page.next[0].params
    assert "lost" in (page.note or "")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(401, Verdict.LOGIN_WALL), (403, Verdict.LOGIN_WALL), (429, Verdict.RATE_LIMITED)],
)
def test_a_refusal_is_a_verdict(status: int, verdict: Verdict) -> None:
    assert _parse({"title": "No", "detail": "no"}, status=status).verdict == verdict


def test_a_spent_allowance_of_posts_is_rate_limited() -> None:
    error = {"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap"}

    assert _parse(error, status=403).verdict == Verdict.RATE_LIMITED


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(SourceError, match="text"):
        _parse({"data": [{"id": "1"}]})


@pytest.mark.parametrize(
    "settings",
    [
        {"search": ["x"]},
        {"search": [], "token": "t"},
        {"search": ["x"], "token": "t", "page_size": 5},
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="token|search|page_size"):
        x.Settings(**settings)
