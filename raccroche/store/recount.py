"""The counts made anew from the labels, a month of posts at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from raccroche.store.rows import LAST_ARRIVAL, date_of, day_number, numbers_between
from raccroche.store.tables import counts, posts
from raccroche.store.tally import Tally, tally_range

_OLDEST = date(1990, 2, 1)
_AFTER_ALL_DAYS = 10**9


@dataclass(frozen=True, slots=True)
class Stretch:
    """Posts numbered low <= n < high, and the days that are theirs: first_day <= day < end_day."""

    low: int
    high: int
    first_day: int
    end_day: int

    def days(self) -> list[ColumnElement[bool]]:
        """Which count rows are of these days."""
        return [counts.c.day >= self.first_day, counts.c.day < self.end_day]


def stretches(conn: Connection) -> Iterator[Stretch]:
    """
    The store in stretches of a month.

    What is dated more than two months ahead, up to the end of the calendar, is one stretch.
    """
    future = datetime.now(UTC).date() + timedelta(days=62)
    newest = conn.execute(select(func.max(posts.c.n))).scalar_one() or 0
    last_day = conn.execute(select(func.max(counts.c.day))).scalar_one() or 0
    start_n, start_day, month = 0, -_AFTER_ALL_DAYS, _first_month(conn)
    while True:
        end_n = numbers_between(month, None)[0]
        assert end_n is not None
        end_day = day_number(month)
        if month > future:
            end_n, end_day = max(end_n, newest + 1), _AFTER_ALL_DAYS
        yield Stretch(start_n, end_n, start_day, end_day)
        if end_n > newest and end_day > last_day:
            return
        start_n, start_day = end_n, end_day
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _first_month(conn: Connection) -> date:
    """The month in which dates begin; undated posts, and those before 1990, are one stretch."""
    dated = select(posts.c.day).where(posts.c.n > LAST_ARRIVAL).order_by(posts.c.n).limit(1)
    day = conn.execute(dated).scalar_one_or_none()
    first = None if day is None else date_of(day)
    this_month = datetime.now(UTC).date().replace(day=1)
    return min(this_month, max(_OLDEST, first.replace(day=1))) if first else _OLDEST


def fresh(conn: Connection, stretch: Stretch) -> Tally:
    """What the labels of the posts of a stretch count for."""
    found = Tally()
    tally_range(conn, found, stretch.low, stretch.high)
    return found


def recount(conn: Connection, stretch: Stretch) -> None:
    """Count a stretch again."""
    conn.execute(counts.delete().where(*stretch.days()))
    fresh(conn, stretch).write(conn)
