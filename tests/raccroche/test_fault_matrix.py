"""Every fault on every page: the verdict, the wait, nothing lost and nothing doubled."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from raccroche import pipeline
from raccroche.archive import Archive
from raccroche.config import Config
from raccroche.demo.content import Message, Thread
from raccroche.demo.site import Server, running
from raccroche.demo.wordpress import WordPress
from raccroche.post import Run, Verdict
from raccroche.replay import replay
from raccroche.store import Store
from tests.servers import faults
from tests.servers.collecting import source, stored
from tests.servers.faults import Fault, Faults
from tests.servers.faulty import EPOCH, FakeTime, drip, endless, polite_client, reset

pytestmark = [pytest.mark.slow, pytest.mark.anyio]
WRITTEN = {str(20_000 + n): f"Toujours rien, « l’été » se répète (n° {n})" for n in range(3 * 12)}
PLACES = {"first": 0, "second": 1, "last": -1}
SETTINGS: dict[str, tuple[str, dict[str, object]]] = {
    "json": ("wordpress", {"via": "rest", "page_size": 10}),
    "pages": ("wordpress", {"via": "html"}),
    "feeds": ("wordpress", {"via": "feed"}),
}
SLOW = drip(every=0.05)  # a byte now and then, for ever: no single read takes too long
TIMES: dict[str, Any] = {"timeout": 2.0, "total_timeout": 0.5, "max_body": 1_000_000}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A blog of three articles of twelve comments each, in the formats of WordPress."""
    start = datetime(2026, 8, 3, 6, 0, tzinfo=UTC)
    messages = [
        Message(int(number), start + timedelta(minutes=place), "Maëlle", text)
        for place, (number, text) in enumerate(WRITTEN.items())
    ]
    articles = [
        Thread(1_000 + n, f"Panne {n}", start - timedelta(days=3 - n), "Encore une coupure.",
               tuple(messages[n * 12 : (n + 1) * 12]))
        for n in range(3)
    ]  # fmt: skip
    with running(Server()) as server:
        server.application = WordPress(server.url, "Gazette", articles)
        yield server.url


@pytest.fixture
async def proxy(site: str) -> AsyncIterator[Faults]:
    async with Faults(upstream=site) as between:
        yield between


def config(folder: Path, proxy: Faults, form: str) -> Config:
    platform, settings = SETTINGS[form]
    site = {"site": proxy.url("").rstrip("/")}
    return source(folder, platform, proxy.url(""), {**site, **settings})


async def collect(loaded: Config, time: FakeTime | None = None, **more: Any) -> Run:
    allowed = loaded.collect.allow_hosts
    with Store.open(loaded.store_url) as store:
        async with polite_client(
            time or FakeTime(), allow_hosts=allowed, **(TIMES | more)
        ) as client:
            (run,) = await pipeline.collect(loaded, store, client)
        assert store.check() == []
    return run


_ASKED: dict[str, list[str]] = {}


async def page(folder: Path, proxy: Faults, form: str, place: str) -> str:
    """The path that a run asks for in that *place* when all is well."""
    if form not in _ASKED:
        run = await collect(config(folder / "well", proxy, form))
        assert (run.verdict, run.new) == (Verdict.NEW, len(WRITTEN))
        _ASKED[form] = list(dict.fromkeys(seen.path for seen in proxy.seen))
        assert len(_ASKED[form]) > 3
        proxy.seen.clear()
    return _ASKED[form][PLACES[place]]


def texts(loaded: Config) -> dict[str, str]:
    return {number: post.text for number, post in stored(loaded).items()}


def hurt(proxy: Faults, path: str, fault: Fault, times: int | None = None) -> None:
    proxy.hurt(f"^{re.escape(path)}$", fault, times)


PASSING: dict[str, tuple[Fault, float]] = {
    "429 in seconds": (faults.refusal(429, "7"), 7),
    "429 as a date": (faults.refusal(429, "37", now=EPOCH), 37),
    "503 in seconds": (faults.refusal(503, "11"), 11),
    "503": (faults.refusal(503), 4),
    "reset": (faults.instead(reset()), 4),
    "truncated": (faults.truncated, 4),
    "slow bytes": (faults.instead(SLOW), 4),
    "slow headers": (faults.instead(drip(every=0.05, in_headers=True)), 4),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("name", PASSING)
async def test_a_passing_fault_costs_its_wait_wherever_it_comes(
    tmp_path: Path, proxy: Faults, name: str, form: str, place: str
) -> None:
    fault, wait = PASSING[name]
    path = await page(tmp_path, proxy, form, place)
    hurt(proxy, path, fault, times=1)
    loaded, time = config(tmp_path, proxy, form), FakeTime()

    run = await collect(loaded, time)

    assert (run.verdict, run.new) == (Verdict.NEW, len(WRITTEN)), run.message
    assert any(wait - 1 <= slept <= wait for slept in time.slept), time.slept
    assert texts(loaded) == WRITTEN


@pytest.mark.parametrize("form", SETTINGS)
async def test_answers_that_come_late_are_waited_for(
    tmp_path: Path, proxy: Faults, form: str
) -> None:
    proxy.hurt("^/", faults.late(0.3))
    loaded = config(tmp_path, proxy, form)

    assert (await collect(loaded)).verdict == Verdict.NEW
    assert texts(loaded) == WRITTEN


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("fault", [faults.garbage, faults.cut_inside], ids=["garbage", "cut"])
async def test_a_page_of_something_else_is_no_silent_zero_and_is_asked_again(
    tmp_path: Path, proxy: Faults, fault: Fault, form: str, place: str
) -> None:
    """Whole as HTTP, with status 200: only what is in it is wrong."""
    hurt(proxy, await page(tmp_path, proxy, form, place), fault)
    loaded = config(tmp_path, proxy, form)

    first = await collect(loaded)
    proxy.heal()
    clean = await collect(loaded)

    if first.new < len(WRITTEN):
        assert first.verdict == Verdict.LAYOUT_CHANGED, first.message
    assert first.new + clean.new == len(WRITTEN), (first.message, clean.message)
    assert texts(loaded) == WRITTEN


LASTING: dict[str, tuple[Fault, Verdict]] = {
    "429": (faults.refusal(429, "7"), Verdict.RATE_LIMITED),
    "503": (faults.refusal(503), Verdict.UNREACHABLE),
    "reset": (faults.instead(reset()), Verdict.UNREACHABLE),
    "truncated": (faults.truncated, Verdict.UNREACHABLE),
    "slow bytes": (faults.instead(SLOW), Verdict.UNREACHABLE),
    "endless": (faults.instead(endless()), Verdict.UNREACHABLE),
    "bomb": (faults.bomb, Verdict.UNREACHABLE),
    "to a private address": (faults.sent_to("http://10.0.0.8/"), Verdict.UNREACHABLE),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("name", LASTING)
async def test_a_lasting_fault_is_said_and_one_clean_run_makes_the_set_whole(
    tmp_path: Path, proxy: Faults, name: str, form: str, place: str
) -> None:
    fault, verdict = LASTING[name]
    path = await page(tmp_path, proxy, form, place)
    hurt(proxy, path, fault)
    loaded = config(tmp_path, proxy, form)

    first = await collect(loaded)
    proxy.heal()
    clean = await collect(loaded)

    assert first.verdict == verdict, first.message
    assert (place, first.new) != ("last", 0)
    assert first.new + clean.new == len(WRITTEN), clean.message
    assert clean.verdict == (Verdict.NEW if clean.new else Verdict.NOTHING_NEW), clean.message
    assert texts(loaded) == WRITTEN
    assert (await collect(loaded)).verdict == Verdict.NOTHING_NEW


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (faults.refusal(500), Verdict.UNREACHABLE),
        (faults.instead(reset()), Verdict.UNREACHABLE),
        (faults.garbage, Verdict.LAYOUT_CHANGED),
    ],
    ids=["500", "reset", "garbage"],
)
@pytest.mark.parametrize("form", ["pages", "feeds"])
async def test_a_page_that_is_broken_for_good_keeps_no_other_away(
    tmp_path: Path, proxy: Faults, fault: Fault, form: str, verdict: Verdict
) -> None:
    proxy.hurt("/1001-panne-1/", fault)
    loaded = config(tmp_path, proxy, form)

    first = await collect(loaded)
    again = await collect(loaded)
    proxy.heal()
    clean = await collect(loaded)

    assert (first.verdict, again.verdict) == (verdict, verdict), first.message
    assert first.new >= 24
    assert (first.new + again.new + clean.new, texts(loaded)) == (len(WRITTEN), WRITTEN)


ROBOTS: dict[str, tuple[Fault, Verdict]] = {
    "429": (faults.refusal(429, "7"), Verdict.RATE_LIMITED),
    "503": (faults.refusal(503), Verdict.REFUSED_BY_ROBOTS),
    "reset": (faults.instead(reset()), Verdict.REFUSED_BY_ROBOTS),
    "truncated": (faults.truncated, Verdict.REFUSED_BY_ROBOTS),
    "slow bytes": (faults.instead(SLOW), Verdict.REFUSED_BY_ROBOTS),
    "to a private address": (faults.sent_to("http://10.0.0.8/"), Verdict.UNREACHABLE),
}


@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("name", ROBOTS)
async def test_while_robots_txt_fails_nothing_is_asked_then_all_comes(
    tmp_path: Path, proxy: Faults, name: str, form: str
) -> None:
    fault, verdict = ROBOTS[name]
    proxy.hurt("^/robots.txt", fault)
    loaded = config(tmp_path, proxy, form)

    first = await collect(loaded)
    asked = [seen.path for seen in proxy.seen]
    proxy.heal()
    clean = await collect(loaded)

    assert (first.verdict, first.new, asked) == (verdict, 0, []), first.message
    assert (clean.verdict, clean.new) == (Verdict.NEW, len(WRITTEN))
    assert texts(loaded) == WRITTEN


@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("charset", ["iso-8859-1", "koi8-r", "utf-16", "no-such-charset"])
async def test_a_wrong_charset_on_every_page_changes_no_letter(
    tmp_path: Path, proxy: Faults, charset: str, form: str
) -> None:
    proxy.hurt("^/", faults.said_to_be(charset))
    loaded = config(tmp_path, proxy, form)

    assert (await collect(loaded)).new == len(WRITTEN)
    assert texts(loaded) == WRITTEN


@pytest.mark.parametrize("place", ["second", "last"])
@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("name", ["slow bytes", "truncated", "bomb"])
async def test_what_the_archive_holds_after_a_fault_is_whole_and_replays_to_the_same_set(
    tmp_path: Path, proxy: Faults, name: str, form: str, place: str
) -> None:
    path = await page(tmp_path, proxy, form, place)
    hurt(proxy, path, LASTING[name][0])
    loaded = config(tmp_path, proxy, form)
    archive = Archive(tmp_path / "warc")
    await collect(loaded, archive=archive)
    proxy.heal()
    await collect(loaded, archive=archive)

    again = replace(loaded, store=replace(loaded.store, url=f"sqlite:///{tmp_path / 'two.db'}"))
    with Store.open(again.store_url) as store:
        done = replay(again, store, Archive(tmp_path / "warc").answers(), via="replay")
    assert done.broken == 0
    assert texts(again) == WRITTEN
