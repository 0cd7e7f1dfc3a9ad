"""Answers of APIs are told apart by their shape alone, without their address, even when empty."""

import json
from typing import Any

import pytest

from collectors.table import recognise
from raccroche.post import Answer

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
RECORD = {"$type": "app.bsky.feed.post", "text": "x", "createdAt": "2026-01-01T00:00:00Z"}
POST = {"uri": "at://did:plc:a/app.bsky.feed.post/1", "record": RECORD}
SHAPES: list[tuple[str, Any]] = [
    ("bluesky", {"posts": [], "hitsTotal": 0}),
    ("bluesky", {"feed": [], "cursor": "x"}),
    ("bluesky", {"feed": [{"post": POST}]}),
    ("bluesky", {"records": [{"uri": POST["uri"], "value": RECORD}]}),
    ("bluesky", {"error": "InvalidToken", "message": "Bad token"}),
    (
        "jetstream",
        {"did": "did:plc:a", "time_us": 1, "kind": "commit", "commit": {"record": RECORD}},
    ),
    ("reddit", {"kind": "Listing", "data": {"children": [], "after": None}}),
    ("reddit", {"data": {"children": [{"kind": "t1", "data": {}}]}, "kind": "Listing"}),
    ("reddit", {"json": {"data": {"things": [{"kind": "more", "data": {}}]}}}),
    ("youtube", {"kind": "youtube#commentThreadListResponse", "items": []}),
    ("youtube", {"etag": "e", "items": [], "kind": "youtube#commentListResponse"}),
    ("x", {"meta": {"result_count": 0}}),
    ("x", {"data": {"id": "1", "text": "a", "edit_history_tweet_ids": ["1"]}}),
    ("x", {"data": [{"id": "1", "text": "a", "author_id": "2"}]}),
    ("activitypub", {"type": "OrderedCollection", "totalItems": 0, "orderedItems": []}),
    ("activitypub", {"type": "Page", "id": "https://l.example/post/2", "to": [PUBLIC]}),
    ("lemmy", {"type_": "All", "comments": [], "posts": [], "users": []}),
    ("peertube", {"total": 0, "data": []}),
    ("hackernews", {"hits": [], "nbHits": 0, "page": 0}),
    ("hackernews", {"by": "a", "id": 1, "text": "x", "time": 1795078800, "type": "comment"}),
    ("stackexchange", {"items": [], "has_more": False, "quota_remaining": 2}),
    ("opendatasoft", {"total_count": 3, "results": [{"id": 1}]}),
    ("appstore", {"feed": {"author": {"name": {"label": "iTunes Store"}}}}),
    ("trustpilot", {"pageProps": {"reviews": [], "businessUnit": {"identifyingName": "a.b"}}}),
]


@pytest.mark.parametrize(("platform", "shape"), SHAPES, ids=[p for p, _ in SHAPES])
def test_a_shape_is_of_one_platform(platform: str, shape: Any) -> None:
    source = recognise(Answer("saved.json", json.dumps(shape).encode()))

    assert source is not None
    assert platform == source.PLATFORM


@pytest.mark.parametrize("shape", [{}, [], {"data": []}, {"items": []}, {"error": "x"}, {"id": 1}])
def test_a_shape_that_many_have_is_of_nobody(shape: Any) -> None:
    assert recognise(Answer("saved.json", json.dumps(shape).encode())) is None
