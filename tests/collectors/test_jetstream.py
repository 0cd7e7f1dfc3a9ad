"""Jetstream: what of the stream is kept, and where the next run goes on."""

import json
from typing import Any

import pytest

from collectors import jetstream
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State

SETTINGS = jetstream.Settings(words=("Mobiloux", "société générale"), seconds=5)


def _event(
    number: int, text: str = "", operation: str = "create", **changes: Any
) -> dict[str, Any]:
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-20T09:00:00Z"}
    commit = {
        "operation": operation,
        "collection": "app.bsky.feed.post",
        "rkey": f"k{number}",
        "record": record,
        **changes,
    }
    return {
        "did": "did:plc:a",
        "time_us": 1_795_000_000_000_000 + number,
        "kind": "commit",
        "commit": commit,
    }


def _parse(*events: dict[str, Any], end: str = "seconds", cursor: str | None = None) -> Page:
    (asked,) = jetstream.requests(SETTINGS, State(cursor={"jetstream": cursor} if cursor else {}))
    body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return jetstream.parse(Answer(asked.url, body, headers={"x-stream-end": end}, request=asked))


def test_only_posts_with_a_wanted_word_are_kept() -> None:
    page = _parse(
        _event(1, "MOBILOUX rappelle"),
        _event(2, "la Societe Generale"),
        _event(3, "mobilouxien n'est pas un mot"),
        _event(4, "rien"),
    )

    assert [post.text for post in page.posts] == ["MOBILOUX rappelle", "la Societe Generale"]


def test_deletions_are_passed_on_even_of_posts_never_kept() -> None:
    page = _parse(_event(1, "mobiloux"), _event(2, operation="delete"))

    assert page.deleted == ("bluesky/bsky.app:at://did:plc:a/app.bsky.feed.post/k2",)


def test_deletions_alone_are_told_by_their_whole_id() -> None:
    page = _parse(_event(2, operation="delete"))

    assert page.deleted == ("bluesky/bsky.app:at://did:plc:a/app.bsky.feed.post/k2",)


def test_the_next_run_goes_on_where_the_stream_was_left() -> None:
    cursor = _parse(_event(1), _event(7)).cursor

    (asked,) = jetstream.requests(SETTINGS, State(cursor=cursor))

    assert asked.params["cursor"] == "1795000000000007"


def test_a_reading_cut_for_its_size_goes_on_at_once_and_another_ends() -> None:
    assert [r.params["cursor"] for r in _parse(_event(1), end="bytes").next] == ["1795000000000001"]
    assert _parse(_event(1), end="seconds").next == ()
    assert _parse(_event(1), end="bytes", cursor="1795000000000001").next == ()


def test_a_quiet_stream_is_no_error() -> None:
    assert _parse().posts == ()


def test_a_broken_line_in_the_middle_is_told() -> None:
    body = b'{"did"\n' + json.dumps(_event(1)).encode() + b"\n"

    with pytest.raises(SourceError, match="line 1"):
        jetstream.parse(Answer("wss://stream.example/subscribe", body))


def test_a_record_that_is_no_post_does_not_keep_the_others_away() -> None:
    """Anybody may write anything to a server of their own, and the stream carries it."""
    odd = [{"$type": "app.bsky.feed.post"}, {"text": 3, "createdAt": 5}, [], None]
    events = [_event(n, record=record) for n, record in enumerate(odd)]

    page = _parse(*events, _event(9, "Mobiloux rappelle"))

    assert [post.text for post in page.posts] == ["Mobiloux rappelle"]
    assert page.cursor == {"jetstream": "1795000000000009"}
    with pytest.raises(SourceError):
        _parse(*events)


def test_an_error_frame_is_told() -> None:
    with pytest.raises(SourceError, match="FutureCursor"):
        _parse({"$type": "error", "payload": {"error": "FutureCursor"}})


def test_the_first_version_of_the_stream_is_asked_in_its_words() -> None:
    settings = jetstream.Settings(
        words=("x",), url="wss://jetstream2.us-east.bsky.network/subscribe"
    )

    (asked,) = jetstream.requests(settings, State())

    assert asked == Request(
        settings.url,
        params={"wantedCollections": "app.bsky.feed.post"},
        context={"seconds": "60", "words": '["x"]'},
    )


@pytest.mark.parametrize(
    "settings",
    [{"words": [""]}, {"words": ["x"], "url": "https://x.example"}, {"words": ["x"], "seconds": 0}],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="words|url|seconds"):
        jetstream.Settings(**settings)
