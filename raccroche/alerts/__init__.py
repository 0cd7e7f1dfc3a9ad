"""Spikes of harassment posts per brand and signal, found once a run, kept as alerts to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from raccroche.alerts.forecast import LONG, Forecast, Series, forecast
from raccroche.alerts.silence import silent_sources
from raccroche.config import AlertsConfig
from raccroche.store import Alert, Filters, Store

__all__ = ["find_alerts", "find_spikes", "week_name"]

ALL = ""  # the signal of "any harassment"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair (brand, signal) with enough posts to be looked at."""

    brand: str
    signal: str
    observed: float
    outlook: Forecast


def find_alerts(store: Store, labeller: str, rules: AlertsConfig, today: date) -> list[Alert]:
    """
    Spikes of the week of yesterday, and sources that fell silent; stored, then returned.

    Safe to repeat: an alert is known by brand, signal and week; its state is kept.
    """
    found = [*find_spikes(store, labeller, rules, today), *silent_sources(store, today)]
    store.add_alerts(found)
    return found


def find_spikes(store: Store, labeller: str, rules: AlertsConfig, today: date) -> list[Alert]:
    """
    Pairs (brand, signal) above the 99.5 % bound in the ISO week that holds yesterday, so far.

    An alert needs `min_posts` posts by `min_authors` authors, at most `max_repost_share` copies,
    and
    to stand after control of the false discovery rate over all pairs that were tested.
    """
    end = today - timedelta(days=1)
    start = end - timedelta(days=end.weekday())
    filters = Filters(labeller=labeller, start=start - timedelta(days=LONG), end=end)
    covered = _coverage(store, filters)
    factor = _volume_jump(store, filters, covered, start, end)
    candidates = [
        candidate
        for signal, table in _tables(store, filters)
        for candidate in _candidates(signal, table, covered, start, end, factor)
    ]
    if not candidates:
        return []
    adjusted = false_discovery_control([c.outlook.p_value for c in candidates])
    return [
        alert
        for candidate, p_value in zip(candidates, adjusted, strict=True)
        if p_value <= rules.false_discovery_rate and candidate.observed > candidate.outlook.bound
        for alert in _alert(store, filters, candidate, start, end, rules)
    ]


def week_name(day: date) -> str:
    """`2026-W47`"""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _tables(store: Store, filters: Filters) -> list[tuple[str, pd.DataFrame]]:
    """Counts a day and brand: of all harassment, then of each signal."""
    tables = [(ALL, store.daily_counts(filters, by=("day", "brand")))]
    signals = store.daily_counts(filters, by=("day", "brand", "signal"))
    tables += [(str(name), rows) for name, rows in signals.groupby("signal")]
    return tables


def _candidates(
    signal: str, table: pd.DataFrame, covered: Series, start: date, end: date, factor: float
) -> list[Candidate]:
    found = []
    recent = table[table["period"] >= pd.Timestamp(start)]
    for brand in recent.loc[recent["harassment"] > 0, "brand"].unique():
        series = _series(table[table["brand"] == brand], "harassment", covered)
        outlook = forecast(series, start, end, factor=factor)
        observed = float(series.cut(start, end).counts.sum())
        if outlook is not None:
            found.append(Candidate(str(brand), signal, observed, outlook))
    return found


def _series(table: pd.DataFrame, measure: str, covered: Series) -> Series:
    """The measure of each day from the first covered day on; days without a row are zero."""
    counts = np.zeros(len(covered.counts))
    positions = (table["period"].dt.normalize() - pd.Timestamp(covered.first)).dt.days.to_numpy()
    inside = (positions >= 0) & (positions < len(counts))
    np.add.at(counts, positions[inside], table[measure].to_numpy(dtype=float)[inside])
    return Series(covered.first, counts, covered.covered)


def _coverage(store: Store, filters: Filters) -> Series:
    """
    The share of the sources known by then that were covered, day by day, from the first one on.
    """
    assert filters.start is not None
    assert filters.end is not None
    table = store.coverage(filters.start, filters.end)
    days = (filters.end - filters.start).days + 1
    if table.empty:
        return Series(filters.start, np.zeros(days), np.zeros(days))
    wide = table.pivot(index="day", columns="source", values="covered").astype(float)
    known = wide.cummax()  # a source counts from its first covered day on
    total = known.sum(axis=1).to_numpy()
    share = np.divide(wide.sum(axis=1).to_numpy(), total, out=np.zeros(len(wide)), where=total > 0)
    first = int(np.argmax(share > 0)) if (share > 0).any() else 0
    start = wide.index[0].date() + timedelta(days=first)
    return Series(start, np.zeros(len(share) - first), share[first:])


def _volume_jump(store: Store, filters: Filters, covered: Series, start: date, end: date) -> float:
    """
    How many times the usual volume all mentions together have, at least 1: a jump everywhere is the
    collector's.
    """
    everything = _series(store.daily_counts(filters, by=("day",)), "mentions", covered)
    usual = forecast(everything, start, end)
    if usual is None or usual.expected <= 0:
        return 1.0
    observed = float(everything.cut(start, end).counts.sum())
    return max(1.0, observed / usual.expected) if observed > usual.bound else 1.0


def _alert(
    store: Store,
    filters: Filters,
    candidate: Candidate,
    start: date,
    end: date,
    rules: AlertsConfig,
) -> Sequence[Alert]:
    """The alert, unless it rests on too few posts, too few authors, or mostly on copies."""
    unnamed = candidate.brand == "inconnue"
    cell = Filters(
        labeller=filters.labeller,
        start=start,
        end=end,
        brands=() if unnamed else (candidate.brand,),
        signals=(candidate.signal,) if candidate.signal else (),
        harassment_only=True,
    )
    people = store.author_counts(cell, by=("brand",))
    row = people[people["brand"] == candidate.brand]
    if row.empty:
        return ()
    authors, posts, copies = (int(row.iloc[0][name]) for name in ("authors", "posts", "copies"))
    share = copies / max(1, posts + copies)
    if posts < rules.min_posts or authors < rules.min_authors or share > rules.max_repost_share:
        return ()
    outlook = candidate.outlook
    return (
        Alert(
            brand=candidate.brand,
            signal=candidate.signal,
            period=week_name(end),
            observed=candidate.observed,
            expected=round(outlook.expected, 2),
            bound=outlook.bound,
            posts=posts,
            authors=authors,
            repost_share=round(share, 3),
            note=f"{outlook.method}, p={outlook.p_value:.2g}",
        ),
    )
