"""YouTube: how comments are asked, and what the API's errors mean."""

import json
from typing import Any

import pytest

from collectors import youtube
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

URL = "https://www.googleapis.com/youtube/v3/commentThreads"


def _settings(**changes: Any) -> youtube.Settings:
    return youtube.Settings(**{"api_key": "secret", "videos": ("abcdefghijk",), **changes})


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    return youtube.parse(Answer(URL, json.dumps(data).encode(), status=status, request=request))


def test_the_key_travels_in_a_header_only() -> None:
    (asked,) = youtube.requests(_settings(), State())

    assert youtube.headers(_settings()) == {"X-Goog-Api-Key": "secret"}
    assert "secret" not in repr(asked)
    assert asked.params["videoId"] == "abcdefghijk"


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/watch?v=abcdefghijk&t=3",
        "https://youtu.be/abcdefghijk?si=1",
        "https://www.youtube.com/shorts/abcdefghijk",
    ],
)
def test_a_video_may_be_given_by_its_address(address: str) -> None:
    assert _settings(videos=(address,)).videos == ("abcdefghijk",)


def test_pages_follow_by_token_and_end() -> None:
    (asked,) = youtube.requests(_settings(), State())
    data = {"kind": "youtube#commentThreadListResponse", "items": []}

    assert _parse(data | {"nextPageToken": "p"}, asked).next[0].params["pageToken"] == "p"
    assert _parse(data, asked).next == ()


def test_a_search_asks_for_the_comments_of_each_video_found() -> None:
    (asked,) = youtube.requests(_settings(videos=(), search=("mobiloux",)), State())
    found = {
        "kind": "youtube#searchListResponse",
        "items": [{"id": {"videoId": "abcdefghijk"}, "snippet": {"title": "T"}}],
    }

    (below,) = _parse(found, asked).next

    assert below.params["videoId"] == "abcdefghijk"
    assert below.context["title"] == "T"


@pytest.mark.parametrize(
    ("reason", "code", "verdict"),
    [
        ("quotaExceeded", 403, Verdict.RATE_LIMITED),
        ("commentsDisabled", 403, None),
        ("videoNotFound", 404, None),
        ("forbidden", 403, Verdict.LOGIN_WALL),
        ("badRequest", 400, Verdict.LOGIN_WALL),
    ],
)
def test_an_error_says_whether_it_is_the_key_the_quota_or_the_video(
    reason: str, code: int, verdict: Verdict | None
) -> None:
    error = {
        "error": {
            "code": code,
            "message": "API key not valid." if code == 400 else "no",
            "errors": [{"reason": reason}],
        }
    }

    page = _parse(error, status=code)

    assert page.verdict == verdict
    assert reason in (page.note or "")


@pytest.mark.parametrize("field", ["publishedAt", "textDisplay"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    snippet = {"publishedAt": "2026-11-20T09:00:00Z", "textDisplay": "x"}
    del snippet[field]
    item = {"kind": "youtube#comment", "id": "UgA", "snippet": snippet}

    with pytest.raises(SourceError, match=field):
        _parse({"kind": "youtube#commentListResponse", "items": [item]})


def test_a_list_of_something_else_is_told() -> None:
    with pytest.raises(SourceError, match="no comments"):
        _parse(
            {
                "kind": "youtube#playlistListResponse",
                "items": [{"kind": "youtube#playlist", "id": "P"}],
            }
        )


@pytest.mark.parametrize(
    "settings", [{"api_key": None}, {"videos": ()}, {"videos": ("x",)}, {"page_size": 0}]
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="api_key|videos|page_size"):
        _settings(**settings)
