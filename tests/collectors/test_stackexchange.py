"""Stack Exchange: questions, then what is below them; the API's wishes are obeyed."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors import stackexchange
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "stackexchange"
FOUND = json.loads((SAMPLES / "questions.json").read_text("utf-8"))


def _asked() -> Request:
    settings = stackexchange.Settings(site="expatriates", search=("calls",))
    (asked,) = stackexchange.requests(settings, State())
    return asked


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    url = "https://api.stackexchange.com/2.3/search/advanced"
    return stackexchange.parse(
        Answer(url, json.dumps(data).encode(), status=status, request=request)
    )


def test_questions_lead_to_their_comments_their_answers_and_the_next_page() -> None:
    page = _parse({**FOUND, "has_more": True}, _asked())

    ends = [r.url.partition("2.3/")[2] for r in page.next]
    assert ends == ["questions/70001/comments", "questions/70001/answers", "search/advanced"]
    assert page.next[-1].params["page"] == "2"


def test_a_comment_knows_whether_it_is_below_a_question_or_an_answer() -> None:
    comments = _parse(FOUND, _asked()).next[0]

    page = _parse(json.loads((SAMPLES / "comments.json").read_text("utf-8")), comments)

    assert page.posts[0].parent == "question/70001"
    assert page.posts[0].url == "https://expatriates.stackexchange.com/posts/comments/90001"


def test_an_answer_has_its_question_as_parent() -> None:
    row = {"answer_id": 5, "question_id": 70001, "body": "<p>x</p>", "creation_date": 1795078800}

    (post,) = _parse({"items": [row]}).posts

    assert (post.native_id, post.parent, post.thread) == (
        "answer/5",
        "question/70001",
        "question/70001",
    )


def test_a_wish_to_be_left_alone_ends_the_run_and_keeps_the_rest_for_the_next() -> None:
    page = _parse({**FOUND, "backoff": 10, "has_more": True}, _asked())

    assert page.verdict == Verdict.RATE_LIMITED
    assert len(page.posts) == 1
    assert page.next


def test_throttling_and_a_wrong_key_are_verdicts() -> None:
    throttled = {"error_id": 502, "error_name": "throttle_violation", "error_message": "x"}
    refused = {"error_id": 403, "error_name": "access_denied", "error_message": "x"}

    assert _parse(throttled, status=400).verdict == Verdict.RATE_LIMITED
    assert _parse(refused, status=403).verdict == Verdict.LOGIN_WALL


@pytest.mark.parametrize("field", ["body", "creation_date", "question_id"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    row = {name: value for name, value in FOUND["items"][0].items() if name != field}

    with pytest.raises(SourceError, match=field):
        _parse({"items": [row]})


@pytest.mark.parametrize(
    "settings", [{"site": ""}, {"site": "x"}, {"site": "x", "tags": ["a"], "page_size": 0}]
)
def test_a_wrong_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="site|search|page_size"):
        stackexchange.Settings(**settings)
