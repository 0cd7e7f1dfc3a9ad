"""How a Mastodon server is asked, forwards and backwards, and what its refusals mean."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.mastodon import Settings, headers, parse, requests
from raccroche.errors import SourceError
from raccroche.post import Answer, Request, State, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "mastodon"
SERVER = "https://pouet.example"
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
STATUSES: list[dict[str, Any]] = json.loads((SAMPLES / "tag.json").read_text("utf-8"))


def _answer(request: Request, data: Any, status: int = 200, **named: str) -> Answer:
    return Answer(request.url, json.dumps(data).encode(), status, named, request, NOW)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"instance": "pouet example", "tags": ["a"]}, "instance"),
        ({"instance": SERVER}, "tags"),
        ({"instance": SERVER, "tags": ["deux mots"]}, "tags"),
        ({"instance": SERVER, "tags": 3}, "tags"),
        ({"instance": SERVER, "search": ["orion"]}, "token"),
        ({"instance": SERVER, "tags": ["a"], "page_size": 41}, "page_size"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Settings(**settings)


def test_a_first_run_goes_back_from_the_newest() -> None:
    (request,) = requests(Settings(SERVER, ("#demarchage",)), State())
    page = parse(_answer(request, STATUSES))

    assert request.url == f"{SERVER}/api/v1/timelines/tag/demarchage"
    assert "min_id" not in request.params
    assert page.next[0].params["max_id"] == "112233445566760000"
    assert page.next[0].only_while_new
    assert page.cursor == {"tag:demarchage": "112233445566778899"}
    assert parse(_answer(page.next[0], STATUSES)).cursor == {}  # an old page moves no cursor


def test_a_later_run_catches_up_from_the_cursor_and_reads_the_newest_page_again() -> None:
    state = State(cursor={"tag:demarchage": "100"})
    forward, again = requests(Settings(SERVER, ("demarchage",), local=True), state)
    page = parse(_answer(forward, STATUSES))

    assert forward.params == {"limit": "40", "local": "true", "min_id": "100"}
    assert page.next[0].params["min_id"] == "112233445566778899"
    assert not page.next[0].only_while_new
    assert "min_id" not in again.params


def test_the_link_header_names_the_next_page() -> None:
    (request,) = requests(Settings(SERVER, ("demarchage",)), State())
    newer = f'<{SERVER}/x?min_id=9>; rel="prev"'
    link = f'<{SERVER}/api/v1/timelines/tag/demarchage?max_id=7>; rel="next", {newer}'

    assert parse(_answer(request, STATUSES, link=link)).next[0].params["max_id"] == "7"
    assert not parse(_answer(request, STATUSES, link=newer)).next
    assert not parse(_answer(request, [])).next


def test_bridged_copies_carry_the_id_of_the_original() -> None:
    posts = parse(Answer(SERVER, json.dumps(STATUSES).encode())).posts

    assert posts[1].uri == "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3labcdefghi2k"


def test_private_statuses_are_left_out() -> None:
    hidden = [STATUSES[0] | {"visibility": "private"}]

    assert parse(Answer(SERVER, json.dumps(hidden).encode())).posts == ()


@pytest.mark.parametrize(("status", "said"), [(401, "The access token is invalid"), (422, "x")])
def test_a_refusal_is_a_login_wall_that_says_where_tokens_come_from(status: int, said: str) -> None:
    (request,) = requests(Settings(SERVER, ("demarchage",)), State())
    page = parse(_answer(request, {"error": said}, status))

    assert page.verdict is Verdict.LOGIN_WALL
    assert "token" in (page.note or "")


def test_a_server_that_is_asked_too_often_says_so() -> None:
    (request,) = requests(Settings(SERVER, ("demarchage",)), State())

    page = parse(_answer(request, {"error": "Too many requests"}, 429))

    assert page.verdict is Verdict.RATE_LIMITED


@pytest.mark.parametrize("field", ["id", "uri", "content", "created_at", "account"])
def test_a_field_that_went_missing_is_named(field: str) -> None:
    broken = [{k: v for k, v in STATUSES[0].items() if k != field}]

    with pytest.raises(SourceError, match=field):
        parse(Answer(SERVER, json.dumps(broken).encode()))


def test_a_search_pages_while_it_is_full() -> None:
    settings = Settings(SERVER, search=("orion télécom",), token="secret", page_size=3)
    (request,) = requests(settings, State())
    page = parse(_answer(request, {"accounts": [], "statuses": STATUSES, "hashtags": []}))

    assert headers(settings) == {"Authorization": "Bearer secret"}
    assert "secret" not in repr(request)
    assert page.next[0].params["offset"] == "3"
    assert not parse(_answer(request, {"statuses": STATUSES[:1]})).next


def test_a_thread_and_a_single_status_are_read_too() -> None:
    thread = {"ancestors": STATUSES[:1], "descendants": STATUSES[1:2]}

    assert len(parse(Answer(SERVER, json.dumps(thread).encode())).posts) == 2
    assert len(parse(Answer(SERVER, json.dumps(STATUSES[0]).encode())).posts) == 1


def test_an_answer_of_pleroma_is_read_like_one_of_mastodon() -> None:
    """Flake ids that are no numbers, accounts with a `pleroma` part, no `edited_at`."""
    status = {
        "id": "AjKpQ2mXx0LrT7uVwY",
        "uri": "https://pleroma.example/objects/5f1c",
        "url": "https://pleroma.example/notice/AjKpQ2mXx0LrT7uVwY",
        "created_at": "2026-09-01T08:00:00.000Z",
        "content": "Encore un <span>appel</span> ce matin",
        "visibility": "public",
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "reblog": None,
        "spoiler_text": "",
        "account": {
            "id": "AjA",
            "acct": "zoe",
            "url": "https://pleroma.example/users/zoe",
            "pleroma": {"is_admin": False},
        },
        "mentions": [],
        "pleroma": {"local": True, "content": {"text/plain": "Encore un appel ce matin"}},
    }
    url = "https://pleroma.example/api/v1/timelines/tag/x"

    (post,) = parse(Answer(url, json.dumps([status]).encode())).posts

    assert (post.native_id, post.author) == ("AjKpQ2mXx0LrT7uVwY", "zoe@pleroma.example")
    assert (post.text, post.uri) == ("Encore un appel ce matin", status["uri"])
