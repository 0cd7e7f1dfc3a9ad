"""Answers of APIs are told apart by their shape alone, without their address, even when empty."""

import json
from pathlib import Path
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


# What members of a forum write about other forums: names, links, and what those print on pages.
TALK = {
    "phpbb": 'phpBB : <a href="https://f.example/viewtopic.php?t=1">là</a> et '
    '<a href="https://f.example/memberlist.php">là</a>',
    "smf": 'Powered by SMF <a href="https://f.example/index.php?topic=12.0">là</a>',
    "vbulletin": 'vBulletin, vBSEO : <a href="https://f.example/showthread.php?t=1">là</a>',
    "xenforo": 'XenForo : <a href="https://f.example/threads/panne.12/">là</a>',
    "hfr": 'MesDiscussions.net <a href="https://f.example/hfr/sujet_12_1.htm">là</a>',
    "misago": "Misago, powered by Misago",
    "nodebb": 'NodeBB : <a href="https://f.example/topic/12/panne">là</a>',
    "spip": 'SPIP : <a href="https://f.example/spip.php?article12">là</a>',
}
FORUMS = [
    path
    for name in ("phpbb", "smf", "vbulletin", "xenforo", "hfr", "forum", "comments", "spip")
    for path in sorted((Path(__file__).parents[1] / "samples" / name).glob("*.html"))
]


@pytest.mark.parametrize("page", FORUMS, ids=[f"{p.parent.name}/{p.stem}" for p in FORUMS])
def test_a_page_whose_posts_talk_of_other_software_stays_its_own(page: Path) -> None:
    body = page.read_bytes()
    alone = recognise(Answer("saved.html", body))
    for talk in TALK.values():
        said = f"<p>{talk}</p>".encode()
        for place in (b"</p>", b"<br", b"</body>"):
            heard = body.replace(place, said + place, 3)
            assert recognise(Answer("saved.html", heard)) is alone, (talk, place)


@pytest.mark.parametrize("shape", [{}, [], {"data": []}, {"items": []}, {"error": "x"}, {"id": 1}])
def test_a_shape_that_many_have_is_of_nobody(shape: Any) -> None:
    assert recognise(Answer("saved.json", json.dumps(shape).encode())) is None
