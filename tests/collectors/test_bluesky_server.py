"""Bluesky: a real network is read whole, then only what is new, and not without its password."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raccroche.post import Verdict
from tests.servers import bluesky as real
from tests.servers.collecting import collect, source, stored

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def network() -> Iterator[real.Network]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.bluesky() as running:
        yield running


def test_two_thousand_posts_by_pages_then_only_the_hundred_that_are_new(
    tmp_path: Path, network: real.Network
) -> None:
    account = network.account("lectrice.test")
    account.write("Mobiloux", 0, 2_000)
    network.wait_until_found("Mobiloux", 2_000)
    settings = {
        "search": ["Mobiloux"],
        "handle": account.handle,
        "app_password": real.PASSWORD,
        "service": network.pds,
    }
    loaded = source(tmp_path, "bluesky", network.pds, settings)

    first = collect(loaded)
    assert (first.verdict, first.new, first.got) == (Verdict.NEW, 2_000, 2_000)
    assert collect(loaded).verdict == Verdict.NOTHING_NEW

    account.write("Mobiloux", 2_000, 2_100)
    network.wait_until_found("Mobiloux", 2_100)
    later = collect(loaded)
    assert (later.verdict, later.new) == (Verdict.NEW, 100)
    assert len(stored(loaded)) == 2_100


def test_a_wrong_password_is_a_login_wall_and_asks_nothing_more(
    tmp_path: Path, network: real.Network
) -> None:
    settings = {
        "search": ["Mobiloux"],
        "handle": "nobody.test",
        "app_password": "wrong",
        "service": network.pds,
    }

    run = collect(source(tmp_path, "bluesky", network.pds, settings))

    assert (run.verdict, run.got, run.requests) == (Verdict.LOGIN_WALL, 0, 1)
    assert "app password" in run.message


def test_an_account_is_read_without_a_login(tmp_path: Path, network: real.Network) -> None:
    account = network.account("lecteur.test")
    account.write("Orion", 0, 30)
    network.wait_until_found("Orion", 30)
    settings = {"accounts": [account.handle], "appview": network.appview, "page_size": 10}

    run = collect(source(tmp_path, "bluesky", network.appview, settings))

    assert (run.verdict, run.new) == (Verdict.NEW, 30)
