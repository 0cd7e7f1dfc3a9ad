"""Intervals, small-count rules and differences: scipy does the mathematics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95
FEW_FOR_RATE = 5  # under it: a grey point, no rate
FEW_FOR_RANK = 10  # under it: no rank
FEW_FOR_PERCENT = 20  # under it, as denominator: no percentage
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Interval":
        return Interval(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two shares compared: first minus second, its interval, and the p-value after FDR control."""

    first: str
    second: str
    gap: Interval
    p: float
    differs: bool


def count(observed: int) -> Interval:
    """A count with its exact Poisson (gamma) interval: 5 is 1.6 to 11.7."""
    tail = (1 - LEVEL) / 2
    low = 0.0 if observed == 0 else float(stats.gamma.ppf(tail, observed))
    return Interval(observed, low, float(stats.gamma.ppf(1 - tail, observed + 1)))


def count_bounds(observed: pd.Series) -> pd.DataFrame:
    """The bounds of `count` for a whole column: `low` and `high`; NaN stays NaN."""
    tail = (1 - LEVEL) / 2
    low = stats.gamma.ppf(tail, observed.where(observed > 0))
    high = stats.gamma.ppf(1 - tail, observed + 1)
    bounds = pd.DataFrame({"low": low, "high": high}, index=observed.index)
    bounds.loc[observed == 0, "low"] = 0.0
    return bounds


def too_few(hits: int, total: int) -> bool:
    """Whether a share is of too little to be told as one."""
    return hits < FEW_FOR_RATE or total < FEW_FOR_PERCENT


def share(hits: int, total: int) -> Interval | None:
    """A share with its Wilson interval; None without a denominator."""
    if total <= 0:
        return None
    found = stats.binomtest(min(hits, total), total).proportion_ci(LEVEL, method="wilson")
    return Interval(hits / total, float(found.low), float(found.high))


def share_bounds(hits: pd.Series, totals: pd.Series) -> pd.DataFrame:
    """Wilson's `value`, `low` and `high` for whole columns; NaN where the denominator is 0."""
    z = float(stats.norm.ppf(1 - (1 - LEVEL) / 2))
    n = totals.where(totals > 0).astype(float)
    p = hits / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return pd.DataFrame({"value": p, "low": middle - half, "high": middle + half})


def clustered_share(clusters: pd.DataFrame, *, seed: int = 20260811) -> Interval | None:
    """
    A share whose interval knows that one author writes several posts.

    *clusters*: rows (mentions, harassment, authors), *authors* authors having this pair of counts.
    Authors are drawn again with replacement (multinomial over the rows). None without mentions.
    """
    mentions = clusters["mentions"].to_numpy(float)
    harassment = clusters["harassment"].to_numpy(float)
    weights = clusters["authors"].to_numpy(float)
    total = float((mentions * weights).sum())
    if total <= 0:
        return None
    many = int(weights.sum())
    draws = np.random.default_rng(seed).multinomial(many, weights / weights.sum(), size=DRAWS)
    drawn = draws @ mentions
    shares = np.divide(draws @ harassment, drawn, out=np.zeros(DRAWS), where=drawn > 0)
    value = float((harassment * weights).sum()) / total
    low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    plain = share(round(value * total), round(total))
    if plain is None or many < FEW_FOR_PERCENT:
        return plain  # too few authors to draw from
    # the wider of the two: resampling few authors understates what is not known
    return Interval(value, min(float(low), plain.low), max(float(high), plain.high))


def inflated(plain: Interval, sample: pd.DataFrame) -> Interval:
    """
    A share's interval, as much wider as authors who write often make that of a *sample* of it.

    *sample*: clusters as for `clustered_share`. Never narrower than *plain*.
    """
    aware = clustered_share(sample)
    hits = int((sample["harassment"] * sample["authors"]).sum())
    naive = share(hits, int((sample["mentions"] * sample["authors"]).sum()))
    if aware is None or naive is None or naive.high <= naive.low:
        return plain
    factor = max((aware.high - aware.low) / (naive.high - naive.low), 1.0)
    low = plain.value - (plain.value - plain.low) * factor
    high = plain.value + (plain.high - plain.value) * factor
    return Interval(plain.value, max(low, 0.0), min(high, 1.0))


def rate_ratio(before: tuple[int, float], after: tuple[int, float]) -> Interval | None:
    """
    After over before, of two (count, exposure): exact, given their sum. None if a base is 0.
    """
    (b, base_b), (a, base_a) = before, after
    if base_a <= 0 or base_b <= 0 or b == 0:
        return None
    bounds = stats.binomtest(a, a + b).proportion_ci(LEVEL, method="exact")
    scale = base_b / base_a

    def ratio(p: float) -> float:
        return float("inf") if p >= 1 else p / (1 - p) * scale

    return Interval(ratio(a / (a + b)), ratio(float(bounds.low)), ratio(float(bounds.high)))


def differences(
    names: Sequence[str], intervals: Sequence[Interval], *, rate: float = 0.05
) -> list[Difference]:
    """
    Every pair compared on a normal scale, with the false discovery rate held at *rate*.

    The standard error of each is read from its interval, so that overdispersion counts.
    """
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    found = []
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            a, b = intervals[i], intervals[j]
            gap = a.value - b.value
            error = np.hypot(a.high - a.low, b.high - b.low) / (2 * z)
            p = float(2 * stats.norm.sf(abs(gap) / error)) if error > 0 else 1.0
            found.append((first, names[j], Interval(gap, gap - z * error, gap + z * error), p))
    if not found:
        return []
    adjusted = stats.false_discovery_control([p for *_, p in found])
    return [
        Difference(first, second, gap, float(p), bool(p < rate))
        for (first, second, gap, _), p in zip(found, adjusted, strict=True)
    ]
