"""Counts to time series that tell what is missing, what is provisional and how sure a point is."""

import datetime as dt
from collections.abc import Iterable, Sequence

import pandas as pd

from dashboard import intervals, words

PROVISIONAL_DAYS = 2  # late posts still arrive
FULL = 0.95  # under this share of covered days a period is partly covered
_STEPS = {"day": "D", "week": "W-MON", "month": "MS"}


def first_of(day: dt.date, step: str) -> dt.date:
    """The day that names the period of *day*: itself, its Monday, the first of its month."""
    if step == "week":
        return day - dt.timedelta(day.weekday())
    return day.replace(day=1) if step == "month" else day


def last_of(period: dt.date, step: str) -> dt.date:
    """The last day of the period that *period* names."""
    if step == "week":
        return period + dt.timedelta(6)
    if step == "month":
        return (period.replace(day=28) + dt.timedelta(4)).replace(day=1) - dt.timedelta(1)
    return period


def periods(start: dt.date, end: dt.date, step: str) -> pd.DatetimeIndex:
    """Every period between two days, none left out."""
    return pd.date_range(first_of(start, step), end, freq=_STEPS[step])


def coverage_by_period(
    coverage: pd.DataFrame, start: dt.date, end: dt.date, step: str
) -> pd.Series:
    """
    The share of (day, source) that were covered, by period; 0 where nothing was collected.

    A source counts from its first covered day on: what it did not yet watch is not a gap of it.
    """
    index = periods(start, end, step)
    covered = coverage[coverage["covered"]]
    if covered.empty:
        return pd.Series(0.0, index=index)
    begun = coverage["source"].map(covered.groupby("source")["day"].min())
    own = coverage[coverage["day"] >= begun]
    named = own["day"].dt.date.map(lambda day: pd.Timestamp(first_of(day, step)))
    return own.groupby(named)["covered"].mean().reindex(index, fill_value=0.0)


def breaks(coverage: pd.DataFrame, start: dt.date) -> list[tuple[dt.date, str]]:
    """When sources began, after *start*: (first day, sources), those of one month together."""
    covered = coverage[coverage["covered"]]
    first = covered.groupby("source")["day"].min()
    late = sorted(
        (day.date(), str(source))
        for source, day in first.items()
        if day.date() > start + dt.timedelta(7)
    )
    months: dict[tuple[int, int], list[tuple[dt.date, str]]] = {}
    for day, source in late:
        months.setdefault((day.year, day.month), []).append((day, source))
    return [(group[0][0], ", ".join(name for _, name in group)) for group in months.values()]


def by_period(
    counts: pd.DataFrame,
    covered: pd.Series,
    brands: Sequence[str],
    *,
    step: str,
    today: dt.date,
    key: str = "brand",
) -> pd.DataFrame:
    """
    One row a brand and period: harassment and mentions with their intervals, and the state.

    *counts* are those of the store by (step, *key*); *covered* comes from `coverage_by_period`.
    state: `settled`, `provisional` (the last days) or `missing` (nothing collected: counts are
    NaN, which breaks the line, never zero). A share needs 20 mentions.
    """
    grid = pd.MultiIndex.from_product([brands, covered.index], names=[key, "period"])
    wanted = ["mentions", "harassment", "testimonies", "harassment_testimonies"]
    own = counts[counts[key].isin(brands)].set_index([key, "period"])[wanted]
    table = own.reindex(grid, fill_value=0).astype(float).reset_index()
    table["coverage"] = table["period"].map(covered)
    ends = table["period"].dt.date.map(lambda day: last_of(day, step))
    late = ends >= today - dt.timedelta(PROVISIONAL_DAYS - 1)
    table["state"] = "settled"
    table.loc[late, "state"] = "provisional"
    table.loc[(table["coverage"] == 0) & (table["mentions"] == 0), "state"] = "missing"
    table.loc[table["state"] == "missing", wanted] = float("nan")
    return with_intervals(table)


def with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """The same rows with low, high (of harassment) and share, share_low, share_high."""
    table[["low", "high"]] = intervals.count_bounds(table["harassment"])
    shares = intervals.share_bounds(table["harassment"], table["mentions"])
    enough = table["mentions"] >= intervals.FEW_FOR_PERCENT
    table[["share", "share_low", "share_high"]] = shares.where(enough)
    return table


def gaps(table: pd.DataFrame) -> list[tuple[dt.date, dt.date]]:
    """The stretches of missing periods: (first, last)."""
    missing = sorted({day.date() for day in table.loc[table["state"] == "missing", "period"]})
    every = sorted({day.date() for day in table["period"]})
    return _stretches(missing, every)


def _stretches(days: Iterable[dt.date], every: Sequence[dt.date]) -> list[tuple[dt.date, dt.date]]:
    place = {day: at for at, day in enumerate(every)}
    found: list[tuple[dt.date, dt.date]] = []
    for day in days:
        if found and place[day] == place[found[-1][1]] + 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def strip(coverage: pd.DataFrame) -> pd.DataFrame:
    """Stretches (source, day, end, state, words) of full, part or none; *end* is the day after."""
    started = coverage[coverage["covered"]].groupby("source")["day"].min()
    own = coverage[coverage["day"] >= coverage["source"].map(started)]
    failed = own["covered"] & (own["runs"] > own["ok"])
    state = pd.Series("full", index=own.index).mask(failed, "part").mask(~own["covered"], "none")
    own = own.assign(state=state).sort_values(["source", "day"])
    run = (own[["source", "state"]] != own[["source", "state"]].shift()).any(axis=1).cumsum()
    runs = own.groupby(run).agg(
        source=("source", "first"), state=("state", "first"), day=("day", "min"), end=("day", "max")
    )
    said = [
        words.day(first.date())
        if first == last
        else f"{words.short_day(first.date())} – {words.short_day(last.date())}"
        for first, last in zip(runs["day"], runs["end"], strict=True)
    ]
    return runs.assign(end=runs["end"] + pd.Timedelta(days=1), words=said).reset_index(drop=True)
