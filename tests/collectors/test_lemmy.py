"""Lemmy: search and lists, page by page, in both versions of its API."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors import lemmy
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "lemmy"
FOUND = json.loads((SAMPLES / "search.json").read_text("utf-8"))


def _settings(**changes: Any) -> lemmy.Settings:
    return lemmy.Settings(
        **{"instance": "https://lemmy.example", "search": ("mobiloux",), **changes}
    )


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    url = "https://lemmy.example/api/v3/search"
    return lemmy.parse(Answer(url, json.dumps(data).encode(), status=status, request=request))


def test_full_pages_lead_on_by_number_and_a_short_one_ends() -> None:
    (asked,) = lemmy.requests(_settings(page_size=2), State())
    (short,) = lemmy.requests(_settings(), State())

    assert _parse(FOUND, asked).next[0].params["page"] == "2"
    assert _parse(FOUND, short).next == ()


def test_version_four_is_asked_in_its_words_and_pages_by_cursor() -> None:
    (asked,) = lemmy.requests(_settings(api="v4"), State())

    page = _parse(json.loads((SAMPLES / "four.json").read_text("utf-8")), asked)

    assert asked.url == "https://lemmy.example/api/v4/search"
    assert asked.params["search_term"] == "mobiloux"
    assert page.next[0].params["page_cursor"] == "P7"


def test_a_community_gives_its_posts_and_its_comments() -> None:
    asked = list(
        lemmy.requests(_settings(search=(), communities=("!appels@autre.example",)), State())
    )

    assert [r.url.rpartition("v3/")[2] for r in asked] == ["post/list", "comment/list"]
    assert {r.params["community_name"] for r in asked} == {"appels@autre.example"}


def test_an_answer_to_a_post_has_the_post_as_parent() -> None:
    row = FOUND["comments"][0]
    top = {**row, "comment": {**row["comment"], "path": "0.34"}}

    assert _parse({"comments": [top]}).posts[0].parent == "post/7"


def test_a_private_instance_is_a_login_wall_and_too_many_requests_are_told() -> None:
    assert _parse({"error": "instance_is_private"}, status=400).verdict == Verdict.LOGIN_WALL
    assert _parse({"error": "rate_limit_error"}, status=400).verdict == Verdict.RATE_LIMITED


@pytest.mark.parametrize("field", ["content", "ap_id", "published"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    row = FOUND["comments"][0]
    broken = {**row, "comment": {k: v for k, v in row["comment"].items() if k != field}}

    with pytest.raises(SourceError, match=field):
        _parse({"comments": [broken]})


@pytest.mark.parametrize(
    "settings", [{"instance": ""}, {"search": ()}, {"api": "v5"}, {"page_size": 51}]
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="instance|search|api|page_size"):
        _settings(**settings)
