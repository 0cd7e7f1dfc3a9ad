"""ActivityPub: from an actor to its outbox, page by page, public posts only."""

import json
from typing import Any

import pytest

from collectors import activitypub
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
OUTBOX = "https://pouet.example/users/a/outbox"


def _note(**changes: Any) -> dict[str, Any]:
    return {
        "type": "Note",
        "id": "https://pouet.example/n/1",
        "content": "<p>x</p>",
        "to": [PUBLIC],
        "published": "2026-11-20T09:00:00Z",
        **changes,
    }


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    return activitypub.parse(
        Answer(OUTBOX, json.dumps(data).encode(), status=status, request=request)
    )


def test_an_actor_leads_to_its_outbox_and_that_to_its_pages() -> None:
    (asked,) = activitypub.requests(
        activitypub.Settings(actors=("pouet.example/users/a",)), State()
    )
    outbox = _parse(
        {"type": "Person", "id": "https://pouet.example/users/a", "outbox": OUTBOX + "?x=1"}, asked
    ).next[0]
    first = _parse(
        {"type": "OrderedCollection", "totalItems": 9, "first": OUTBOX + "?page=true"}, outbox
    )

    assert "activity+json" in asked.headers["Accept"]
    assert outbox.headers == asked.headers
    assert first.declared == 9
    assert first.next[0].url == OUTBOX + "?page=true"


def test_a_first_page_inside_the_collection_is_read_at_once() -> None:
    page = _parse(
        {
            "type": "OrderedCollection",
            "totalItems": 1,
            "first": {
                "type": "OrderedCollectionPage",
                "orderedItems": [_note()],
                "next": OUTBOX + "?page=2",
            },
        }
    )

    assert len(page.posts) == 1
    assert page.next[0].url == OUTBOX + "?page=2"


@pytest.mark.parametrize(
    "to", [["https://pouet.example/users/a/followers"], "https://pouet.example/users/b"]
)
def test_what_is_not_for_the_public_is_left_out(to: Any) -> None:
    assert _parse({"type": "Create", "object": _note(to=to), "to": to}).posts == ()


@pytest.mark.parametrize("public", [PUBLIC, "as:Public", "Public"])
def test_the_public_has_three_names(public: str) -> None:
    assert len(_parse({"type": "Create", "object": _note(to=public)}).posts) == 1


def test_people_and_addresses_in_a_collection_are_no_posts_and_declare_none() -> None:
    page = _parse(
        {
            "type": "OrderedCollection",
            "id": "https://l.example/c/a/moderators",
            "totalItems": 1,
            "orderedItems": ["https://l.example/u/a"],
        }
    )

    assert page.posts == ()
    assert page.declared is None


def test_a_server_that_wants_signed_requests_is_a_login_wall() -> None:
    assert _parse({"error": "Request not signed"}, status=401).verdict == Verdict.LOGIN_WALL


@pytest.mark.parametrize("data", [{"x": 1}, {"type": "OrderedCollectionPage"}, [1]])
def test_what_is_no_activity_is_told(data: Any) -> None:
    with pytest.raises(SourceError):
        _parse(data)


def test_a_post_without_an_id_is_told() -> None:
    note = _note()
    del note["id"]

    with pytest.raises(SourceError, match="id"):
        _parse(note)


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ValueError, match="actors"):
        activitypub.Settings(actors=())


@pytest.mark.parametrize(("held_by", "gone"), [("pouet.example", 1), ("other.example", 0)])
def test_a_server_takes_back_its_own_posts_only(held_by: str, gone: int) -> None:
    name = f"https://{held_by}/n/1"
    page = _parse({"type": "OrderedCollection", "orderedItems": [
        _note(id="https://pouet.example/n/2"),
        {"type": "Delete", "object": {"type": "Tombstone", "id": name}},
    ]})  # fmt: skip

    assert page.deleted == (f"activitypub/{held_by}:{name}",) * gone
