"""Google Play: off by default; JSON in JSON is read, and its rate limit is heard."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors import googleplay
from raccroche.errors import SourceError
from raccroche.post import Answer, State

PAGE = (Path(__file__).parents[1] / "samples" / "googleplay" / "page.txt").read_bytes()


def _body(inner: Any, rpc: str = "oCPfdb") -> bytes:
    return (")]}'\n\n" + json.dumps([["wrb.fr", rpc, json.dumps(inner)]])).encode()


def test_it_is_off_unless_a_right_is_stated() -> None:
    with pytest.raises(ValueError, match="right"):
        googleplay.Settings(apps=("com.shop.example",))


def test_pages_follow_by_token_and_differ_so_that_none_is_taken_for_another() -> None:
    settings = googleplay.Settings(apps=("com.shop.example",), right="our own app")
    (asked,) = googleplay.requests(settings, State())

    (second,) = googleplay.parse(Answer(asked.url, PAGE, request=asked)).next

    assert "TOKEN2" in str(second.form)
    assert second.params != asked.params
    assert second.only_while_new


def test_the_older_call_is_read_too_and_no_reviews_are_no_reviews() -> None:
    assert len(googleplay.parse(Answer("x", PAGE.replace(b"oCPfdb", b"UsvDTd"))).posts) == 2
    assert googleplay.parse(Answer("x", _body([[], None]))).posts == ()


@pytest.mark.parametrize(
    ("row", "named"),
    [([None], "id"), (["a", None, None], "score"), (["a", None, 3, "", "x", None], "time")],
)
def test_a_field_that_is_missing_is_named(row: list[Any], named: str) -> None:
    with pytest.raises(SourceError, match=named):
        googleplay.parse(Answer("x", _body([[row]])))


@pytest.mark.parametrize("body", [b"<html>", b")]}'\n\n[]", _body([], "other")])
def test_an_answer_to_something_else_is_told(body: bytes) -> None:
    with pytest.raises(SourceError, match="no answer"):
        googleplay.parse(Answer("x", body))


@pytest.mark.parametrize(
    "settings", [{"apps": []}, {"apps": ["shop"]}, {"apps": ["a.b"], "country": "1"}]
)
def test_a_wrong_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="apps|country"):
        googleplay.Settings(**settings, right="ours")
