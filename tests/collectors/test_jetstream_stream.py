"""Jetstream: a stream on loopback is read run after run, through the client and into the store."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from raccroche.archive import Archive
from raccroche.post import Verdict
from raccroche.replay import replay
from raccroche.store import Store
from tests.servers.collecting import (
    collect,
    collect_politely,
    configured,
    source,
    source_table,
    stored,
)


class Stream:
    """Sends the events from the cursor on (inclusive), then closes; notes what was asked."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def answer(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.asked.append(socket.request.path)
        cursor = int(socket.request.path.partition("cursor=")[2] or 0)
        for event in self.events:
            if event["time_us"] >= cursor:
                socket.send(json.dumps(event))

    def add(self, rkey: str, text: str = "", operation: str = "create") -> None:
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-20T09:00:00Z"}
        commit = {"operation": operation, "collection": "app.bsky.feed.post", "rkey": rkey}
        if operation != "delete":
            commit |= {"record": record}  # type: ignore[dict-item]
        number = 1_795_000_000_000_000 + len(self.events)
        event = {"did": "did:plc:a", "time_us": number, "kind": "commit", "commit": commit}
        self.events.append(event)


@pytest.fixture
def stream() -> Iterator[tuple[Stream, str]]:
    given = Stream()
    with serve(given.answer, "127.0.0.1", 0) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        yield given, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/subscribe"
        server.shutdown()
        running.join()


def test_a_run_goes_on_where_the_last_one_stopped_and_obeys_deletions(
    tmp_path: Path, stream: tuple[Stream, str]
) -> None:
    given, url = stream
    loaded = source(tmp_path, "jetstream", url, {"words": ["mobiloux"], "seconds": 5, "url": url})
    given.add("a", "Mobiloux rappelle")
    given.add("b", "rien à voir")
    given.add("c", "encore mobiloux")

    first = collect(loaded)
    given.add("c", operation="delete")
    second = collect(loaded)  # deletions alone, beside no post
    given.add("d", "MOBILOUX toujours")
    given.add("a", operation="delete")
    third = collect(loaded)

    assert (first.verdict, first.new) == (Verdict.NEW, 2)
    assert second.deleted == 1
    assert (third.new, third.deleted) == (1, 1)
    assert given.asked[1].endswith("cursor=1795000000000002")
    assert {post.text for post in stored(loaded).values()} == {"MOBILOUX toujours"}


def test_without_words_the_posts_that_name_a_brand_are_kept_also_when_read_again(
    tmp_path: Path, stream: tuple[Stream, str]
) -> None:
    given, url = stream
    settings = source_table("one", "jetstream", seconds=5, url=url)
    brand = '[[brands]]\nid = "m"\nname = "Mobiloux"\nsector = "telecom"\naliases = ["mobilou*"]\n'
    loaded = configured(tmp_path, [url], settings + brand, archive="warc")
    wanted = {
        "a": "Encore un appel de SFR ce matin",
        "b": "Orange m'appelle tous les jours pour la fibre",
        "c": "les mobilouseries, c'est fini",  # of the configuration
    }
    for rkey, text in wanted.items():
        given.add(rkey, text)
    given.add("d", "un jus d'orange et un café")
    given.add("e", "J'ai trois appels par jour")

    first = collect_politely(loaded)

    assert (first.verdict, first.got) == (Verdict.NEW, 3)
    kept = {post.native_id.rpartition("/")[2] for post in stored(loaded).values()}
    assert kept == set(wanted)
    with Store.open(f"sqlite:///{tmp_path / 'again.sqlite3'}") as store:
        again = replay(loaded, store, Archive(tmp_path / "warc").answers(), via="replay")
    assert again.added.new == len(wanted)
