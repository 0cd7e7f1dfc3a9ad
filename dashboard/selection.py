"""What the analyst looks at: a frozen choice that every chart and export starts from."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from raccroche.store import Filters

Step = Literal["day", "week", "month"]
MANY_DAYS, FEW_DAYS = 2 * 366, 45  # by month beyond two years, by day within a month and a half


def step_of(days: int) -> Step:
    """The step of time axes of a period of so many days."""
    if days <= FEW_DAYS:
        return "day"
    return "week" if days <= MANY_DAYS else "month"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the analyst looks at: the filters with both ends of the period known."""

    labeller: str
    start: dt.date
    end: dt.date
    brands: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    testimony_only: bool = False
    asked_step: Step | None = None

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def step(self) -> Step:
        """The step of time axes: the one asked for, else after the length of the period."""
        if self.asked_step is not None:
            return self.asked_step
        return step_of(self.days)

    def filters(self, **changes: Any) -> Filters:
        """The store's filters, with *changes* (brands=..., harassment_only=True, ...)."""
        values: dict[str, Any] = {
            "labeller": self.labeller,
            "start": self.start,
            "end": self.end,
            "brands": self.brands,
            "platforms": self.platforms,
            "sources": self.sources,
            "topics": self.topics,
            "signals": self.signals,
            "relations": self.relations,
            "testimony_only": self.testimony_only,
        }
        return Filters(**values | changes)

    def before(self) -> tuple[dt.date, dt.date]:
        """The period of the same length that ends where this one begins."""
        return self.start - dt.timedelta(self.days), self.start - dt.timedelta(1)
