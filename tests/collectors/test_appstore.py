"""App Store: both forms of address are tried, pages end where the feed says."""

import json
from typing import Any

import pytest

from collectors import appstore
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State


def _feed(*entries: dict[str, Any], last: int = 3) -> dict[str, Any]:
    link = {
        "attributes": {
            "rel": "last",
            "href": f"https://itunes.apple.com/fr/rss/customerreviews/page={last}/id=123456789/xml",
        }
    }
    return {"feed": {"entry": list(entries), "link": [link]}}


def _entry(**changes: Any) -> dict[str, Any]:
    values = {"id": "1", "title": "T", "content": "C", "im:rating": "4", **changes}
    return {name: {"label": value} for name, value in values.items()}


def _parse(data: Any, request: Request | None = None) -> Page:
    url = request.url if request else "https://itunes.apple.com/x"
    return appstore.parse(Answer(url, json.dumps(data).encode(), request=request))


def _asked() -> Request:
    (asked,) = appstore.requests(appstore.Settings(apps=("id123456789",)), State())
    return asked


def test_zero_reviews_are_believed_only_after_every_form_of_address() -> None:
    first = _asked()
    second = _parse(_feed(), first).next[0]
    third = _parse(_feed(), second).next[0]

    assert len({first.url, second.url, third.url}) == 3
    assert _parse(_feed(), third).next == ()


def test_pages_follow_up_to_the_last_and_only_while_new() -> None:
    second = _parse(_feed(_entry()), _asked()).next[0]
    third = _parse(_feed(_entry()), second).next[0]

    assert "/page=2/" in second.url
    assert second.only_while_new
    assert _parse(_feed(_entry()), third).next == ()
    assert _parse(_feed(), second).next == ()


def test_a_review_without_a_date_is_kept_undated() -> None:
    (post,) = _parse(_feed(_entry())).posts

    assert post.published_at is None
    assert post.rating == 4


@pytest.mark.parametrize("field", ["id", "title", "content"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    entry = _entry()
    del entry[field]

    with pytest.raises(SourceError, match=field):
        _parse(_feed(entry))


def test_reviews_that_lost_their_rating_are_told_not_skipped() -> None:
    entry = _entry()
    del entry["im:rating"]

    with pytest.raises(SourceError, match="im:rating"):
        _parse(_feed(entry))


def test_a_feed_of_something_else_is_told() -> None:
    with pytest.raises(SourceError, match="feed"):
        appstore.parse(Answer("https://x.example", b"<html><body>Not found</body></html>"))


@pytest.mark.parametrize(
    "settings", [{"apps": []}, {"apps": ["abc"]}, {"apps": ["123456789"], "country": "france"}]
)
def test_a_wrong_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="apps|country"):
        appstore.Settings(**settings)
