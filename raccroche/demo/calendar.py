"""When the fictional posts are written: growth, seasons, hours, one wave of calls, gaps, a law."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
FIRST = date(2014, 1, 6)
CONSENT = date(2026, 8, 11)
# However early a clock is, the fiction goes on until here: the law of 2026 is to be seen in it.
EARLIEST_END = date(2026, 11, 22)
_SHORTEST_WAVE = 3  # days: in fewer it would be all that anybody writes, which is no alert


@dataclass(frozen=True, slots=True)
class Wave:
    """A time when one firm called a great deal: *times* as many posts are added to the usual."""

    first: date
    last: date
    firm: str
    times: float

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


_YEARS = {
    2014: 3, 2015: 4, 2016: 4.5, 2017: 5, 2018: 6, 2019: 6.5, 2020: 7, 2021: 8, 2022: 9, 2023: 10,
    2024: 12, 2025: 14,
}  # fmt: skip
_SINCE = 19  # each year since
_AROUND_THE_LAW = 6, timedelta(days=91)  # people talk of it, so many times as much
_OF_LATE = 4, timedelta(days=420)  # what is recent is still there to be found
_MONTHS = (1.1, 1.05, 1.1, 1.0, 0.95, 1.0, 0.7, 0.5, 1.2, 1.3, 1.2, 0.9)
_WEEKDAYS = (1.15, 1.2, 1.15, 1.15, 1.1, 0.75, 0.5)
_HOURS = (1, 0, 0, 0, 0, 0, 1, 3, 5, 6, 7, 7, 10, 8, 6, 6, 6, 8, 11, 12, 10, 8, 6, 3)


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which one site has posts: from *first* to *last*, without the *gaps*."""

    first: date = FIRST
    last: date = date.max
    gaps: tuple[tuple[date, date], ...] = ()

    def holds(self, day: date) -> bool:
        inside = self.first <= day <= self.last
        return inside and not any(start <= day <= end for start, end in self.gaps)


@dataclass(frozen=True, slots=True)
class Era:
    """
    The days of one fiction, from FIRST to *last*. Laws, leaks and the first wave of calls stand at
    their dates; the second wave is that of the last days, and rises until the end.
    """

    last: date

    @classmethod
    def told_on(cls, day: date) -> "Era":
        """What is told on *day* ends on its eve; on Sunday where the week has but begun."""
        eve = day - timedelta(days=1)
        early = eve.weekday() + 1 if eve.weekday() < _SHORTEST_WAVE - 1 else 0
        return cls(max(eve - timedelta(days=early), EARLIEST_END))

    @property
    def waves(self) -> tuple[Wave, Wave]:
        """The last one begins with the week of the end, at which alerts look."""
        days = self.last.weekday() + 1
        begun = self.last - timedelta(days=days - 1)
        return (
            Wave(date(2015, 6, 1), date(2015, 7, 31), "NT", 35),
            Wave(begun, self.last, "Chaîne+", 17 / days),
        )

    def wave_on(self, day: date) -> Wave | None:
        return next((wave for wave in self.waves if wave.holds(day)), None)

    def moments(self, chance: random.Random, window: Window, many: int) -> list[datetime]:
        """*many* moments of *window*, waves included, in order, in UTC."""
        found: list[datetime] = []
        for wave in self.waves:
            if window.holds(wave.first) and window.holds(wave.last):
                more = round(many * wave.times * self._usual(window, wave))
                peak = 1.0 if wave.last == self.last else 0.5
                found += between(chance, wave.first, wave.last, more, peak=peak)
        return sorted([*found, *self._ordinary(chance, window, many - len(found))])

    def _usual(self, window: Window, wave: Wave) -> float:
        """The share of a site's ordinary posts that as many days have, all seasons alike."""
        days, weights = _table(window, self.last)
        first = bisect_left(days, wave.last - timedelta(days=364))
        last = bisect_right(days, wave.last)
        year = weights[last - 1] - (weights[first - 1] if first else 0.0)
        return year / weights[-1] * ((wave.last - wave.first).days + 1) / 365

    def _ordinary(self, chance: random.Random, window: Window, many: int) -> list[datetime]:
        days, weights = _table(window, self.last)
        drawn = (days[bisect_right(weights, chance.random() * weights[-1])] for _ in range(many))
        return [at_hour(chance, day) for day in drawn]

    def complaint_share(self, day: date) -> float:
        """Which share of the posts of a day complains of calls."""
        if self.wave_on(day):
            return 0.95
        if day >= CONSENT:
            return 0.17
        yearly = {2014: 0.3, 2016: 0.34, 2020: 0.4, 2023: 0.36, 2026: 0.38}
        known = sorted(yearly)
        after = next(year for year in known if year >= day.year)
        before = max(year for year in known if year <= day.year)
        if after == before:
            return yearly[before]
        part = (day.year - before) / (after - before)
        return yearly[before] + part * (yearly[after] - yearly[before])


@cache
def _table(window: Window, last: date) -> tuple[list[date], list[float]]:
    days = [FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)]
    kept = [day for day in days if window.holds(day)]
    return kept, list(accumulate(_weight(day, last) for day in kept))


def _weight(day: date, last: date) -> float:
    near = [
        times
        for (times, days), moment in ((_AROUND_THE_LAW, CONSENT), (_OF_LATE, last))
        if abs(day - moment) <= days
    ]
    year = _YEARS.get(day.year, _SINCE)
    return max(near, default=1) * year * _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]


def between(
    chance: random.Random, first: date, last: date, many: int, *, peak: float = 0.5
) -> list[datetime]:
    """*many* moments of these days, more towards *peak* (0 first, 1 last), in order, in UTC."""
    span = (last - first).days
    drawn = (chance.triangular(0, span, peak * span) for _ in range(many))
    days = (first + timedelta(days=round(one)) for one in drawn)
    return sorted(at_hour(chance, day) for day in days)


def at_hour(chance: random.Random, day: date) -> datetime:
    hour = chance.choices(range(24), _HOURS)[0]
    moment = time(hour, chance.randrange(60), chance.randrange(60), tzinfo=PARIS)
    return datetime.combine(day, moment).astimezone(UTC)


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
