"""PeerTube: from a search to videos, from a video to its comments and their answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors import peertube
from raccroche.errors import SourceError
from raccroche.post import Answer, State, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "peertube"
VIDEO = "https://videos.example/w/abcdefgh1234"


def _body(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_videos_found_are_asked_for_comments_where_they_live() -> None:
    settings = peertube.Settings(search=("démarchage",))
    (search,) = peertube.requests(settings, State())

    (below,) = peertube.parse(Answer(search.url, _body("videos.json"), request=search)).next

    assert search.url == "https://sepiasearch.org/api/v1/search/videos"
    assert below.url.startswith("https://videos.example/api/v1/videos/")
    assert below.context["title"] == "Le démarchage"


def test_threads_with_answers_are_read_whole() -> None:
    (asked,) = peertube.requests(peertube.Settings(videos=(VIDEO,)), State())
    page = peertube.parse(Answer(asked.url, _body("comments.json"), request=asked))
    thread = peertube.parse(Answer(page.next[0].url, _body("thread.json"), request=page.next[0]))

    assert page.next[0].url == f"{asked.url}/12"
    assert [post.parent for post in thread.posts] == [None, "12"]
    assert {post.thread for post in (*page.posts, *thread.posts)} == {VIDEO}
    assert thread.next == ()


def test_full_pages_lead_on() -> None:
    (asked,) = peertube.requests(peertube.Settings(videos=(VIDEO,)), State())
    row = json.loads(_body("comments.json"))["data"][0]
    full = {"total": 300, "data": [{**row, "id": n, "totalReplies": 0} for n in range(100)]}

    (following,) = peertube.parse(Answer(asked.url, json.dumps(full).encode(), request=asked)).next

    assert following.params["start"] == "100"


def test_comments_closed_to_the_public_are_a_login_wall() -> None:
    answer = Answer(VIDEO, b'{"detail":"Token is invalid","status":401}', status=401)

    assert peertube.parse(answer).verdict == Verdict.LOGIN_WALL


@pytest.mark.parametrize("field", ["id", "text", "createdAt"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    row = json.loads(_body("comments.json"))["data"][0]
    del row[field]

    with pytest.raises(SourceError, match=field):
        peertube.parse(Answer(VIDEO, json.dumps({"data": [row]}).encode()))


@pytest.mark.parametrize("settings", [{}, {"videos": ("https://videos.example/about",)}])
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="videos|search"):
        peertube.Settings(**settings)
