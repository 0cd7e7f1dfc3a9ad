"""Rounds by the clock, in the foreground: cron expressions, a time zone, jitter, a clean stop."""

import asyncio
import logging
import random
import signal
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from nlp.types import Labeller
from raccroche import pipeline
from raccroche.config import Config
from raccroche.errors import ConfigError, RaccrocheError
from raccroche.routine import Round, run_round
from raccroche.store import Store

log = logging.getLogger(__name__)


def timetable(config: Config) -> Mapping[str, tuple[str, ...]]:
    """
    Cron expression -> the enabled sources that run by it.

    Raises ConfigError naming the expression, the zone, or the absence of any enabled source.
    """
    _zone(config)
    sources: dict[str, list[str]] = defaultdict(list)
    for job in pipeline.jobs(config):
        sources[job.config.cron or config.schedule.cron].append(job.config.name)
    if not sources:
        raise ConfigError(f"{config.path}: no source is enabled; see `raccroche sources`")
    for cron in sources:
        trigger(config, cron)
    return {cron: tuple(names) for cron, names in sources.items()}


def trigger(config: Config, cron: str) -> CronTrigger:
    """The moments of a cron expression, or ConfigError."""
    try:
        found = CronTrigger.from_crontab(cron, timezone=_zone(config))
    except ValueError as error:
        raise ConfigError(f"{config.path}: cron {cron!r}: {error}") from error
    found.jitter = config.schedule.jitter_seconds or None
    return found


def _zone(config: Config) -> ZoneInfo:
    try:
        return ZoneInfo(config.schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{config.path}: [schedule] timezone {config.schedule.timezone!r} is not a time zone"
        ) from error


async def keep_running(
    config: Config,
    store: Store,
    labeller: Labeller,
    *,
    told: Callable[[Round], None] = lambda done: None,
    now: Callable[[ZoneInfo], datetime] = datetime.now,
) -> None:
    """
    Run rounds by the timetable until SIGTERM or SIGINT, then stop at the next safe point.

    Rounds never overlap: one that is due while another runs waits. A round missed while the machine
    slept is made up once. What goes wrong in a round is logged; the next one comes all the same.
    """
    stop = asyncio.Event()
    gate = asyncio.Lock()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)

    async def one(names: tuple[str, ...]) -> None:
        async with gate:
            if stop.is_set():
                return
            try:
                told(await run_round(config, store, labeller, only=names, stop=stop))
            except RaccrocheError as error:
                log.error("this round was not finished: %s", error)

    scheduler = AsyncIOScheduler(timezone=_zone(config))
    for cron, names in timetable(config).items():
        scheduler.add_job(
            one,
            trigger(config, cron),
            args=[names],
            coalesce=True,
            max_instances=2,  # one runs, one waits at the gate
            misfire_grace_time=None,
            next_run_time=_first(config, store, names, now),
        )
    scheduler.start()
    try:
        await stop.wait()
        log.warning("stopping at the next safe point")
        scheduler.pause()
        async with gate:  # the round at hand ends after its page
            pass
    finally:
        scheduler.shutdown(wait=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


def _first(
    config: Config, store: Store, names: tuple[str, ...], now: Callable[[ZoneInfo], datetime]
) -> datetime:
    """When the first round is due: at once if one was missed since the last, else by the cron."""
    zone = _zone(config)
    present = now(zone)
    cron = next(s.cron for s in config.sources if s.name == names[0]) or config.schedule.cron
    plain = CronTrigger.from_crontab(cron, timezone=zone)
    seen = [when for name in names if (when := store.run_seen(name)) is not None]
    last = min(seen) if len(seen) == len(names) else None
    due = plain.get_next_fire_time(None, last or present)
    if last is None or due is None or due <= present:
        return present
    spread = random.uniform(0, config.schedule.jitter_seconds)  # noqa: S311 - not a secret
    return datetime.fromtimestamp(due.timestamp() + spread, zone)
