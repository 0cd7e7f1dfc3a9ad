"""NodeBB: a real forum gives the same posts by its pages and by its API."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from raccroche.post import Verdict
from tests.servers import nodebb as real
from tests.servers.collecting import collect, source, stored

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def forum() -> Iterator[real.NodeBB]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.nodebb() as set_up:
        set_up.write(25, 0, 300)  # more topics than a list shows
        set_up.write(3, 300, 400)  # topics of several pages
        yield set_up


def test_pages_and_api_give_the_same_set_and_later_only_what_is_new(
    tmp_path: Path, forum: real.NodeBB
) -> None:
    html, json = (
        source(tmp_path / via, "nodebb", forum.url,
               {"site": forum.url, "via": via, "categories": ["2"]})
        for via in ("html", "json")
    )  # fmt: skip
    with real.serving(forum):
        for loaded in (html, json):
            assert collect(loaded).new == 401  # and the welcome that the set-up wrote
            assert collect(loaded).verdict == Verdict.NOTHING_NEW
        forum.write(3, 400, 430, base=int(time.time() * 1000) - 600_000 * 430)
        for loaded in (html, json):
            run = collect(loaded)
            assert (run.verdict, run.new) == (Verdict.NEW, 30)
    by_page, by_api = stored(html), stored(json)
    assert by_page.keys() == by_api.keys()
    assert all(by_page[n].text == by_api[n].text for n in by_page)


def test_a_category_that_guests_may_not_read_is_a_login_wall(
    tmp_path: Path, forum: real.NodeBB
) -> None:
    forum.shut()
    with real.serving(forum):
        for via in ("html", "json"):
            settings = {"site": forum.url, "via": via, "categories": ["2"]}
            run = collect(source(tmp_path / via, "nodebb", forum.url, settings))
            assert run.verdict == Verdict.LOGIN_WALL
