"""When the fictional posts are written: growth, seasons, hours, one wave of calls, gaps, a law."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
FIRST, LAST = date(2014, 1, 6), date(2026, 11, 22)
CONSENT = date(2026, 8, 11)


@dataclass(frozen=True, slots=True)
class Wave:
    """A time when one firm called a great deal; one post in *part* of a site is of that time."""

    first: date
    last: date
    firm: str
    part: int

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


WAVES = (
    Wave(date(2015, 6, 1), date(2015, 7, 31), "NT", 9),
    Wave(date(2026, 11, 12), date(2026, 11, 22), "Chaîne+", 20),
)


def wave_on(day: date) -> Wave | None:
    return next((wave for wave in WAVES if wave.holds(day)), None)


_YEARS = {
    2014: 3, 2015: 4, 2016: 4.5, 2017: 5, 2018: 6, 2019: 6.5, 2020: 7, 2021: 8, 2022: 9, 2023: 10,
    2024: 12, 2025: 14, 2026: 17,
}  # fmt: skip
_MONTHS = (1.1, 1.05, 1.1, 1.0, 0.95, 1.0, 0.7, 0.5, 1.2, 1.3, 1.2, 0.9)
_WEEKDAYS = (1.15, 1.2, 1.15, 1.15, 1.1, 0.75, 0.5)
_HOURS = (1, 0, 0, 0, 0, 0, 1, 3, 5, 6, 7, 7, 10, 8, 6, 6, 6, 8, 11, 12, 10, 8, 6, 3)


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which one site has posts: from *first* to *last*, without the *gaps*."""

    first: date = FIRST
    last: date = LAST
    gaps: tuple[tuple[date, date], ...] = ()

    def holds(self, day: date) -> bool:
        inside = self.first <= day <= self.last
        return inside and not any(start <= day <= end for start, end in self.gaps)


@cache
def _table(window: Window) -> tuple[list[date], list[float]]:
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    kept = [day for day in days if window.holds(day)]
    return kept, list(accumulate(_weight(day) for day in kept))


def _weight(day: date) -> float:
    year = _YEARS[day.year] / (0.9 if day.year == LAST.year else 1.0)
    return year * _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]


def moments(chance: random.Random, window: Window, many: int) -> list[datetime]:
    """*many* moments of *window*, waves included, in order, in UTC."""
    found: list[datetime] = []
    for wave in WAVES:
        if window.holds(wave.first) and window.holds(wave.last):
            found += between(chance, wave.first, wave.last, many // wave.part)
    return sorted([*found, *_ordinary(chance, window, many - len(found))])


def _ordinary(chance: random.Random, window: Window, many: int) -> list[datetime]:
    days, weights = _table(window)
    drawn = (days[bisect_right(weights, chance.random() * weights[-1])] for _ in range(many))
    return [at_hour(chance, day) for day in drawn]


def between(chance: random.Random, first: date, last: date, many: int) -> list[datetime]:
    """*many* moments of these days, more towards the middle, in order, in UTC."""
    span = (last - first).days
    drawn = (first + timedelta(days=round(chance.triangular(0, span))) for _ in range(many))
    return sorted(at_hour(chance, day) for day in drawn)


def at_hour(chance: random.Random, day: date) -> datetime:
    hour = chance.choices(range(24), _HOURS)[0]
    moment = time(hour, chance.randrange(60), chance.randrange(60), tzinfo=PARIS)
    return datetime.combine(day, moment).astimezone(UTC)


def complaint_share(day: date) -> float:
    """Which share of the posts of a day complains of calls."""
    if wave_on(day):
        return 0.7
    if day >= CONSENT:
        return 0.19
    yearly = {2014: 0.3, 2016: 0.34, 2020: 0.4, 2023: 0.36, 2026: 0.38}
    known = sorted(yearly)
    after = next((year for year in known if year >= day.year), known[-1])
    before = max(year for year in known if year <= day.year)
    if after == before:
        return yearly[before]
    part = (day.year - before) / (after - before)
    return yearly[before] + part * (yearly[after] - yearly[before])


# Words that a post cannot hold before (or after) a day.
_NOT_BEFORE: Sequence[tuple[str, date]] = (
    ("bloctel", date(2016, 6, 1)),
    ("rgpd", date(2018, 5, 25)),
    ("signalconso", date(2020, 2, 1)),
    ("cpf", date(2019, 11, 21)),
    ("confinement", date(2020, 3, 17)),
    ("covid", date(2020, 3, 1)),
    ("5g", date(2020, 12, 1)),
    ("arcep", date(2014, 1, 1)),
    ("whatsapp", date(2016, 1, 1)),
    ("tiktok", date(2019, 1, 1)),
    ("chatgpt", date(2023, 1, 1)),
    ("lemoine", date(2022, 6, 1)),
    ("11 août", date(2026, 7, 1)),
    ("consentement préalable", date(2025, 6, 1)),
    ("esim", date(2019, 6, 1)),
    ("france travail", date(2024, 1, 1)),
    ("linky", date(2016, 1, 1)),
    ("60 jours", date(2023, 3, 1)),
    ("soixante jours", date(2023, 3, 1)),
    (" ia ", date(2022, 1, 1)),
    ("voix de synthèse", date(2018, 1, 1)),
)
_NOT_AFTER: Sequence[tuple[str, date]] = (("pacitel", date(2016, 6, 30)),)


def fits(text: str, day: date) -> bool:
    """Whether *text* names nothing that was not there yet, or was gone, on *day*."""
    lower = f" {text.casefold()} "
    if any(word in lower and day < first for word, first in _NOT_BEFORE):
        return False
    return not any(word in lower and day > last for word, last in _NOT_AFTER)
