"""Isso: what a real server answers, and how a page is read again only when its count changed."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import isso
from raccroche.post import Answer, State, Verdict
from tests.servers import isso as real
from tests.servers.collecting import collect, source, stored
from tests.servers.faults import Faults, refusal


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[real.Isso]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.isso() as running:
        running.write("/actu/", range(1, 1001))
        running.write("/autre/", range(1001, 1101))
        running.write("/autre/", range(1101, 1103), mode=2)  # wait for a moderator
        yield running


def test_pages_are_asked_from_the_oldest_comment_on() -> None:
    settings = isso.Settings("isso.example", pages=("/a/",))
    (request,) = isso.requests(settings, State(cursor={"/a/": "12"}))

    assert request.params == {"uri": "/a/", "limit": "100", "sort": "oldest"}
    assert request.context["known"] == "12"


@pytest.mark.server
def test_all_comments_and_answers_come_and_later_only_new_ones(
    tmp_path: Path, server: real.Isso
) -> None:
    settings = {"server": server.url, "pages": ["/actu/", "/autre/"]}
    loaded = source(tmp_path, "isso", server.url, settings)

    first, second = collect(loaded), collect(loaded)
    assert (first.verdict, first.new, first.declared) == (Verdict.NEW, 1100, 1100)
    assert (second.verdict, second.new) == (Verdict.NOTHING_NEW, 0)
    assert second.requests < first.requests

    server.write("/actu/", range(1103, 1108))
    third = collect(loaded)
    assert (third.verdict, third.new) == (Verdict.NEW, 5)
    texts = {post.text for post in stored(loaded).values()}
    assert len(texts) == 1105
    assert "La fibre est coupée & le service muet (n° 1)" in texts


@pytest.mark.server
def test_the_whole_server_at_once_gives_the_same_set(tmp_path: Path, server: real.Isso) -> None:
    named = {"server": server.url, "pages": ["/actu/", "/autre/"]}
    one = source(tmp_path / "pages", "isso", server.url, named)
    all_of_it = source(tmp_path / "all", "isso", server.url, {"server": server.url})
    collect(one)
    collect(all_of_it)

    assert stored(one).keys() == stored(all_of_it).keys()


@pytest.mark.server
def test_a_page_nobody_commented_is_no_change_of_layout(tmp_path: Path, server: real.Isso) -> None:
    settings = {"server": server.url, "pages": ["/nulle-part/"]}

    run = collect(source(tmp_path, "isso", server.url, settings))
    assert (run.verdict, run.got) == (Verdict.NOTHING_NEW, 0)


def test_a_page_of_nothing_but_deleted_comments_names_them_whole() -> None:
    row = {"id": 7, "mode": 4, "total_replies": 0, "replies": []}
    body = {"id": None, "total_replies": 0, "replies": [row]}

    page = isso.parse(Answer("https://isso.example/?uri=/a/", json.dumps(body).encode()))

    assert (page.posts, page.deleted) == ((), ("isso/isso.example:7",))


@pytest.mark.server
async def test_a_server_behind_a_door_is_a_login_wall(tmp_path: Path, server: real.Isso) -> None:
    """Isso has no login for readers: sites that want one put it before the server."""
    async with Faults(upstream=server.url) as door:
        settings = {"server": door.url("").rstrip("/"), "pages": ["/actu/"]}
        loaded = source(tmp_path, "isso", door.url(""), settings)
        door.hurt("^/", refusal(401))
        shut = await asyncio.to_thread(collect, loaded)
        door.heal()
        opened = await asyncio.to_thread(collect, loaded)
    assert (shut.verdict, shut.got) == (Verdict.LOGIN_WALL, 0)
    assert opened.verdict == Verdict.NEW
    assert opened.new >= 1000
