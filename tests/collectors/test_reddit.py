"""Reddit: how it is asked with an approved key, and what its stubs and refusals mean."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors import reddit
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def _settings(**changes: Any) -> reddit.Settings:
    known = {"client_id": "id", "client_secret": "secret", "subreddits": ("r/exemple",)}
    return reddit.Settings(**{**known, **changes})


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    body = json.dumps(data).encode()
    return reddit.parse(
        Answer(
            "https://oauth.reddit.com/r/exemple/new",
            body,
            status=status,
            request=request,
            fetched_at=NOW,
        )
    )


def _link(number: str, created: datetime, comments: int = 2) -> dict[str, Any]:
    data = {
        "id": number,
        "name": f"t3_{number}",
        "title": "T",
        "selftext": "x",
        "author": "a",
        "created_utc": created.timestamp(),
        "num_comments": comments,
    }
    return {"kind": "t3", "data": data}


def _listing(*children: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(children), "after": after}}


def test_without_an_approved_key_the_settings_say_why() -> None:
    with pytest.raises(ValueError, match="approval"):
        _settings(client_id=None)


def test_the_login_comes_first_and_its_secret_is_in_no_request() -> None:
    login, new, comments = reddit.requests(_settings(), State())

    assert login.transient
    assert login.form == {"grant_type": "client_credentials"}
    assert "secret" not in repr([login, new, comments])
    assert new.url == "https://oauth.reddit.com/r/exemple/new"
    assert reddit.headers(_settings())["Authorization"] == "Basic aWQ6c2VjcmV0"
    assert set(reddit.hosts(_settings())) == {"www.reddit.com", "oauth.reddit.com"}


def test_the_token_takes_the_place_of_the_secret() -> None:
    page = _parse({"access_token": "t", "token_type": "bearer", "expires_in": 86400})

    assert page.session == {"Authorization": "Bearer t"}


def test_a_search_is_within_each_subreddit() -> None:
    asked = list(reddit.requests(_settings(search=("mobiloux",)), State()))

    assert [r.url for r in asked[1:]] == ["https://oauth.reddit.com/r/exemple/search"]
    assert asked[1].params["restrict_sr"] == "1"


def test_comments_of_posts_are_asked_and_of_old_ones_only_while_anything_is_new() -> None:
    _, new, _ = reddit.requests(_settings(), State())
    fresh, old = (
        _link("a1", datetime(2026, 11, 20, tzinfo=UTC)),
        _link("b2", datetime(2026, 1, 1, tzinfo=UTC)),
    )
    silent = _link("c3", datetime(2026, 11, 20, tzinfo=UTC), comments=0)

    page = _parse(_listing(fresh, old, silent, after="t3_c3"), new)

    assert [(r.url[-2:], r.only_while_new) for r in page.next[:-1]] == [("a1", False), ("b2", True)]
    assert page.next[-1].params["after"] == "t3_c3"


def test_a_hundred_stubs_are_asked_for_at_a_time() -> None:
    stub = {
        "kind": "more",
        "data": {"id": "x", "parent_id": "t3_a1", "children": [f"c{n}" for n in range(150)]},
    }

    page = _parse([_listing(_link("a1", NOW)), _listing(stub)])

    assert [len(r.params["children"].split(",")) for r in page.next] == [100, 50]


@pytest.mark.parametrize(
    ("status", "data", "verdict"),
    [
        (401, {"message": "Unauthorized", "error": 401}, Verdict.LOGIN_WALL),
        (403, {"reason": "private", "message": "Forbidden", "error": 403}, Verdict.LOGIN_WALL),
        (403, {"message": "Forbidden", "error": 403}, Verdict.BLOCKED),
        (404, {"message": "Not Found", "error": 404}, Verdict.UNREACHABLE),
        (429, {"message": "Too Many Requests", "error": 429}, Verdict.RATE_LIMITED),
    ],
)
def test_a_refusal_is_a_verdict(status: int, data: dict[str, Any], verdict: Verdict) -> None:
    assert _parse(data, status=status).verdict == verdict


def test_a_page_of_html_where_json_should_be_is_a_block() -> None:
    answer = Answer("https://www.reddit.com/r/x.json", b"<html>blocked</html>", status=403)

    assert reddit.parse(answer).verdict == Verdict.BLOCKED


@pytest.mark.parametrize("field", ["title", "created_utc"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    link = _link("a1", NOW)
    del link["data"][field]

    with pytest.raises(SourceError, match=field):
        _parse(_listing(link))


@pytest.mark.parametrize(
    "settings", [{"subreddits": ("a b",)}, {"subreddits": ()}, {"page_size": 101}]
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="subreddits|page_size"):
        _settings(**settings)
