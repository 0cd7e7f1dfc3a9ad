"""Jetstream: a stream on loopback is read run after run, through the client and into the store."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from raccroche.post import Verdict
from tests.servers.collecting import collect, source, stored


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
