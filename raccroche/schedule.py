"""Rounds by the clock, in the foreground: cron expressions, a time zone, jitter, a clean stop."""

import asyncio
import logging
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from nlp.types import Labeller
from raccroche.config import Config
from raccroche.errors import RaccrocheError
from raccroche.routine import Round, run_round
from raccroche.store import Store
from raccroche.timetable import Moments, timetable, trigger

log = logging.getLogger(__name__)

LOOK = 30.0  # seconds after which the clock is looked at again: it may have been set
SET_BACK = timedelta(seconds=2)  # a smaller step back is no more than a correction


def in_utc() -> datetime:
    return datetime.now(UTC)


async def keep_running(
    config: Config,
    store: Store,
    labeller: Labeller,
    *,
    told: Callable[[Round], None] = lambda done: None,
    now: Callable[[], datetime] = in_utc,
) -> None:
    """
    Run rounds by the timetable until SIGTERM or SIGINT, then stop at the next safe point.

    Rounds never overlap: one that is due while another runs waits. A round missed while the machine
    slept is made up once. What goes wrong in a round is logged; the next one comes all the same.
    """
    gate = asyncio.Lock()

    async def one(names: tuple[str, ...], stop: asyncio.Event) -> None:
        async with gate:
            if stop.is_set():
                return
            try:
                told(await run_round(config, store, labeller, only=names, stop=stop))
            except RaccrocheError as error:
                log.error("this round was not finished: %s", error)

    with _stopped_by_signals() as stop:
        async with asyncio.TaskGroup() as lines:
            for cron, names in timetable(config).items():
                moments, jitter = trigger(config, cron), config.schedule.jitter_seconds
                line = Line(moments, jitter, now, stop, _seen(store, names))
                lines.create_task(line.keep(partial(one, names, stop)))


@dataclass(slots=True)
class Line:
    """One line of the timetable: when its rounds are due, whatever is done to the clock."""

    moments: Moments
    jitter: float
    now: Callable[[], datetime]
    stop: asyncio.Event
    last: datetime | None

    async def keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work* whenever it is due, until told to stop."""
        while not self.stop.is_set():
            if await self._due():
                self.last = self.now()
                await work()

    async def _due(self) -> bool:
        """Wait for the next moment; False if told to stop, or if the clock was set back."""
        seen = self.now()
        due = self.moments.following(self.last, seen)
        if due > seen:
            due += timedelta(seconds=random.uniform(0, self.jitter))  # noqa: S311 - not a secret
        while (present := self.now()) < due:
            if present < seen - SET_BACK:
                log.warning("the clock was set back by %s", seen - present)
                return False
            seen = present
            with suppress(TimeoutError):
                left = min(LOOK, (due - present).total_seconds())
                await asyncio.wait_for(self.stop.wait(), left)
                return False
        return True


def _seen(store: Store, names: tuple[str, ...]) -> datetime | None:
    """When these sources were last asked, the one that waits longest; None if one never was."""
    runs = store.last_runs()
    asked = [runs[name].started_at for name in names if name in runs]
    return min(asked) if len(asked) == len(names) else None


@contextmanager
def _stopped_by_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        log.warning("stopping at the next safe point")
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, end)
    try:
        yield stop
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
