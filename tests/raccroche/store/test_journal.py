"""Runs, coverage and locks."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from raccroche.errors import StoreError
from raccroche.post import Run, Verdict
from raccroche.store import Store
from tests.raccroche.store.samples import NOON, post


def run(source: str = "blog", at: datetime = NOON, verdict: Verdict = Verdict.NEW) -> Run:
    return Run(
        source,
        "wordpress",
        at - timedelta(seconds=90),
        at,
        verdict,
        new=3,
        got=5,
        declared=9,
        robots="allowed",
    )


def test_runs_come_back_as_they_went_in_the_latest_first(store: Store) -> None:
    done = [run(at=NOON + timedelta(days=n), verdict=verdict) for n, verdict in enumerate(Verdict)]
    for one in done:
        store.record_run(one)
    assert store.runs() == done[::-1]
    assert store.runs(2) == done[:-3:-1]
    assert store.runs(source="other") == []
    assert store.status().last_run == done[-1]


def test_the_last_run_and_the_last_good_one_of_each_source(store: Store) -> None:
    good, bad = run(at=NOON), run(at=NOON + timedelta(days=1), verdict=Verdict.BLOCKED)
    other = run("feed", at=NOON - timedelta(days=5), verdict=Verdict.NOTHING_NEW)
    for one in (good, bad, other):
        store.record_run(one)
    assert store.last_runs() == {"blog": bad, "feed": other}
    assert store.run_seen("blog") == NOON
    assert store.run_seen("feed") == NOON - timedelta(days=5)
    assert store.run_seen("never") is None


def test_a_day_without_a_good_run_is_a_gap(store: Store) -> None:
    for at, verdict in ((0, Verdict.NEW), (1, Verdict.UNREACHABLE), (3, Verdict.NOTHING_NEW)):
        store.record_run(run(at=NOON + timedelta(days=at), verdict=verdict))
    store.add_page("blog", [post("1", published_at=NOON - timedelta(days=2))])
    found = store.coverage(date(2025, 2, 28), date(2025, 3, 6)).set_index("day")
    assert found["covered"].tolist() == [False, True, True, True, False, False, True]
    assert found.loc["2025-03-04", ["runs", "ok", "posts"]].tolist() == [1, 0, 0]
    assert found.loc["2025-03-01", "posts"] == 1


def test_another_collector_or_a_new_layout_changes_a_source(store: Store) -> None:
    verdicts = [Verdict.NEW, Verdict.LAYOUT_CHANGED, Verdict.LAYOUT_CHANGED, Verdict.NOTHING_NEW]
    for day, verdict in enumerate([*verdicts, Verdict.BLOCKED, Verdict.NEW]):
        store.record_run(run(at=NOON + timedelta(days=day), verdict=verdict))
    store.record_run(replace(run(at=NOON + timedelta(days=9)), platform="rss"))
    store.record_run(run("other"))
    assert [(one.source, one.day) for one in store.source_changes()] == [
        ("blog", (NOON + timedelta(days=3)).date()),
        ("blog", (NOON + timedelta(days=9)).date()),
    ]


def test_an_import_covers_the_days_it_spans(store: Store) -> None:
    store.add_posts(
        [post("1"), post("2", published_at=NOON + timedelta(days=2)), post("3", published_at=None)]
    )
    found = store.coverage(date(2025, 3, 2), date(2025, 3, 6))
    assert found["covered"].tolist() == [False, True, True, True, False]
    assert set(found["source"]) == {"import"}


def test_a_lock_is_held_by_one(store: Store, open_store: Callable[..., Store]) -> None:
    other = open_store()
    with store.lock("run"):
        with pytest.raises(StoreError, match="another Raccroche"), other.lock("run"):
            raise AssertionError("two hold one lock")
        with other.lock("something else"):
            pass
    with other.lock("run"):
        pass


def test_a_lock_outlives_no_killed_process(store: Store, url: str) -> None:
    program = (
        "import sys, time; from raccroche.store import Store\n"
        "with Store.open(sys.argv[1]) as store, store.lock('run'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="another Raccroche"), store.lock("run"):
        raise AssertionError("two hold one lock")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(10)
    holder.stdout.close()
    for _ in range(50):  # the PostgreSQL server notices within moments
        try:
            with store.lock("run"):
                return
        except StoreError:
            __import__("time").sleep(0.1)
    raise AssertionError("the lock of a dead process is still held")
