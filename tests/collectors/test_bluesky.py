"""Bluesky: how it is asked, page after page, and what its answers mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors import bluesky
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

URL = "https://bsky.social/xrpc/app.bsky.feed.searchPosts"
SETTINGS = bluesky.Settings(search=("mobiloux",), handle="@moi.example", app_password="secret")


def _post(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "uri": f"at://did:plc:a/app.bsky.feed.post/{number}",
        "author": {"did": "did:plc:a", "handle": "lectrice.example"},
        "record": {"text": "Mobiloux", "createdAt": "2026-11-20T09:00:00Z"},
        "indexedAt": "2026-11-20T09:00:01Z",
        **changes,
    }


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    return bluesky.parse(Answer(URL, json.dumps(data).encode(), status=status, request=request))


def test_a_search_logs_in_first_and_the_login_is_not_kept() -> None:
    login, search = bluesky.requests(SETTINGS, State())

    assert login.transient
    assert login.json == {"identifier": "moi.example", "password": "secret"}
    assert search.params == {"q": "mobiloux", "sort": "latest", "limit": "100"}
    assert "secret" not in repr(search)


def test_a_login_gives_the_headers_of_the_rest_of_the_run() -> None:
    page = _parse({"accessJwt": "jwt", "refreshJwt": "r", "did": "did:plc:a"})

    assert page.session == {"Authorization": "Bearer jwt"}


def test_a_later_run_asks_from_the_last_one_on() -> None:
    since = datetime(2026, 11, 20, tzinfo=UTC)

    search = list(bluesky.requests(SETTINGS, State(since=since)))[-1]

    assert search.params["since"] == "2026-11-20T00:00:00Z"


def test_a_page_leads_to_the_next_by_its_cursor() -> None:
    search = list(bluesky.requests(SETTINGS, State()))[-1]

    page = _parse({"posts": [_post(1)], "cursor": "100"}, search)

    assert [request.params["cursor"] for request in page.next] == ["100"]
    assert page.next[0].only_while_new


def test_the_end_of_the_index_is_passed_by_asking_for_older_posts() -> None:
    search = list(bluesky.requests(SETTINGS, State()))[-1]
    deep = replace(search, params={**search.params, "cursor": "9900"})

    (older,) = _parse({"posts": [_post(1), _post(2)]}, deep).next

    assert older.params["until"] == "2026-11-20T09:00:01Z"
    assert "cursor" not in older.params


def test_a_search_that_ends_early_is_at_its_end() -> None:
    search = list(bluesky.requests(SETTINGS, State()))[-1]

    assert _parse({"posts": [_post(1)]}, search).next == ()


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "hier"]
)
def test_an_impossible_date_gives_way_to_that_of_the_index(date: str) -> None:
    row = _post(1, record={"text": "x", "createdAt": date})

    (post,) = _parse({"posts": [row]}).posts

    assert post.published_at == datetime(2026, 11, 20, 9, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "error", ["AuthMissing", "InvalidToken", "ExpiredToken", "AuthenticationRequired"]
)
@pytest.mark.parametrize("status", [400, 401])
def test_a_token_that_is_missing_or_wrong_is_a_login_wall_with_a_hint(
    error: str, status: int
) -> None:
    page = _parse({"error": error, "message": "no"}, status=status)

    assert page.verdict == Verdict.LOGIN_WALL
    assert "app password" in (page.note or "")


def test_a_page_of_refusal_is_a_login_wall_too() -> None:
    page = bluesky.parse(Answer(URL, b"<html>Forbidden</html>", status=403))

    assert page.verdict == Verdict.LOGIN_WALL


def test_another_error_of_the_server_is_told() -> None:
    with pytest.raises(SourceError, match="InvalidRequest: limit"):
        _parse({"error": "InvalidRequest", "message": "limit must be <= 100"}, status=400)


@pytest.mark.parametrize("field", ["uri", "record", "author"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    row = _post(1)
    del row[field]

    with pytest.raises(SourceError, match=field):
        _parse({"posts": [row]})


def test_records_of_a_repository_and_second_version_threads_are_posts() -> None:
    record = {
        "uri": "at://did:plc:a/app.bsky.feed.post/9",
        "value": {
            "$type": "app.bsky.feed.post",
            "text": "brut",
            "createdAt": "2026-11-20T09:00:00Z",
        },
    }
    item = {
        "uri": "at://did:plc:a/app.bsky.feed.post/1",
        "depth": 0,
        "value": {"$type": "app.bsky.unspecced.defs#threadItemPost", "post": _post(1)},
    }
    lost = {
        "uri": "at://did:plc:a/app.bsky.feed.post/2",
        "depth": 1,
        "value": {"$type": "app.bsky.unspecced.defs#threadItemNotFound"},
    }

    assert _parse({"records": [record]}).posts[0].text == "brut"
    thread = _parse({"thread": [item, lost]})
    assert len(thread.posts) == 1
    assert thread.deleted == ("bluesky/bsky.app:at://did:plc:a/app.bsky.feed.post/2",)


def test_a_thread_that_is_gone_names_the_post_to_delete() -> None:
    uri = "at://did:plc:a/app.bsky.feed.post/1"
    (asked,) = bluesky.requests(bluesky.Settings(threads=(uri,)), State())
    answer = Answer(
        "https://public.api.bsky.app/xrpc/app.bsky.feed.getPostThread",
        b'{"error":"NotFound","message":"Post not found"}',
        status=400,
        request=asked,
    )

    assert bluesky.parse(answer).deleted == (f"bluesky/bsky.app:{uri}",)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "search"),
        ({"search": ["x"]}, "app_password"),
        ({"threads": ["https://bsky.app/x"]}, "threads"),
        ({"accounts": ["a.example"], "page_size": 101}, "page_size"),
        ({"accounts": ["a.example"], "service": "no address"}, "service"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        bluesky.Settings(**settings)
