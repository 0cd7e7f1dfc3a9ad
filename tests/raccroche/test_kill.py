"""`raccroche collect` killed at fifty random moments: one more run, and the set is exact."""

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche import routine
from raccroche.archive import Archive
from raccroche.config import Config
from raccroche.demo.content import Message, Thread
from raccroche.demo.site import Server, running
from raccroche.demo.wordpress import WordPress
from raccroche.replay import replay
from raccroche.store import Store
from tests.servers import forked
from tests.servers.collecting import configured, source_table
from tests.servers.mastodon import Mastodon, mastodon

pytestmark = pytest.mark.slow
SEED, KILLS = 20261124, 50
STATUSES, COMMENTS = 100, 100
START = datetime(2026, 9, 1, 8, tzinfo=UTC)


class Sites:
    """Two sites, ten pages each, that are read side by side."""

    def __init__(self, statuses: Mastodon, blog: Server) -> None:
        self.statuses, self.blog = statuses, blog

    @property
    def asked(self) -> int:
        return len(self.statuses.asked) + len(self.blog.asked)

    @property
    def written(self) -> set[str]:
        toots = {f"status {n}" for n in range(1, STATUSES + 1)}
        return toots | {f"comment {n}" for n in range(1, COMMENTS + 1)}


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    with ExitStack() as stack:
        statuses, blog = stack.enter_context(mastodon()), stack.enter_context(running(Server()))
        for n in range(1, STATUSES + 1):
            statuses.add(n, f"status {n}", START + timedelta(minutes=n))
        messages = tuple(
            Message(n, START + timedelta(minutes=n), "Maëlle", f"comment {n}")
            for n in range(1, COMMENTS + 1)
        )
        article = Thread(9_000, "Panne", START, "Encore une coupure.", messages)
        blog.application = WordPress(blog.url, "Gazette", [article])
        yield Sites(statuses, blog)


def config(folder: Path, sites: Sites) -> Config:
    return configured(
        folder,
        [sites.statuses.url, sites.blog.url],
        source_table(
            "statuses",
            "mastodon",
            instance=sites.statuses.url,
            tags=["demarchage"],
            page_size=10,
        )
        + source_table("comments", "wordpress", site=sites.blog.url, page_size=10),
        rate=80.0,
        archive="warc",
        cache="cache.sqlite3",
    )


def kill(loaded: Config, sites: Sites, requests: int, seconds: float) -> bool:
    """Kill a collection *seconds* after its *requests*; whether it was still running."""
    before, until = sites.asked, time.monotonic() + 60
    worker = forked.begin(loaded.path, "collect")
    while sites.asked - before < requests and worker.is_alive() and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(seconds)
    worker.kill()
    worker.join()
    return worker.exitcode == -signal.SIGKILL


def collect(loaded: Config) -> None:
    """One more run, as the command does it, but as fast as it can."""
    quick = replace(loaded, collect=replace(loaded.collect, rate=100_000.0))
    with Store.open(quick.store_url) as store:
        asyncio.run(routine.collect(quick, store))


def texts(store: Store) -> list[str]:
    return sorted(post.text for post in store.unlabelled("nobody@1", 10_000))


def archived(loaded: Config, folder: Path) -> list[str]:
    """What today's parsers find in the raw answers."""
    with Store.open(f"sqlite:///{folder / 'replayed.sqlite3'}") as store:
        replay(
            loaded, store, Archive(loaded.resolve(loaded.collect.archive)).answers(), via="replay"
        )
        return texts(store)


def test_killed_at_fifty_random_moments_one_more_run_makes_the_set_exact(
    tmp_path: Path, sites: Sites
) -> None:
    draw, expected = random.Random(SEED), sorted(sites.written)
    before = sites.asked
    whole = forked.begin(config(tmp_path / "whole", sites).path, "collect")
    whole.join(60)
    assert whole.exitcode == 0
    requests = sites.asked - before

    found: list[int] = []
    for trial in range(2 * KILLS):  # some end before they are killed
        folder = tmp_path / str(trial)
        loaded = config(folder, sites)
        if not kill(loaded, sites, draw.randrange(requests), draw.uniform(0, 0.02)):
            continue
        with Store.open(loaded.store_url) as store:
            found.append(len(texts(store)))
            assert store.check() == []
        collect(loaded)
        with Store.open(loaded.store_url) as store:
            assert texts(store) == expected, f"seed {SEED}, trial {trial}"
            assert store.check() == []
        assert archived(loaded, folder) == expected, f"seed {SEED}, trial {trial}"
        if len(found) == KILLS:
            break
    print(f"killed {len(found)} times within {requests} requests; stored then: {sorted(found)}")
    assert len(found) == KILLS
    assert len(set(found)) > KILLS / 5  # at many different moments
