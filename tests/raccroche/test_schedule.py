"""Rounds: everything once, never two at a time, told to a monitor, stopped cleanly."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from raccroche.config import Config
from raccroche.errors import ConfigError, StoreError
from raccroche.labelling import load_labeller
from raccroche.post import Run, Verdict
from raccroche.routine import Round, metrics, run_round
from raccroche.schedule import Line
from raccroche.store import Store
from raccroche.timetable import Moments, timetable
from tests.servers.collecting import configured, source_table
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
    return configured(
        folder,
        [site.url],
        f"""
[nlp]
labeller = "rules"
[schedule]
health_file = "health.json"
metrics_file = "raccroche.prom"
publish = "published"
jitter_seconds = 0
{more}
[alerts]
feed = "alerts.atom"
{source_table("tag", "mastodon", instance=site.url, tags=["demarchage"])}{source}
""",
    )


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
    tag = told["sources"]["tag"]
    assert (tag["verdict"], tag["new"], tag["got"]) == ("new", 20, 20)
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
        ('cron = "* * * * * *"', "five fields"),
        ('cron = "0 0 31 2 *"', "Bad day"),
        ('timezone = "Europe/Lutece"', "'Europe/Lutece' is not a time zone"),
    ],
)
def test_a_wrong_timetable_is_refused(
    tmp_path: Path, site: Mastodon, more: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words.replace("*", r"\*")):
        timetable(config(tmp_path, site, more))


async def test_health_tells_of_sources_that_this_round_did_not_ask(
    tmp_path: Path, site: Mastodon
) -> None:
    other = '[sources.other]\nplatform = "mastodon"\nenabled = true\npurpose = "test"\n'
    other += f'instance = "{site.url}"\ntags = ["autre"]\n'
    loaded = config(tmp_path, site, source=other)
    with Store.open(loaded.store_url) as store:
        site.fail = {1: 403, 2: 403}
        await run_round(loaded, store, load_labeller(loaded), only=["tag"])
        site.fail = {}
        done = await run_round(loaded, store, load_labeller(loaded), only=["other"])
    told = json.loads((tmp_path / "health.json").read_text("utf-8"))
    assert done.well
    assert told["well"] is False
    assert told["sources"]["other"]["verdict"] == "new"
    assert told["sources"]["tag"]["verdict"] not in ("new", "nothing_new")


def test_metrics_are_read_by_prometheus(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    name = 'a "b"\\c\nd'
    with Store.open(tmp_path / "s.sqlite3") as store:
        for source, verdict, new in ((name, Verdict.NEW, 4), ("forum", Verdict.BLOCKED, 0)):
            store.record_run(Run(source, "phpbb", at, at + timedelta(seconds=2), verdict, new=new))
        text = metrics(store, Round(at), store.last_runs())
    families = {one.name: one for one in parser.text_string_to_metric_families(text)}
    assert len(families) == text.count("# TYPE") == text.count("# HELP") == 10
    assert {one.type for one in families.values()} == {"gauge"}
    ok = {one.labels["source"]: one.value for one in families["raccroche_source_ok"].samples}
    assert ok == {name: 1, "forum": 0}
    (seen,) = families["raccroche_source_last_ok_timestamp_seconds"].samples
    assert (seen.labels["source"], seen.value) == (name, at.timestamp() + 2)
    assert families["raccroche_last_round_well"].samples[0].value == 0


def test_metrics_of_an_empty_store_are_read_by_prometheus(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    with Store.open(tmp_path / "s.sqlite3") as store:
        text = metrics(store, Round(datetime(2026, 1, 1, tzinfo=UTC)), {})
    names = {one.name for one in parser.text_string_to_metric_families(text)}
    assert "raccroche_posts" in names
    assert "raccroche_source_ok" not in names


# When ------------------------------------------------------------------------------------------

PARIS = ZoneInfo("Europe/Paris")
UTC_ZONE = ZoneInfo("UTC")


def local(moments: Moments, first: str, many: int) -> list[str]:
    """The next *many* moments after a local time, as local times with their offset."""
    moment, found = datetime.fromisoformat(first).replace(tzinfo=moments.zone), []
    for _ in range(many):
        moment = moments.after(moment)
        found.append(moment.astimezone(moments.zone).isoformat(timespec="minutes")[5:])
    return found


@pytest.mark.parametrize(
    ("cron", "first", "expected"),
    [
        # the night of autumn, 3 o'clock comes after 2 o'clock twice
        ("30 2 * * *", "2026-10-24T12:00", ["10-25T02:30+02:00", "10-26T02:30+01:00"]),
        ("30 * * * *", "2026-10-25T02:00", ["10-25T02:30+02:00", "10-25T02:30+01:00"]),
        # the night of spring has no half past two
        ("30 2 * * *", "2027-03-27T12:00", ["03-28T03:00+02:00", "03-29T02:30+02:00"]),
        ("30 * * * *", "2027-03-28T01:00", ["03-28T01:30+01:00", "03-28T03:30+02:00"]),
        # Monday is 1, as cron has it
        ("0 9 * * 1-5", "2026-11-20T12:00", ["11-23T09:00+01:00", "11-24T09:00+01:00"]),
    ],
)
def test_moments_are_those_of_cron_also_when_the_clocks_change(
    cron: str, first: str, expected: list[str]
) -> None:
    assert local(Moments(cron, PARIS), first, 2) == expected


@pytest.mark.parametrize("night", ["2026-10-24", "2027-03-27"])
@pytest.mark.parametrize("cron", ["*/10 * * * *", "17 */2 * * *", "30 2 * * *", "5 0-4 * * *"])
def test_moments_go_on_and_never_repeat_around_a_change_of_clocks(cron: str, night: str) -> None:
    moments = Moments(cron, PARIS)
    moment = datetime.fromisoformat(f"{night}T00:00").replace(tzinfo=PARIS)
    end = moment + timedelta(days=3)
    while moment < end:
        following = moments.after(moment)
        assert following > moment
        assert following - moment < timedelta(hours=26)
        moment = following


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOURLY = Moments("0 * * * *", UTC_ZONE)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, 0),  # never: at once
        (-5, 0),  # missed for hours: at once, and once
        (0.5, 1.0),  # done at half past by a clock that was half an hour ahead: not again
        (1.0, 2.0),  # done by a clock that was an hour ahead: the next full hour of that clock
        (24 * 365, 1.0),  # ten years ahead, or one: the timetable starts anew
    ],
)
def test_a_clock_that_was_ahead_neither_repeats_nor_stalls_rounds(
    last: float | None, due: float
) -> None:
    """Hours from noon."""
    before = None if last is None else NOON + timedelta(hours=last)
    assert HOURLY.following(before, NOON) == NOON + timedelta(hours=due)


class Clock:
    """A clock that goes *speed* times as fast as ours, and that may be set."""

    def __init__(self, speed: float) -> None:
        self.speed, self.began, self.shift = speed, time.monotonic(), timedelta()

    def __call__(self) -> datetime:
        return NOON + self.shift + self.speed * timedelta(seconds=time.monotonic() - self.began)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is looked at every hundredth of a second."""
    monkeypatch.setattr("raccroche.schedule.LOOK", 0.01)


async def test_setting_the_clock_back_while_waiting_starts_the_timetable_anew(
    often: None,
) -> None:
    """A round an hour, an hour in half a second; after two rounds the clock goes back a year."""
    clock, stop, done = Clock(7200), asyncio.Event(), []

    async def work() -> None:
        done.append(clock())
        if len(done) == 2:
            clock.shift = timedelta(days=-365)
        if len(done) == 5:
            stop.set()

    started = time.monotonic()
    line = Line(HOURLY, 0.0, clock, stop, clock() - timedelta(minutes=1))
    await asyncio.wait_for(line.keep(work), 30)
    assert [at.year for at in done] == [2026, 2026, 2025, 2025, 2025]
    assert [later - earlier > timedelta(minutes=50) for earlier, later in pairwise(done[2:])] == [
        True,
        True,
    ]
    assert time.monotonic() - started < 10, "no round was waited for until the old time came"


async def test_setting_the_clock_back_by_minutes_does_not_repeat_a_round(often: None) -> None:
    clock, stop, done = Clock(7200), asyncio.Event(), []
    real: list[float] = []

    async def work() -> None:
        done.append(clock())
        real.append(time.monotonic())
        if len(done) == 1:
            clock.shift = timedelta(minutes=-30)  # the hour will strike again
        if len(done) == 3:
            stop.set()

    line = Line(HOURLY, 0.0, clock, stop, clock() - timedelta(minutes=1))
    await asyncio.wait_for(line.keep(work), 30)
    hours = [at.replace(minute=0, second=0, microsecond=0) for at in done]
    assert len(set(hours)) == 3
    assert real[1] - real[0] > 0.5, "an hour and a half by the clock that was set back"


async def test_jitter_spreads_rounds_after_their_moment(often: None) -> None:
    clock, stop, done = Clock(7200), asyncio.Event(), []

    async def work() -> None:
        done.append(clock())
        if len(done) == 4:
            stop.set()

    await Line(HOURLY, 1800.0, clock, stop, clock()).keep(work)
    late = [(at - at.replace(minute=0, second=0, microsecond=0)) for at in done]
    assert max(late) < timedelta(minutes=50)
    assert len({int(one.total_seconds()) // 30 for one in late}) > 1


async def test_rounds_that_were_due_together_are_made_up_once(often: None) -> None:
    clock, stop, done = Clock(7200), asyncio.Event(), []

    async def work() -> None:
        done.append(clock())
        if len(done) == 1:
            clock.shift = timedelta(hours=8)  # the machine slept
        if len(done) == 3:
            stop.set()

    await Line(HOURLY, 0.0, clock, stop, clock()).keep(work)
    assert done[1] - done[0] < timedelta(hours=9)
    assert timedelta(0) < done[2] - done[1] <= timedelta(hours=1, minutes=30)


async def test_a_round_that_was_recorded_in_the_future_neither_stops_collecting_nor_repeats(
    tmp_path: Path, site: Mastodon
) -> None:
    """A clock that stood in 2036 for one round; then it was set right."""
    travel = pytest.importorskip("time_machine").travel
    loaded = config(tmp_path, site)
    with travel(datetime(2036, 1, 1, tzinfo=UTC), tick=True):
        assert (await one_round(loaded)).runs[0].new == 20
    site.add(21, "Orange m'appelle encore, malgré Bloctel", datetime.now(UTC))
    done = await one_round(loaded)
    assert done.well
    assert (done.runs[0].new, done.labelled) == (1, 1)
    with Store.open(loaded.store_url) as store:
        assert store.last_runs()["tag"].finished_at.year < 2036
        assert store.runs(1)[0].new == 1
        assert store.check() == []


async def test_the_clock_set_back_in_the_middle_of_a_round(tmp_path: Path, site: Mastodon) -> None:
    travel = pytest.importorskip("time_machine").travel
    loaded = config(tmp_path, site)
    with Store.open(loaded.store_url) as store, travel(datetime.now(UTC), tick=True) as clock:

        def back(source: str, **counts: object) -> None:
            clock.shift(timedelta(hours=-5))

        done = await run_round(loaded, store, load_labeller(loaded), progress=back)
        assert done.well
        assert (done.runs[0].new, done.labelled, store.status().pending) == (20, 20, 0)
        assert (await run_round(loaded, store, load_labeller(loaded))).runs[0].new == 0
    told = (tmp_path / "raccroche.prom").read_text("utf-8")
    assert "raccroche_source_seconds" in told
    assert "} -" not in told


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
