"""Trustpilot: off by default, twins counted once, the eleventh page is a login."""

from pathlib import Path
from typing import Any

import pytest

from collectors import trustpilot
from raccroche.errors import SourceError
from raccroche.post import Answer, State, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "trustpilot"
URL = "https://www.trustpilot.com/review/mobiloux.example"


def test_it_is_off_unless_a_right_is_stated() -> None:
    with pytest.raises(ValueError, match="right"):
        trustpilot.Settings(units=("mobiloux.example",))


def test_a_key_asks_the_api_and_travels_in_a_header() -> None:
    settings = trustpilot.Settings(units=("1",), right="our own key", api_key="secret")
    (asked,) = trustpilot.requests(settings, State())

    assert asked.url == "https://api.trustpilot.com/v1/business-units/1/reviews"
    assert "secret" not in repr(asked)
    page = trustpilot.parse(Answer(asked.url, (SAMPLES / "api.json").read_bytes(), request=asked))
    assert page.next[0].params["page"] == "2"


def test_the_page_and_its_description_hold_the_same_reviews() -> None:
    both = trustpilot.parse(Answer(URL, (SAMPLES / "page.html").read_bytes()))
    described = trustpilot.parse(Answer(URL, (SAMPLES / "described.html").read_bytes()))

    assert [post.id for post in both.posts] == [post.id for post in described.posts]
    assert [post.text for post in both.posts] == [post.text for post in described.posts]


def test_an_invalid_key_is_a_login_wall() -> None:
    answer = Answer(
        "https://api.trustpilot.com/v1/x", b'{"fault":{"faultstring":"Invalid ApiKey"}}', status=401
    )

    assert trustpilot.parse(answer).verdict == Verdict.LOGIN_WALL


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"<title>Just a moment...</title>", Verdict.BLOCKED),
        (b"<title>Verification Required</title>", Verdict.BLOCKED),
    ],
)
def test_a_challenge_is_a_block(body: bytes, verdict: Verdict) -> None:
    assert trustpilot.parse(Answer(URL, body)).verdict == verdict


@pytest.mark.parametrize(
    ("props", "named"),
    [
        ('{"filters":{}}', "reviews"),
        (
            '{"reviews":[{"id":"1","text":"x","dates":{"publishedDate":"2026-11-20T09:00:00Z"}}]}',
            "rating",
        ),
        ('{"__N_REDIRECT":"/elsewhere"}', "elsewhere"),
    ],
)
def test_a_changed_page_is_told(props: str, named: str) -> None:
    body = f'<script id="__NEXT_DATA__">{{"props":{{"pageProps":{props}}}}}</script>'

    with pytest.raises(SourceError, match=named):
        trustpilot.parse(Answer(URL, body.encode()))


@pytest.mark.parametrize("settings", [{"units": []}, {"units": ["a/b"]}])
def test_a_wrong_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="units"):
        trustpilot.Settings(**settings, right="ours")
