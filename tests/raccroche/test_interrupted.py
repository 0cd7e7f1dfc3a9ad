"""Ctrl-C and SIGTERM in the middle of a collection from a server that keeps it waiting."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nlp.types import Labels, Text
from raccroche import pipeline
from raccroche.cli.common import stopped_by_signals
from raccroche.config import Config
from raccroche.http import Client
from raccroche.labelling import load_labeller
from raccroche.post import Run, Verdict
from raccroche.routine import run_round
from raccroche.store import Store
from tests.servers.collecting import collect, configured, source_table
from tests.servers.mastodon import Mastodon, mastodon

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
HELD = 4  # the number of the request that is kept waiting
CAME = 20  # posts of the three pages before it: of two tags that have the same posts, by turns


@pytest.fixture
def site() -> Iterator[Mastodon]:
    with mastodon() as server:
        for number in range(1, 101):
            server.add(number, f"Message numéro {number}", START + timedelta(minutes=number))
        server.held_from = HELD
        yield server


def config(folder: Path, site: Mastodon, **options: object) -> Config:
    return configured(
        folder,
        [site.url],
        source_table(
            "tag", "mastodon", instance=site.url, tags=["demarchage", "harcelement"], page_size=10
        ),
        **options,
    )


def stored(loaded: Config) -> set[str]:
    with Store.open(loaded.store_url) as store:
        assert store.check() == []
        return {post.native_id for post in store.unlabelled("nobody@1", 1_000)}


def runs(loaded: Config) -> list[Run]:
    with Store.open(loaded.store_url) as store:
        return store.runs()


@contextmanager
def collecting(
    loaded: Config, site: Mastodon, command: str = "collect"
) -> Iterator["subprocess.Popen[str]"]:
    """`raccroche collect` (or `run`) in its own process, once the server keeps it waiting."""
    process = subprocess.Popen(
        [sys.executable, "-m", "raccroche", "-c", str(loaded.path), command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while len(site.asked) < HELD and time.monotonic() < until:
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(loaded: Config, site: Mastodon) -> Run:
    """One more run, with the server well again."""
    site.held_from = None
    site.go_on.set()
    return collect(loaded)


EVERYTHING = {str(number) for number in range(1, 101)}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["collect", "run"])
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_a_collection_soon_with_all_that_came(
    tmp_path: Path, site: Mastodon, name: signal.Signals, command: str
) -> None:
    loaded = config(tmp_path, site)
    with collecting(loaded, site, command) as process:
        process.send_signal(name)
        out, err = process.communicate(timeout=30)  # the server would wait for a minute

    assert process.returncode == 128 + name
    assert "once more stops at once" in err
    assert "interrupted, the rest is left for the next run" in err
    assert "Traceback" not in out + err
    assert len(stored(loaded)) == CAME
    (run,) = runs(loaded)
    assert (run.verdict, run.new) == (Verdict.NEW, CAME)
    assert finish(loaded, site).new == len(EVERYTHING) - CAME
    assert stored(loaded) == EVERYTHING


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once_and_loses_nothing(
    tmp_path: Path, site: Mastodon, name: signal.Signals
) -> None:
    loaded = config(tmp_path, site)
    with collecting(loaded, site) as process:
        process.send_signal(name)
        assert process.stderr is not None
        assert "once more" in process.stderr.readline()
        process.send_signal(name)
        began = time.monotonic()
        out, err = process.communicate(timeout=30)

    assert process.returncode == -name
    assert time.monotonic() - began < pipeline.GRACE
    assert "Traceback" not in out + err
    assert len(stored(loaded)) == CAME
    assert runs(loaded) == []
    assert finish(loaded, site).new == len(EVERYTHING) - CAME
    assert stored(loaded) == EVERYTHING


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_a_round_after_the_batch_of_labels_at_hand(
    tmp_path: Path, site: Mastodon, name: signal.Signals
) -> None:
    """While labels are made nobody else has the processor; the signal must be heard all the same"""
    site.held_from = None
    loaded = config(tmp_path, site)
    loaded = replace(loaded, nlp=replace(loaded.nlp, batch_size=10))
    labeller = load_labeller(loaded)

    with Store.open(loaded.store_url) as store, stopped_by_signals() as (stop, came):

        class Interrupted:
            name, version = labeller.name, labeller.version

            def label(self, texts: Sequence[Text]) -> Iterable[Labels]:
                if not came:
                    os.kill(os.getpid(), name)
                until = time.monotonic() + 10
                while not came and time.monotonic() < until:
                    time.sleep(0.01)
                return labeller.label(texts)

        done = await run_round(loaded, store, Interrupted(), stop=stop)
        assert (came, done.labelled, done.alerts) == ([name], 10, 0)
        again = await run_round(loaded, store, labeller)

    assert again.labelled == len(EVERYTHING) - 10


def test_what_an_interrupted_run_did_not_ask_is_asked_by_the_next(
    tmp_path: Path, site: Mastodon
) -> None:
    """Both tags are asked first; a run stopped before the second must not pass for one of both."""
    loaded = config(tmp_path, site)
    site.held_from = None

    async def run(stop: asyncio.Event) -> Run:
        def stop_at_once(source: str, *, got: int, new: int, declared: int | None) -> None:
            stop.set()

        allowed = loaded.collect.allow_hosts
        with Store.open(loaded.store_url) as store:
            async with Client("a@example.org", "t/1", allow_hosts=allowed, polite=False) as client:
                found = await pipeline.collect(
                    loaded, store, client, progress=stop_at_once, stop=stop
                )
                waiting = {request.url for request in store.pending("tag")}
        assert any(url.endswith("/harcelement") for url in waiting)
        return found[0]

    assert asyncio.run(run(asyncio.Event())).new == 10
    finish(loaded, site)
    assert stored(loaded) == EVERYTHING
    assert any("/harcelement" in path for path in site.asked)


def test_what_a_budget_left_out_is_asked_by_the_next_run(tmp_path: Path, site: Mastodon) -> None:
    site.held_from = None
    loaded = config(tmp_path, site, budget_requests=1)

    first = finish(loaded, site)

    assert "budget spent" in first.message
    assert (first.verdict, first.new) == (Verdict.NEW, 10)
    with Store.open(loaded.store_url) as store:
        assert any(request.url.endswith("/harcelement") for request in store.pending("tag"))
