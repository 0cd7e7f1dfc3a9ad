"""How far two people agree: Cohen's kappa and Krippendorff's alpha, with intervals."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.intervals import DRAWS, LEVEL, Interval
from raccroche.post import Labels

Table = npt.NDArray[np.float64]
SENTIMENTS = ("negative", "neutral", "positive")
FEW = 10  # pairs; under it no coefficient is given
RARE = 5  # posts with the label; under it neither, for one post would decide


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    One label over the posts that two people labelled.

    *table* has a row a value of the first person, a column a value of the second. The coefficients
    are None with fewer than ten posts, or fewer than five outside the commonest answer. Intervals
    are those of the Bayesian bootstrap (Dirichlet draws).
    """

    label: str
    table: Table
    kappa: Interval | None
    alpha: Interval | None

    @property
    def pairs(self) -> int:
        return int(self.table.sum())

    @property
    def same(self) -> int:
        return int(np.trace(self.table))

    @property
    def used(self) -> int:
        """How many of the posts got the label from at least one of the two (two values only)."""
        return self.pairs - int(self.table[0, 0])


def kappa(tables: Table) -> Table:
    """
    Cohen's kappa of each table: (..., k, k) -> (...). 1 where both people gave one value only.
    """
    total = tables.sum(axis=(-2, -1))
    same = np.trace(tables, axis1=-2, axis2=-1) / total
    chance = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1) / total**2
    return _corrected(same, chance)


def alpha(tables: Table) -> Table:
    """
    Krippendorff's alpha, nominal, two values a unit: (..., k, k) -> (...).

    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), B: coincidences.
    """
    coincidences = tables + np.swapaxes(tables, -2, -1)
    values = coincidences.sum(axis=-1)
    n = values.sum(axis=-1)
    same = np.trace(coincidences, axis1=-2, axis2=-1) / n
    chance = (values * (values - 1)).sum(axis=-1) / (n * (n - 1))
    return _corrected(same, chance)


def _corrected(same: Table, chance: Table) -> Table:
    left = 1 - chance
    return np.divide(same - chance, left, out=np.ones_like(left), where=left > 1e-12)


def pairs(labels: Sequence[Labels]) -> list[tuple[Labels, Labels]]:
    """The two answers of each post that two people labelled, in the order of their names."""
    by_post: dict[str, list[Labels]] = defaultdict(list)
    for one in sorted(labels, key=lambda labels: labels.labeller):
        if one.refused is None:
            by_post[one.post_id].append(one)
    return [(found[0], found[1]) for found in by_post.values() if len(found) > 1]


def of(labels: Sequence[Labels]) -> list[Agreement]:
    """Agreement on every label that somebody used, over posts with two answers."""
    both = pairs(labels)
    if not both:
        return []
    found = [_agreement("sentiment", _table(both, lambda one: one.sentiment, SENTIMENTS))]
    for name, reads in _readers(both).items():
        found.append(_agreement(name, _table(both, reads, (False, True))))
    return found


def _readers(
    both: Sequence[tuple[Labels, Labels]],
) -> Mapping[str, Callable[[Labels], bool]]:
    """label -> what says whether an answer has it; topics and signals that occur."""

    def has(kind: str, name: str) -> Callable[[Labels], bool]:
        return lambda one: name in (one.topics if kind == "topic" else one.signals)

    every = [one for pair in both for one in pair]
    found: dict[str, Callable[[Labels], bool]] = {
        "phone_harassment": lambda one: one.phone_harassment,
        "testimony": lambda one: one.testimony,
    }
    topics = {name for one in every for name in one.topics} - {"phone_harassment"}
    signals = {name for one in every for name in one.signals}
    found |= {f"topic:{name}": has("topic", name) for name in sorted(topics)}
    return found | {f"signal:{name}": has("signal", name) for name in sorted(signals)}


def _table(
    both: Sequence[tuple[Labels, Labels]],
    read: Callable[[Labels], object],
    values: Sequence[object],
) -> Table:
    table = np.zeros((len(values), len(values)))
    for first, second in both:
        table[values.index(read(first)), values.index(read(second))] += 1
    return table


def _agreement(label: str, table: Table, *, seed: int = 20260811) -> Agreement:
    many = int(table.sum())
    if many < FEW or many - table.max() < RARE:
        return Agreement(label, table, None, None)
    # a prior of one post spread over all cells, so that full agreement still leaves a doubt
    weights = (table + 1 / table.size).ravel()
    draws = np.random.default_rng(seed).dirichlet(weights, size=DRAWS) * many
    draws = draws.reshape(DRAWS, *table.shape)
    return Agreement(label, table, _interval(kappa, table, draws), _interval(alpha, table, draws))


def _interval(coefficient: Callable[[Table], Table], table: Table, draws: Table) -> Interval:
    low, high = np.quantile(coefficient(draws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = float(coefficient(table))
    return Interval(value, min(float(low), value), max(float(high), value))


def differing(first: Labels, second: Labels) -> list[str]:
    """The labels on which two answers differ, as `of` names them; brands as `brand:NAME`."""
    both = [(first, second)]
    found = [] if first.sentiment == second.sentiment else ["sentiment"]
    found += [name for name, read in _readers(both).items() if read(first) != read(second)]
    accused = [
        {one.brand for one in labels.mentions if one.harassment} for labels in (first, second)
    ]
    return found + [f"brand:{name}" for name in sorted(accused[0] ^ accused[1])]
