"""Rounds by the clock, in the foreground: cron expressions, a time zone, jitter, a clean stop."""

import asyncio
import logging
import random
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from nlp.types import Labeller
from raccroche import pipeline
from raccroche.config import Config
from raccroche.errors import ConfigError, RaccrocheError
from raccroche.routine import Round, run_round
from raccroche.store import Store

log = logging.getLogger(__name__)

LOOK = 30.0  # seconds after which the clock is looked at again: it may have been set
SET_BACK = timedelta(seconds=2)  # a smaller step back is no more than a correction


def timetable(config: Config) -> Mapping[str, tuple[str, ...]]:
    """
    Cron expression -> the enabled sources that run by it.

    Raises ConfigError naming the expression, the zone, or the absence of any enabled source.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for job in pipeline.jobs(config):
        sources[job.config.cron or config.schedule.cron].append(job.config.name)
    if not sources:
        raise ConfigError(f"{config.path}: no source is enabled; see `raccroche sources`")
    for cron in sources:
        trigger(config, cron)
    return {cron: tuple(names) for cron, names in sources.items()}


@dataclass(frozen=True, slots=True)
class Moments:
    """
    The moments of a cron expression in a time zone, as Debian's cron has them.

    A fixed hour that a change of clocks skips comes right after it, one that comes twice counts
    once.
    """

    cron: str
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime:
        """The first one later than *moment*, in UTC."""
        return next(CronSim(self.cron, moment.astimezone(self.zone))).astimezone(UTC)

    def following(self, last: datetime | None, present: datetime) -> datetime:
        """
        When a round is due after the one that began at *last*: *present* if one was missed.

        A *last* that lies ahead of *present* means that the clock was set back. By little: the
        round that was done is not done again. By more than a round takes to come: the timetable
        starts anew at the present, since else nothing would be done until the old time is reached.
        """
        if last is None:
            return present
        due = self.after(last)
        if last > present and due - present > 2 * (due - last):
            return self.after(present)
        return max(due, present)


def trigger(config: Config, cron: str) -> Moments:
    """The moments of a cron expression of five fields, or ConfigError."""
    try:
        if len(cron.split()) != 5:
            raise CronSimError("five fields are needed: minute hour day month weekday")
        CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ConfigError(f"{config.path}: cron {cron!r}: {error}") from error
    return Moments(cron, _zone(config))


def _zone(config: Config) -> ZoneInfo:
    try:
        return ZoneInfo(config.schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{config.path}: [schedule] timezone {config.schedule.timezone!r} is not a time zone"
        ) from error


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
