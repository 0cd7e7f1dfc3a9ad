"""What changes behind a collection's back: late and edited posts are met by reading again."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from raccroche.config import Config
from raccroche.demo.content import Message, Thread
from raccroche.demo.site import Server, running
from raccroche.demo.wordpress import WordPress
from raccroche.http import Client
from raccroche.pipeline import collect
from raccroche.post import Run
from raccroche.store import Store
from tests.servers.collecting import collect_politely, configured, source, source_table, stored
from tests.servers.replaying import replaying

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


ROW = (
    '<li class="forum-fil"><div class="forum-message"><div class="forum-chapo"><strong '
    'class="forum-titre-{n}"><a href="#forum{n}" id="forum{n}">Appels</a></strong> <small>3 mai '
    '2020, 12:33, par <span class="forum-qui-{n}">Ana</span></small></div><div '
    'class="forum-texte crayon forum-texte-{n}"><p>Avis numéro {n}</p></div></div></li>'
)


def test_a_page_that_has_not_changed_hides_no_new_comment_on_the_page_behind_it(
    tmp_path: Path,
) -> None:
    """The first of two pages keeps its ETag for good; what is new stands on the second."""
    numbers = {"": [1, 2], "50": [3]}

    def page(path: str, query: Mapping[str, str], form: Mapping[str, str]) -> tuple[int, Any]:
        at = query.get("debut_forums", "")
        rows = "".join(ROW.format(n=n) for n in numbers[at])
        more = "" if at else '<a href="?debut_forums=50#pagination_forums">50</a>'
        return 200, f"<html><head></head><body><ul>{rows}</ul>{more}</body></html>".encode()

    with replaying(page) as server:
        loaded = configured(
            tmp_path,
            [server.url],
            source_table("one", "spip", urls=[f"{server.url}/appels"]),
            cache="cache.sqlite3",
        )
        first = collect_politely(loaded)
        numbers["50"].append(4)
        second = collect_politely(loaded)
        third = collect_politely(loaded)

    assert (first.new, second.new, third.new) == (3, 1, 0)
    assert third.not_modified == 1, "a page that leads nowhere may stay unread"
