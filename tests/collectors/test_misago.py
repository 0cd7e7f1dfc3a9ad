"""Misago: a real forum gives the same posts by its pages and by its API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche.post import Verdict
from tests.servers import misago as real
from tests.servers.collecting import collect, source, stored

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def forum() -> Iterator[real.Misago]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.misago() as running:
        running.write(45, 0, 900)  # more topics than a list shows
        running.write(3, 900, 1100)  # topics of several pages
        yield running


def test_pages_and_api_give_the_same_set_and_a_second_run_asks_little(
    tmp_path: Path, forum: real.Misago
) -> None:
    html, json = (
        source(tmp_path / via, "misago", forum.url, {"site": forum.url, "via": via})
        for via in ("html", "json")
    )
    for loaded in (html, json):
        first, second = collect(loaded), collect(loaded)
        assert (first.verdict, first.new) == (Verdict.NEW, 1100)
        assert (second.verdict, second.got, second.requests) == (Verdict.NOTHING_NEW, 0, 1)
    assert _told(html) == _told(json)

    forum.write(3, 1100, 1120, base=datetime.now(UTC) - timedelta(minutes=11_200))
    for loaded in (html, json):
        run = collect(loaded)
        assert (run.verdict, run.new) == (Verdict.NEW, 20)
        assert run.got < 200  # the ends of three topics, not their beginnings


def _told(loaded: object) -> dict[str, tuple[object, ...]]:
    return {
        number: (post.text, post.published_at, post.thread, post.thread_title, post.url)
        for number, post in stored(loaded).items()  # type: ignore[arg-type]
    }


def test_a_forum_that_shows_guests_nothing_is_a_login_wall(
    tmp_path: Path, forum: real.Misago
) -> None:
    forum.shut()
    for via in ("html", "json"):
        settings = {"site": forum.url, "via": via}
        run = collect(source(tmp_path / via, "misago", forum.url, settings))
        assert run.verdict == Verdict.LOGIN_WALL
