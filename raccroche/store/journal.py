"""Runs: what each source gave, when, and on which days something was collected at all."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from raccroche.post import Run, Verdict
from raccroche.store.records import SourceChange
from raccroche.store.rows import date_of, day_number, day_of, micros, moment
from raccroche.store.tables import UNDATED, arrivals, runs

if TYPE_CHECKING:
    import pandas as pd

_GOOD = tuple(str(verdict) for verdict in Verdict if verdict.ok)


def record_run(conn: Connection, run: Run) -> int:
    row = asdict(run) | {"started": micros(run.started_at), "finished": micros(run.finished_at)}
    row["verdict"] = str(run.verdict)
    del row["started_at"], row["finished_at"]
    return int(conn.execute(insert(runs).values(row).returning(runs.c.n)).scalar_one())


def read_runs(conn: Connection, limit: int, source: str | None) -> list[Run]:
    """The latest first, in the order of their record: a clock may have gone back since."""
    query = select(runs).order_by(runs.c.n.desc()).limit(limit)
    if source is not None:
        query = query.where(runs.c.source == source)
    return [_run(row) for row in conn.execute(query)]


def last_runs(conn: Connection) -> dict[str, Run]:
    """The latest run of each source."""
    latest = select(func.max(runs.c.n)).group_by(runs.c.source)
    query = select(runs).where(runs.c.n.in_(latest)).order_by(runs.c.source)
    return {row.source: _run(row) for row in conn.execute(query)}


def run_seen(conn: Connection, source: str) -> datetime | None:
    query = (
        select(runs.c.finished)
        .where(runs.c.source == source, runs.c.verdict.in_(_GOOD))
        .order_by(runs.c.n.desc())
        .limit(1)
    )
    return moment(conn.execute(query).scalar_one_or_none())


def source_changes(conn: Connection) -> list[SourceChange]:
    """
    The days on which what a source brings changed: it was read by another collector than before,
    or read again after its layout had changed.
    """
    broken = str(Verdict.LAYOUT_CHANGED)
    query = (
        select(runs.c.source, runs.c.platform, runs.c.verdict, runs.c.finished)
        .where(runs.c.verdict.in_((*_GOOD, broken)))
        .order_by(runs.c.n)
    )
    platforms: dict[str, str] = {}
    waiting: set[str] = set()  # sources whose layout changed and that were not read since
    found = set()
    for source, platform, verdict, finished in conn.execute(query):
        if verdict == broken:
            waiting.add(source)
            continue
        day = date_of(day_of(moment(finished)))
        if day and (source in waiting or platforms.get(source, platform) != platform):
            found.add(SourceChange(source, day))
        waiting.discard(source)
        platforms[source] = platform
    return sorted(found, key=lambda one: (one.day, one.source))


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    del values["n"]
    started, finished = moment(values.pop("started")), moment(values.pop("finished"))
    assert started is not None
    assert finished is not None
    values["verdict"] = Verdict(values["verdict"])
    return Run(started_at=started, finished_at=finished, **values)


def coverage(conn: Connection, start: date, end: date) -> "pd.DataFrame":
    """
    One row a day and configured source: *runs*, *ok* (runs that succeeded), *posts* published that
    day, *covered*.

    A day is covered by a successful run on that day, by a post published on it, or by lying before
    the first run
    of its source and after its first post: the first runs read the past.
    """
    import pandas as pd

    low, high = day_number(start), day_number(end)
    run_days = _run_days(conn)
    post_days = _post_days(conn)
    rows: list[tuple[int, str, int, int, int, bool]] = []
    for via in sorted(run_days.keys() | post_days.keys()):
        rows += _covered(via, run_days.get(via, {}), post_days.get(via, {}), low, high)
    table = pd.DataFrame(rows, columns=["day", "source", "runs", "ok", "posts", "covered"])
    table["day"] = pd.to_datetime(table["day"], unit="D")
    return table


def _covered(
    via: str, ran: dict[int, tuple[int, int]], found: dict[int, int], low: int, high: int
) -> Iterable[tuple[int, str, int, int, int, bool]]:
    first_post = min(found, default=None)
    good = [day for day, (_, ok) in ran.items() if ok]
    # without any run (an import), the file spans from its first post to its last
    read_until = min(good, default=max(found, default=low))
    for day in range(low, high + 1):
        all_runs, ok = ran.get(day, (0, 0))
        posts = found.get(day, 0)
        past = first_post is not None and first_post <= day <= read_until
        yield day, via, all_runs, ok, posts, bool(ok or posts or past)


def days_with_posts(conn: Connection, via: str) -> list[date]:
    """The days on which posts that *via* brought were published, in order."""
    query = select(arrivals.c.day).where(
        arrivals.c.via == via, arrivals.c.day != UNDATED, arrivals.c.posts > 0
    )
    days = conn.execute(query.order_by(arrivals.c.day)).scalars()
    return [day for number in days if (day := date_of(number)) is not None]


def _run_days(conn: Connection) -> dict[str, dict[int, tuple[int, int]]]:
    days: dict[str, dict[int, tuple[int, int]]] = {}
    for source, finished, verdict in conn.execute(
        select(runs.c.source, runs.c.finished, runs.c.verdict)
    ):
        day = day_of(moment(finished))
        done, ok = days.setdefault(source, {}).get(day, (0, 0))
        days[source][day] = (done + 1, ok + (verdict in _GOOD))
    return days


def _post_days(conn: Connection) -> dict[str, dict[int, int]]:
    days: dict[str, dict[int, int]] = {}
    query = select(arrivals).where(arrivals.c.day != UNDATED, arrivals.c.posts > 0)
    for via, day, many in conn.execute(query):
        days.setdefault(via, {})[day] = many
    return days
