"""Counts to time series that tell what is missing, what is provisional and how sure a point is."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard import intervals, words

PROVISIONAL_DAYS = 2  # late posts still arrive
WINDOW = 5  # weeks of a moving average: the week and two on each side
LEAST = 3  # weeks that a moving average needs
SPARSE = 2.0  # accusations a point on average; under it a line of weeks shows only chance
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
    state: `settled`, `provisional` (the last days), `missing` (nothing collected) or `unlabelled`
    (see `without_labels`): there counts are NaN, which breaks the line, never zero. A share needs
    20 mentions.
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


def without_labels(table: pd.DataFrame, labelled: pd.Series, least: float) -> pd.DataFrame:
    """
    The same rows, with no value where fewer than *least* of the posts of a period are labelled.

    *labelled*: share by period. What is labelled in part counts as covered in part.
    """
    share = table["period"].map(labelled).fillna(1.0)
    counted = ["mentions", "harassment", "testimonies", "harassment_testimonies"]
    found = table.assign(coverage=table["coverage"] * share.clip(upper=1.0))
    empty = (share < least) & (found["state"] != "missing")
    found.loc[empty, "state"] = "unlabelled"
    found.loc[empty, counted] = float("nan")
    return with_intervals(found)


def whole(table: pd.DataFrame, start: dt.date) -> pd.DataFrame:
    """
    The rows to draw: without a first week or month of which the selection, from *start*, holds a
    part only. It would begin every line with a fall that is none.
    """
    later = table[table["period"] >= pd.Timestamp(start)]
    return later if len(later) > 2 else table


def is_sparse(table: pd.DataFrame) -> bool:
    """Whether points hold so few accusations that a moving average reads better."""
    return bool(table.loc[table["state"] == "settled", "harassment"].mean() < SPARSE)


def smoothed(table: pd.DataFrame, key: str = "brand") -> pd.DataFrame:
    """
    The same rows with trend, trend_low, trend_high and trend_share, trend_share_low and -_high.

    A centred mean over WINDOW periods of one *segment*, with the intervals of the sums in it; none
    where a period has no value. Provisional counts, too low yet, enter provisional rows only.
    """
    rows = table if "segment" in table else table.assign(segment=0)
    late = rows["state"] == "provisional"
    sums, many = _windows(rows, ["harassment", "mentions"], [key, "segment"])
    settled = rows.assign(**{name: rows[name].mask(late) for name in ("harassment", "mentions")})
    own_sums, own_many = _windows(settled, ["harassment", "mentions"], [key, "segment"])
    sums, many = own_sums.where(~late, sums), own_many.where(~late, many)
    known = rows["harassment"].notna() & (many >= LEAST)
    hits, total, many = (one.where(known) for one in (sums["harassment"], sums["mentions"], many))
    bounds = intervals.count_bounds(hits)
    shares = intervals.share_bounds(hits, total).where(total >= intervals.FEW_FOR_PERCENT)
    return table.assign(
        trend=hits / many,
        trend_low=bounds["low"] / many,
        trend_high=bounds["high"] / many,
        trend_share=shares["value"],
        trend_share_low=shares["low"],
        trend_share_high=shares["high"],
    )


def _windows(
    rows: pd.DataFrame, names: list[str], keys: list[str]
) -> tuple[pd.DataFrame, pd.Series]:
    """Sums over the window around each row, and how many rows of it have a value."""
    places = list(rows.groupby(keys, sort=False).indices.values())
    sums, many = {}, {}
    for name in names:
        values = rows[name].to_numpy(float)
        known = ~np.isnan(values)
        sums[name], many[name] = np.empty(len(rows)), np.empty(len(rows))
        for at in places:
            many[name][at] = _around(known[at])
            sums[name][at] = _around(np.where(known, values, 0.0)[at])
        sums[name][many[name] == 0] = np.nan
    return pd.DataFrame(sums, index=rows.index), pd.Series(many[names[0]], index=rows.index)


def _around(values: Any) -> Any:
    """The sum of each value and of those beside it, WINDOW in all; fewer at the ends."""
    return np.convolve(values, np.ones(WINDOW), "full")[WINDOW // 2 :][: len(values)]


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
