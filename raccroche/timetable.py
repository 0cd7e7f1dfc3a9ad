"""When the rounds of each source are due: cron expressions in a time zone."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from raccroche import pipeline
from raccroche.config import Config
from raccroche.errors import ConfigError


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
