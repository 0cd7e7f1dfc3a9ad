"""What authors declare of the calls, as distributions: calls a day, hours of the day."""

from collections.abc import Iterable, Sequence

import pandas as pd

from raccroche.store import Fact

ALLOWED = frozenset({10, 11, 12, 14, 15, 16, 17, 18, 19})  # hours of the decree of 13 Oct 2022
BINS = ("< 1", "1", "2", "3", "4", "5", "6–9", "10+")
_DAYS = {"hour": 1 / 12, "day": 1.0, "week": 7.0, "month": 30.0}  # an hour: of a day of twelve


def calls_a_day(facts: Iterable[Fact]) -> pd.DataFrame:
    """A row a bin: bin, n (authors' posts), allowed (always True); totals have no period."""
    found = [rate for fact in facts if (rate := _rate(fact)) is not None]
    counts = pd.Series([_bin(rate) for rate in found], dtype=object).value_counts()
    n = [int(counts.get(name, 0)) for name in BINS]
    return pd.DataFrame({"bin": BINS, "n": n, "allowed": True})


def _rate(fact: Fact) -> float | None:
    calls = fact.facts.get("calls")
    if not calls or calls.get("per") not in _DAYS or calls.get("min") is None:
        return None
    return float(calls["min"]) / _DAYS[calls["per"]]


def _bin(rate: float) -> str:
    if rate < 1:
        return BINS[0]
    if rate < 6:
        return str(int(rate))
    return "6–9" if rate < 10 else "10+"


def median(table: pd.DataFrame) -> float:
    """The lower end of the bin that holds the middle author."""
    ends = (0.0, 1, 2, 3, 4, 5, 6, 10)
    reached = table["n"].cumsum() >= table["n"].sum() / 2
    return float(ends[int(reached.to_numpy().argmax())])


def hours(facts: Iterable[Fact]) -> pd.DataFrame:
    """A row an hour from 7 to 22: bin, n, allowed (within the hours of the 2023 decree)."""
    named = [hour for fact in facts for hour in _hours(fact.facts.get("hours", ()))]
    counts = pd.Series(named, dtype="Int64").value_counts()
    shown = range(min([7, *named]), max([22, *named]) + 1)
    return pd.DataFrame(
        {
            "bin": [f"{hour} h" for hour in shown],
            "n": [int(counts.get(hour, 0)) for hour in shown],
            "allowed": [hour in ALLOWED for hour in shown],
        }
    )


def _hours(written: Sequence[str]) -> list[int]:
    return [int(one[:2]) for one in written if one[:2].isdigit() and int(one[:2]) < 24]
