"""Several collectors and labellers at work on one database at once, some of them killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche.errors import StoreError
from raccroche.labelling import shown_labeller
from raccroche.store import Filters, Store
from tests.servers import postgres
from tests.servers.mastodon import Mastodon, mastodon

EACH = 900  # posts of each of two servers
CONFIG = """
[store]
url = "{url}"
[collect]
contact = "test@example.org"
allow_hosts = [{hosts}]
rate = 10000.0
archive = ""
cache = ""
[nlp]
labeller = "rules"
batch_size = 40
[privacy]
key_file = "key"
"""
SOURCE = """
[sources.{name}]
platform = "mastodon"
enabled = true
purpose = "test"
instance = "{url}"
tags = ["demarchage"]
"""
# Labels until the file that says "all are collected" is there, then once more.
LABELLER = """
import sys
from pathlib import Path
from raccroche.cli import app
done = Path(sys.argv[1])
last = False
while not last:
    last = done.exists()
    app(["-c", sys.argv[2], "label"], standalone_mode=False)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres.server() as url:
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with postgres.database(server) as found:
        yield found


@contextmanager
def two_sites() -> Iterator[list[Mastodon]]:
    with ExitStack() as stack:
        sites = [stack.enter_context(mastodon()) for _ in range(2)]
        for place, site in enumerate(sites):
            for n in range(EACH):
                at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=n)
                text = f"Orange m'appelle {n} fois par jour, c'est pénible, site {place}"
                site.add(place * 100_000 + n, text, at)
        yield sites


def configured(folder: Path, url: str, sites: list[Mastodon]) -> Path:
    path = folder / "config.toml"
    hosts = ", ".join(f'"127.0.0.1:{site.server_port}"' for site in sites)
    named = [SOURCE.format(name=f"s{n}", url=site.url) for n, site in enumerate(sites)]
    path.write_text(CONFIG.format(url=url, hosts=hosts) + "".join(named), encoding="utf-8")
    return path


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def collector(config: Path, name: str) -> "subprocess.Popen[str]":
    return start("-m", "raccroche", "-c", str(config), "collect", name)


def ended(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def labelled(said: str) -> int:
    return sum(int(many) for many in re.findall(r"^(\d+) posts labelled", said, re.MULTILINE))


@contextmanager
def running(processes: "list[subprocess.Popen[str]]") -> Iterator[None]:
    """None of them outlives a test that fails."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait(10)


def all_are_there_once(url: str) -> None:
    with Store.open(url) as store:
        rows = list(store.iterate(Filters(shown_labeller(store), with_copies=True)))
        found = Counter(row.post.id for row in rows)
        assert len(found) == 2 * EACH
        assert set(found.values()) == {1}
        assert all(row.labels is not None for row in rows)
        assert store.unlabelled(shown_labeller(store), 10) == []
        before = store.totals(Filters(shown_labeller(store)))
        assert store.check() == []
        store.rebuild_counts()
        assert store.totals(Filters(shown_labeller(store))) == before


@pytest.mark.server
@pytest.mark.slow
def test_two_collectors_and_three_labellers_share_the_work(tmp_path: Path, url: str) -> None:
    """What the labellers say to have labelled adds up to the posts: nothing was done twice."""
    with two_sites() as sites:
        path, done = configured(tmp_path, url, sites), tmp_path / "collected"
        Store.open(url).close()
        collectors = [collector(path, name) for name in ("s0", "s1")]
        labellers = [start("-c", LABELLER, str(done), str(path)) for _ in range(3)]
        with running([*collectors, *labellers]):
            for process in collectors:
                ended(process)
            done.touch()
            each = [labelled(ended(process)) for process in labellers]
    assert sum(each) == 2 * EACH
    assert sum(many > 0 for many in each) >= 2, each
    all_are_there_once(url)


@pytest.mark.server
@pytest.mark.slow
def test_killed_collectors_and_labellers_leave_the_rest_to_the_others(
    tmp_path: Path, url: str
) -> None:
    with two_sites() as sites:
        path, done = configured(tmp_path, url, sites), tmp_path / "collected"
        Store.open(url).close()
        collectors = [collector(path, name) for name in ("s0", "s1")]
        labellers = [start("-c", LABELLER, str(done), str(path)) for _ in range(3)]
        with running([*collectors, *labellers]):
            wait_for_labels(url, 100)
            for process in (collectors[0], labellers[0]):
                os.kill(process.pid, signal.SIGKILL)
                process.communicate(timeout=10)
            ended(collectors[1])
            ended(collector(path, "s0"))
            done.touch()
            for process in labellers[1:]:
                ended(process)
    all_are_there_once(url)


def wait_for_labels(url: str, many: int) -> None:
    deadline = time.monotonic() + 60
    with Store.open(url) as store:
        while store.status().labels < many:
            assert time.monotonic() < deadline
            time.sleep(0.02)


HOLDER = """
import sys, time
from raccroche.store import Store
with Store.open(sys.argv[1]) as store, store.lock("run"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.server
def test_an_advisory_lock_is_gone_with_its_killed_holder(url: str) -> None:
    holder = start("-c", HOLDER, url)
    with running([holder]), Store.open(url) as store:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="another Raccroche is at work"), store.lock("run"):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate(timeout=10)
        held = eventually(lambda: taken(store))
    assert held


def taken(store: Store) -> bool:
    try:
        with store.lock("run"):
            return True
    except StoreError:
        return False


def eventually(ask: Callable[[], bool]) -> bool:
    """The server needs a moment to see that its client is gone."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if ask():
            return True
        time.sleep(0.05)
    return False
