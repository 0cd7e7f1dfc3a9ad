"""Collecting over real HTTP into a real database: what is stored, not lost, and said."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raccroche import config as configuration
from raccroche import pipeline
from raccroche.config import Config
from raccroche.errors import ConfigError
from raccroche.http import Client
from raccroche.post import Page, Run, Verdict
from raccroche.store import Store, StoredPost
from tests.servers.collecting import configured, source_table
from tests.servers.mastodon import Mastodon, mastodon

START = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site() -> Iterator[Mastodon]:
    with mastodon() as server:
        for number in range(1, 101):
            server.add(number, f"Message numéro {number} sur un sujet", at(number))
        yield server


def at(number: int) -> datetime:
    return START + timedelta(minutes=number)


def config(folder: Path, site: Mastodon, more: str = "") -> Config:
    return configured(
        folder,
        [site.url],
        source_table("tag", "mastodon", instance=site.url, tags=["demarchage"], page_size=10)
        + more,
    )


async def collect(loaded: Config, since: datetime | None = None) -> list[Run]:
    with Store.open(loaded.store_url) as store:
        async with client(loaded) as polite:
            return await pipeline.collect(loaded, store, polite, since=since)


def client(loaded: Config) -> Client:
    options = loaded.collect
    return Client(
        options.contact,
        options.user_agent,
        allow_hosts=options.allow_hosts,
        polite=False,
        sleep=no_wait,
    )


async def no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


def stored(loaded: Config) -> set[str]:
    return {post.native_id for post in posts(loaded)}


def posts(loaded: Config) -> list[StoredPost]:
    with Store.open(loaded.store_url) as store:
        return store.unlabelled("nobody@1", 10_000)


async def test_a_collection_stores_every_page_and_says_so(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    (run,) = await collect(loaded)
    assert (run.verdict, run.new, run.got) == (Verdict.NEW, 100, 100)
    assert stored(loaded) == {str(n) for n in range(1, 101)}


async def test_a_second_run_asks_little_and_finds_nothing_new(
    tmp_path: Path, site: Mastodon
) -> None:
    loaded = config(tmp_path, site)
    await collect(loaded)
    site.asked.clear()
    (run,) = await collect(loaded)
    assert (run.verdict, run.new) == (Verdict.NOTHING_NEW, 0)
    assert len(site.asked) < 4


async def test_only_new_posts_are_new(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    await collect(loaded)
    for number in range(101, 131):
        site.add(number, f"Un nouveau message, le {number}", at(number))
    (run,) = await collect(loaded)
    assert (run.verdict, run.new) == (Verdict.NEW, 30)
    assert len(stored(loaded)) == 130


async def test_a_server_that_fails_in_the_middle_leaves_no_hole(
    tmp_path: Path, site: Mastodon
) -> None:
    loaded = config(tmp_path, site)
    site.fail = {3: 403}
    (run,) = await collect(loaded)
    assert run.verdict == Verdict.LOGIN_WALL
    assert run.new == 20
    site.fail = {}
    (run,) = await collect(loaded)
    assert run.verdict == Verdict.NEW
    assert stored(loaded) == {str(n) for n in range(1, 101)}


async def test_html_instead_of_json_is_a_changed_layout(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    site.broken = b"<html><body>Maintenance</body></html>"
    (run,) = await collect(loaded)
    assert run.verdict == Verdict.LAYOUT_CHANGED
    assert "HTML" in run.message


async def test_truncated_json_is_a_changed_layout(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    site.broken = b'[{"id": "1", "content": "abc'
    (run,) = await collect(loaded)
    assert run.verdict == Verdict.LAYOUT_CHANGED
    assert "truncated" in run.message


async def test_an_unreachable_host_stops_no_other_source(tmp_path: Path, site: Mastodon) -> None:
    more = """
[sources.gone]
platform = "mastodon"
enabled = true
purpose = "test"
instance = "https://nowhere.invalid"
tags = ["a"]
"""
    loaded = config(tmp_path, site, more)
    runs = {run.source: run for run in await collect(loaded)}
    assert runs["gone"].verdict == Verdict.UNREACHABLE
    assert runs["tag"].new == 100


async def test_authors_are_pseudonyms_and_numbers_are_masked(
    tmp_path: Path, site: Mastodon
) -> None:
    site.statuses.clear()
    site.add(1, "Appel du 01 99 00 12 34, écrivez à zoe@example.org", at(1), author="zoe_test")
    loaded = config(tmp_path, site)
    await collect(loaded)
    (post,) = posts(loaded)
    assert post.author is not None
    assert post.author.startswith("p_")
    assert "12 34" not in post.text
    assert "zoe@example.org" not in post.text
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("db.sqlite3*"))
    assert b"zoe@example.org" not in raw


async def test_since_is_a_limit(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    (run,) = await collect(loaded, since=at(81))
    assert run.new == 20
    assert stored(loaded) == {str(n) for n in range(81, 101)}


async def test_a_wrong_setting_stops_before_the_first_request(
    tmp_path: Path, site: Mastodon
) -> None:
    loaded = config(tmp_path, site, "tagz = ['a']")
    with pytest.raises(ConfigError, match=r"\[sources.tag\] unknown setting 'tagz'"):
        await collect(loaded)
    assert site.asked == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('platform = "mastodon"', 'platform = "mastodn"'), "unknown platform 'mastodn'"),
        (('purpose = "test"', 'purpose = ""'), "purpose is missing"),
        (('tags = ["demarchage"]', "tags = []"), "tags"),
    ],
)
def test_a_source_must_be_sound(
    tmp_path: Path, site: Mastodon, change: tuple[str, str], words: str
) -> None:
    loaded = config(tmp_path, site)
    loaded.path.write_text(loaded.path.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(ConfigError, match=words):
        pipeline.jobs(configuration.load(loaded.path))


def test_an_unknown_source_is_named(tmp_path: Path, site: Mastodon) -> None:
    with pytest.raises(ConfigError, match="no source 'forum'; known: tag"):
        pipeline.jobs(config(tmp_path, site), ["forum"])


@pytest.mark.parametrize("pages", [1, 4, 8])
async def test_kill_9_loses_nothing(tmp_path: Path, site: Mastodon, pages: int) -> None:
    """Killed after some pages, the next run ends with exactly the set of the site."""
    loaded = config(tmp_path, site, "")
    command = [sys.executable, "-m", "raccroche", "-c", str(loaded.path), "collect"]
    slow = loaded.path.read_text("utf-8").replace("rate = 10000.0", "rate = 20.0")
    loaded.path.write_text(slow, "utf-8")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(site.asked) < pages and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    await collect(loaded)
    assert stored(loaded) == {str(n) for n in range(1, 101)}
    with Store.open(loaded.store_url) as store:
        assert store.check() == []


@pytest.mark.parametrize("said", [-1, 10**30])
def test_a_total_that_no_source_can_have_is_none(said: int) -> None:
    assert Page(declared=said).declared is None
    assert Page(declared=12).declared == 12


def test_garbage_is_swept_seldom_while_collecting_and_as_before_afterwards() -> None:
    usual = gc.get_threshold()
    with pipeline.seldom_swept():
        assert gc.get_threshold()[0] > usual[0]
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0
