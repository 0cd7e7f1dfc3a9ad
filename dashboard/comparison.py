"""Brands side by side: one row each, with what may be said of it and no more."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from dashboard import bases, intervals, words
from dashboard.bases import Base, Customers
from dashboard.intervals import Interval
from dashboard.words import tr

Measure = Literal["share", "customers", "count"]
COLUMNS = ["name", "harassment", "mentions", "value", "low", "high", "few", "short", "text"]


def shares(counts: pd.DataFrame, rates: Mapping[str, Interval]) -> pd.DataFrame:
    """Harassment in each name's own mentions; *counts*: name, harassment, mentions."""
    return _table(counts, {name: rate for name, rate in rates.items()}, share=True)


def plain_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """How many accusations, with Poisson's intervals."""
    found = {row.name: intervals.count(int(row.harassment)) for row in _rows(counts)}
    return _table(counts, found, share=False)


def per_million(
    counts: pd.DataFrame, days: int, customers: Mapping[str, Customers]
) -> pd.DataFrame:
    """Accusations a year and million customers; names without a published base have no value."""
    found = {}
    for row in _rows(counts):
        base = customers.get(row.name)
        if base is not None:
            factor = 365.25 / days / base.millions
            found[row.name] = intervals.count(int(row.harassment)).times(factor)
    return _table(counts, found, share=False, digits=2)


def known_bases(names: Sequence[str], on: dt.date, base: Base) -> dict[str, Customers]:
    found = {name: bases.customers(name, on, base) for name in names}
    return {name: one for name, one in found.items() if one is not None}


class _Row:
    def __init__(self, name: str, harassment: float, mentions: float) -> None:
        self.name, self.harassment, self.mentions = name, harassment, mentions


def _rows(counts: pd.DataFrame) -> list[_Row]:
    kept = counts[["name", "harassment", "mentions"]].itertuples(index=False, name=None)
    return [_Row(*row) for row in kept]


def _table(
    counts: pd.DataFrame, found: Mapping[str, Interval], *, share: bool, digits: int = 0
) -> pd.DataFrame:
    rows = []
    for row in _rows(counts):
        one = found.get(row.name)
        few = row.harassment < intervals.FEW_FOR_RATE and (share or digits > 0)
        value, low, high = (one.value, one.low, one.high) if one else (float("nan"),) * 3
        short = _short(one, few, row.mentions, share=share, digits=digits)
        out_of = words.plural(row.mentions, tr("mention", "mention"), tr("mentions", "mentions"))
        text = f"{short} · {words.number(row.harassment)} {tr('sur', 'of')} {out_of}"
        rows.append((row.name, row.harassment, row.mentions, value, low, high, few, short, text))
    return pd.DataFrame(rows, columns=COLUMNS)


def _short(one: Interval | None, few: bool, mentions: float, *, share: bool, digits: int) -> str:
    if one is None and share and mentions < intervals.FEW_FOR_PERCENT:
        return tr("moins de 20 mentions : pas de taux", "fewer than 20 mentions: no rate")
    if one is None:
        return tr("pas de base clients publiée", "no customer base published")
    if few:
        return tr("moins de 5 cas : pas de taux", "fewer than 5 cases: no rate")
    if share:
        return f"{words.percent(one.value)} ({words.span(one.low, one.high, 1, share=True)})"
    return f"{words.number(one.value, digits)} ({words.span(one.low, one.high, digits)})"


def ordered(table: pd.DataFrame, *, by_value: bool) -> list[str]:
    """Names in order: the alphabet, or the value where ten cases allow a rank."""
    names = sorted(table["name"], key=words.sort_key)
    if not by_value:
        return names
    ranked = table[(table["harassment"] >= intervals.FEW_FOR_RANK) & table["value"].notna()]
    first = list(ranked.sort_values("value", ascending=False)["name"])
    return first + [name for name in names if name not in first]


def comparable(table: pd.DataFrame) -> tuple[list[str], list[Interval]]:
    """The names that may be compared, with their intervals."""
    sure = table[table["value"].notna() & (table["harassment"] >= intervals.FEW_FOR_RATE)]
    found = [
        Interval(*row) for row in sure[["value", "low", "high"]].itertuples(index=False, name=None)
    ]
    return list(sure["name"]), found
