"""What changes behind a collection's back: late and edited posts are met by reading again."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche.config import Config
from raccroche.demo.content import Message, Thread
from raccroche.demo.site import Server, running
from raccroche.demo.wordpress import WordPress
from raccroche.http import Client
from raccroche.pipeline import collect
from raccroche.post import Run
from raccroche.store import Store
from tests.servers.collecting import source, stored

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as site:
        yield site


def comment(number: int, hours_ago: float, text: str) -> Message:
    return Message(number, NOW - timedelta(hours=hours_ago), "Maëlle", text)


def publish(server: Server, *messages: Message) -> None:
    at = NOW - timedelta(days=9)
    ordered = tuple(sorted(messages, key=lambda one: one.at))
    server.application = WordPress(
        server.url, "Gazette", [Thread(1_000, "Panne", at, "Encore.", ordered)]
    )


def read(loaded: Config) -> Run:
    async def run() -> Run:
        allowed = loaded.collect.allow_hosts
        with Store.open(loaded.store_url) as store:
            async with Client("a@example.org", "t/1", allow_hosts=allowed, polite=False) as client:
                return (await collect(loaded, store, client))[0]

    return asyncio.run(run())


def test_late_and_edited_posts_within_the_overlap_are_met_and_others_are_not_asked_again(
    tmp_path: Path, server: Server
) -> None:
    old = comment(1, 200, "Un vieux message")
    fresh = comment(2, 2, "Ils ont appelé hier")
    publish(server, old, fresh)
    settings = {"site": server.url, "via": "rest"}
    loaded = source(tmp_path, "wordpress", server.url, settings)
    loaded = replace(loaded, collect=replace(loaded.collect, overlap_hours=24))
    assert read(loaded).new == 2

    late = comment(3, 20, "Approuvé après coup")  # older than what was read, dated before the run
    too_late = comment(4, 100, "Approuvé quatre jours après coup")
    edited = comment(2, 2, "Ils ont appelé hier, et ce matin")
    publish(server, old, too_late, late, edited)
    second = read(loaded)

    texts = {number: post.text for number, post in stored(loaded).items()}
    assert (second.new, second.edited, second.got) == (1, 1, 2)
    assert texts["3"] == "Approuvé après coup"
    assert texts["2"] == "Ils ont appelé hier, et ce matin"
    assert "4" not in texts  # as docs/sources.md says: the overlap is the limit
