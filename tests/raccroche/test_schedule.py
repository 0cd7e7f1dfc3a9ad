"""Rounds: everything once, never two at a time, told to a monitor, stopped cleanly."""

import json
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
from raccroche.config import Config
from raccroche.errors import ConfigError, StoreError
from raccroche.labelling import load_labeller
from raccroche.routine import Round, metrics, run_round
from raccroche.schedule import timetable
from raccroche.store import Store
from tests.servers.mastodon import Mastodon, mastodon


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site() -> Iterator[Mastodon]:
    with mastodon() as server:
        for number in range(1, 21):
            at = datetime.now(UTC) - timedelta(days=30 - number)
            server.add(number, f"Orange m'appelle {number} fois par jour, c'est pénible", at)
        yield server


def config(folder: Path, site: Mastodon, more: str = "", source: str = "") -> Config:
    path = folder / "config.toml"
    path.write_text(
        f"""
[store]
url = "db.sqlite3"
[collect]
contact = "test@example.org"
allow_hosts = ["127.0.0.1:{site.server_port}"]
rate = 10000.0
archive = ""
cache = ""
[nlp]
labeller = "rules"
[privacy]
key_file = "key"
[schedule]
health_file = "health.json"
metrics_file = "raccroche.prom"
publish = "published"
jitter_seconds = 0
{more}
[alerts]
feed = "alerts.atom"
[sources.tag]
platform = "mastodon"
enabled = true
purpose = "test"
instance = "{site.url}"
tags = ["demarchage"]
{source}
""",
        encoding="utf-8",
    )
    return configuration.load(path)


async def one_round(loaded: Config) -> Round:
    with Store.open(loaded.store_url) as store:
        return await run_round(loaded, store, load_labeller(loaded))


async def test_a_round_collects_labels_publishes_and_says_so(
    tmp_path: Path, site: Mastodon
) -> None:
    done = await one_round(config(tmp_path, site))
    assert done.well
    assert (done.runs[0].new, done.labelled, done.published) == (20, 20, 20)
    told = json.loads((tmp_path / "health.json").read_text("utf-8"))
    assert told["well"] is True
    assert told["sources"]["tag"] == {"verdict": "new", "new": 20, "got": 20}
    assert 'raccroche_source_new_posts{source="tag"} 20' in (tmp_path / "raccroche.prom").read_text(
        "utf-8"
    )
    assert (tmp_path / "published/manifest.json").exists()
    assert (tmp_path / "alerts.atom").exists()


async def test_a_second_round_changes_nothing(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    await one_round(loaded)
    done = await one_round(loaded)
    assert done.well
    assert (done.runs[0].new, done.labelled, done.published) == (0, 0, 20)


async def test_a_failed_source_makes_the_round_unwell_and_labels_the_rest(
    tmp_path: Path, site: Mastodon
) -> None:
    site.fail = {2: 403, 1: 403}
    done = await one_round(config(tmp_path, site))
    assert not done.well
    assert json.loads((tmp_path / "health.json").read_text("utf-8"))["well"] is False


async def test_two_rounds_never_run_at_a_time(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    with Store.open(loaded.store_url) as store, store.lock("run"), pytest.raises(StoreError):
        await one_round(loaded)
    assert site.asked == []


async def test_the_lock_is_gone_with_a_killed_process(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site)
    code = (
        "import sys, time\nfrom raccroche.store import Store\n"
        f"with Store.open({loaded.store_url!r}) as s, s.lock('run'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert (await one_round(loaded)).well


def test_sources_are_grouped_by_their_cron(tmp_path: Path, site: Mastodon) -> None:
    loaded = config(tmp_path, site, 'cron = "0 * * * *"', source='cron = "5 4 * * *"')
    assert timetable(loaded) == {"5 4 * * *": ("tag",)}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('cron = "every day"', "cron 'every day'"),
        ('cron = "61 * * * *"', "cron '61"),
        ('timezone = "Europe/Lutece"', "'Europe/Lutece' is not a time zone"),
    ],
)
def test_a_wrong_timetable_is_refused(
    tmp_path: Path, site: Mastodon, more: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words.replace("*", r"\*")):
        timetable(config(tmp_path, site, more))


def test_metrics_escape_what_a_name_may_hold(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.sqlite3") as store:
        text = metrics(store, Round(datetime(2026, 1, 1, tzinfo=UTC)))
    assert "raccroche_last_round_well 1" in text
    assert text.endswith("\n")


def test_the_scheduler_makes_up_a_missed_round_and_stops_on_sigterm(
    tmp_path: Path, site: Mastodon
) -> None:
    loaded = config(tmp_path, site, 'cron = "0 4 1 1 *"')
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "raccroche", "-c", str(loaded.path), "schedule"],
        stdout=log,
        stderr=log,
    )
    try:
        wait_for(tmp_path / "health.json")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
        log.close()
    assert json.loads((tmp_path / "health.json").read_text("utf-8"))["labelled"] == 20


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 90
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists()
