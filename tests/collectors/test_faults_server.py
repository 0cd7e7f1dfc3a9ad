"""A real WordPress behind a proxy that hurts its answers: the verdict, the wait, nothing lost."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from raccroche import pipeline
from raccroche.config import Config
from raccroche.demo.content import Message, Thread
from raccroche.post import Run, Verdict
from raccroche.store import Store
from tests.servers import faults
from tests.servers import wordpress as real
from tests.servers.collecting import source, stored
from tests.servers.faults import Fault, Faults
from tests.servers.faulty import EPOCH, FakeTime, drip, endless, polite_client, reset

pytestmark = [pytest.mark.server, pytest.mark.anyio]
ARTICLES, EACH = 3, 40
WRITTEN = {
    str(20_000 + n): f"Toujours rien, « l’été » se répète (n° {n})" for n in range(ARTICLES * EACH)
}
# One page in the middle of the way: the third of six by REST, the second article by page.
MIDDLE = {"rest": r"wp/v2/comments\?.*page=3\b", "html": r"^/2026/08/1001-panne-1/"}


@pytest.fixture(scope="module", autouse=True)
def anyio_backend() -> str:
    return "asyncio"


def blog() -> list[Thread]:
    start = datetime(2026, 8, 3, 6, 0, tzinfo=UTC)
    numbered = [
        Message(int(number), start + timedelta(minutes=place), "Maëlle", text)
        for place, (number, text) in enumerate(WRITTEN.items())
    ]
    return [
        Thread(
            number=1_000 + n,
            title=f"Panne {n}",
            at=start - timedelta(days=3 - n),
            text="<p>Encore une coupure.</p>",
            messages=tuple(numbered[n * EACH : (n + 1) * EACH]),
        )
        for n in range(ARTICLES)
    ]


@pytest.fixture(scope="module")
def blog_server() -> Iterator[real.WordPress]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.wordpress() as running:
        running.fill(blog())
        running.options(comments_per_page=20, posts_per_rss=50)
        yield running


@pytest.fixture
async def proxy(blog_server: real.WordPress) -> AsyncIterator[Faults]:
    async with Faults(upstream=blog_server.url) as running:
        yield running


def config(folder: Path, proxy: Faults, via: str) -> Config:
    settings = {"site": proxy.url("").rstrip("/"), "via": via, "page_size": 20}
    return source(folder, "wordpress", proxy.url(""), settings)


async def collect(loaded: Config, time: FakeTime | None = None) -> Run:
    """One polite run, whose waits *time* counts instead of waiting."""
    options: dict[str, Any] = {"timeout": 5.0, "total_timeout": 3.0, "max_body": 2_000_000}
    allowed = loaded.collect.allow_hosts  # this host and port only: the others are private
    with Store.open(loaded.store_url) as store:
        async with polite_client(time or FakeTime(), allow_hosts=allowed, **options) as client:
            return (await pipeline.collect(loaded, store, client))[0]


def texts(loaded: Config) -> dict[str, str]:
    return {number: post.text for number, post in stored(loaded).items()}


PASSING: dict[str, tuple[Fault, float | None]] = {
    # a fault, and the seconds that must be waited before the page is asked again
    "429 in seconds": (faults.refusal(429, "7"), 7),
    "429 as a date": (faults.refusal(429, "37", now=EPOCH), 37),
    "503 in seconds": (faults.refusal(503, "11"), 11),
    "503 as a date": (faults.refusal(503, "41", now=EPOCH), 41),
    "503 that says no wait": (faults.refusal(503), 4),  # the longest of a random first wait
    "reset": (faults.instead(reset()), 4),
    "truncated": (faults.truncated, 4),
    "slow bytes": (faults.instead(drip()), 4),
    "slow headers": (faults.instead(drip(in_headers=True)), 4),
}


@pytest.mark.parametrize("via", MIDDLE)
@pytest.mark.parametrize("name", PASSING)
async def test_a_passing_fault_costs_its_wait_and_nothing_else(
    tmp_path: Path, proxy: Faults, name: str, via: str
) -> None:
    fault, wait = PASSING[name]
    proxy.hurt(MIDDLE[via], fault, times=1)
    loaded, time = config(tmp_path, proxy, via), FakeTime()

    run = await collect(loaded, time)

    assert (run.verdict, run.new, run.known) == (Verdict.NEW, len(WRITTEN), 0)
    assert wait in time.slept
    assert texts(loaded) == WRITTEN


LASTING: dict[str, tuple[Fault, Verdict, str]] = {
    "429": (faults.refusal(429, "7"), Verdict.RATE_LIMITED, "429"),
    "429 for hours": (faults.refusal(429, "7200"), Verdict.RATE_LIMITED, "longest_wait"),
    "503 with a wait": (faults.refusal(503, "7"), Verdict.RATE_LIMITED, "503"),
    "503": (faults.refusal(503), Verdict.UNREACHABLE, "503"),
    "reset": (faults.instead(reset()), Verdict.UNREACHABLE, "Error"),
    "truncated": (faults.truncated, Verdict.UNREACHABLE, "Error"),
    "endless": (faults.instead(endless()), Verdict.UNREACHABLE, "too large"),
    "bomb": (faults.bomb, Verdict.UNREACHABLE, "too large"),
    "to a private address": (
        faults.sent_to("http://10.0.0.8/"), Verdict.UNREACHABLE, "10.0.0.8"),
    "to another port of this machine": (
        faults.sent_to("http://127.0.0.1:9/"), Verdict.UNREACHABLE, "127.0.0.1"),
    "to the address of a cloud's secrets": (
        faults.sent_to("http://169.254.169.254/"), Verdict.UNREACHABLE, "169.254.169.254"),
}  # fmt: skip


@pytest.mark.parametrize("via", MIDDLE)
@pytest.mark.parametrize("name", LASTING)
async def test_after_a_lasting_fault_one_clean_run_makes_the_set_whole(
    tmp_path: Path, proxy: Faults, name: str, via: str
) -> None:
    fault, verdict, words = LASTING[name]
    proxy.hurt(MIDDLE[via], fault)
    loaded = config(tmp_path, proxy, via)

    hurt = await collect(loaded)
    assert (hurt.verdict, words in hurt.message) == (verdict, True), hurt.message
    assert 0 < hurt.new < len(WRITTEN)
    proxy.heal()
    clean = await collect(loaded)

    assert (clean.verdict, hurt.new + clean.new) == (Verdict.NEW, len(WRITTEN))
    assert texts(loaded) == WRITTEN
    assert (await collect(loaded)).verdict == Verdict.NOTHING_NEW


async def test_json_cut_on_its_way_is_heard_and_asked_again_next_time(
    tmp_path: Path, proxy: Faults
) -> None:
    proxy.hurt(MIDDLE["rest"], faults.cut_inside)
    loaded = config(tmp_path, proxy, "rest")

    hurt = await collect(loaded)
    proxy.heal()
    clean = await collect(loaded)

    assert (hurt.verdict, "truncated" in hurt.message) == (Verdict.LAYOUT_CHANGED, True)
    assert (clean.verdict, hurt.new + clean.new) == (Verdict.NEW, len(WRITTEN))
    assert texts(loaded) == WRITTEN


@pytest.mark.parametrize("via", MIDDLE)
@pytest.mark.parametrize("charset", ["iso-8859-1", "koi8-r", "utf-16", "no-such-charset"])
async def test_a_wrong_charset_changes_no_letter(
    tmp_path: Path, proxy: Faults, charset: str, via: str
) -> None:
    proxy.hurt("^/", faults.said_to_be(charset))
    loaded = config(tmp_path, proxy, via)

    run = await collect(loaded)

    assert (run.verdict, run.new) == (Verdict.NEW, len(WRITTEN))
    assert texts(loaded) == WRITTEN


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (faults.refusal(500), Verdict.REFUSED_BY_ROBOTS),
        (faults.instead(reset()), Verdict.REFUSED_BY_ROBOTS),
        (faults.truncated, Verdict.REFUSED_BY_ROBOTS),
        (faults.instead(drip()), Verdict.REFUSED_BY_ROBOTS),
        (faults.refusal(429, "7"), Verdict.RATE_LIMITED),
        (faults.sent_to("http://10.0.0.8/robots.txt"), Verdict.UNREACHABLE),
    ],
    ids=["500", "reset", "truncated", "slow", "429", "redirected to a private address"],
)
async def test_while_robots_txt_fails_nothing_is_asked(
    tmp_path: Path, proxy: Faults, fault: Fault, verdict: Verdict
) -> None:
    proxy.hurt("^/robots.txt", fault)
    loaded = config(tmp_path, proxy, "rest")

    hurt = await collect(loaded)
    asked = [one.path for one in proxy.seen]
    proxy.heal()
    clean = await collect(loaded)

    assert (hurt.verdict, hurt.new, asked) == (verdict, 0, [])
    assert (clean.verdict, clean.new) == (Verdict.NEW, len(WRITTEN))
    assert texts(loaded) == WRITTEN
