"""Scores predicted labels against gold ones, with calibration error and bootstrap intervals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Row = Mapping[str, Any]

SENTIMENTS = ("negative", "neutral", "positive")
FLAGS = ("phone_harassment", "testimony")
FIELDS = ("topics", "signals")
MIN_CLASS_SUPPORT = (
    5  # a sentiment class rarer than this in the gold set is left out of a macro mean
)
BINS = 10
# Spellings of one brand that the gold files use for the same company (keys are `brand_key` forms).
BRAND_ALIASES = {
    "freemobile": "free",
    "freebox": "free",
    "bouygues": "bouyguestelecom",
    "canal": "canal+",
    "canalplus": "canal+",
    "redbysfr": "red",
}
KNOWN_BRANDS = frozenset(
    {
        "Free", "Orange", "Sosh", "SFR", "RED", "Bouygues Telecom", "B&You", "Canal+", "Engie",
        "EDF", "MAIF", "Sofinco", "Numericable", "La Poste Mobile", "Prixtel", "Coriolis",
        "NRJ Mobile",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measure:
    """One score with its 95 % bootstrap interval; macro means have no precision or recall (nan)."""

    name: str
    value: float
    low: float
    high: float
    precision: float = float("nan")
    recall: float = float("nan")
    support: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """What one labeller scores on one gold set; `missing` gold posts have no prediction."""

    n: int
    missing: int
    measures: tuple[Measure, ...]

    def __getitem__(self, name: str) -> Measure:
        """Return the measure called `name`, such as `topics/billing`; KeyError if absent."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(measure.name == name for measure in self.measures)


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives of one label; one row a post."""

    name: str
    table: Floats  # shape (posts, 3)


def brand_key(name: str) -> str:
    """Return the form under which a brand is compared: no case, accents or spaces."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9+&]", "", plain)
    return BRAND_ALIASES.get(key, key)


def evaluate(
    gold: Sequence[Row],
    predicted: Sequence[Row],
    *,
    known_brands: Collection[str] = KNOWN_BRANDS,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Scores:
    """Score `predicted` rows (schema of the labels, `id` included) against `gold` ones.

    Gold values that are null and items listed in `topics_disputed`, `signals_disputed` or
    `brands_disputed` are left out. A brand counts when it is in `known_brands` or is the row's
    own `context_brand`.
    """
    by_id = {row["id"]: row for row in predicted}
    pairs = [(row, by_id[row["id"]]) for row in gold if row["id"] in by_id]
    missing = len(gold) - len(pairs)
    if not pairs:
        return Scores(0, missing, ())
    weights = resample(len(pairs), bootstrap, seed)
    measures = [
        *flag_measures(pairs, weights),
        *sentiment_measures(pairs, weights),
        *(m for field in FIELDS for m in field_measures(pairs, field, weights)),
        *brand_measures(pairs, known_brands, weights),
        *calibration(pairs, weights),
    ]
    return Scores(len(pairs), missing, tuple(measures))


def resample(n: int, times: int, seed: int) -> Floats:
    """Return how often each of `n` posts is drawn, (1 + times, n); row 0 is the set itself."""
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=times)
    return np.vstack([np.ones((1, n)), draws])


def flag_measures(pairs: Sequence[tuple[Row, Row]], weights: Floats) -> list[Measure]:
    """Score the two yes/no labels of a whole post."""
    return [
        f1_measure(
            counts(
                flag, [(g[flag], bool(p[flag])) if g[flag] is not None else None for g, p in pairs]
            ),
            weights,
        )
        for flag in FLAGS
    ]


def sentiment_measures(pairs: Sequence[tuple[Row, Row]], weights: Floats) -> list[Measure]:
    """Score sentiment by macro-F1, over all posts and over X posts alone, and per class."""
    answers = [(g["sentiment"], p["sentiment"]) for g, p in pairs]
    on_x = [
        (t if g.get("source") == "x" else None, s)
        for (g, _), (t, s) in zip(pairs, answers, strict=True)
    ]
    measures = macro_measures("sentiment", [[a] for a in answers], weights)
    if any(truth for truth, _ in on_x):
        measures += macro_measures("sentiment_x", [[a] for a in on_x], weights)
    return measures


def field_measures(pairs: Sequence[tuple[Row, Row]], field: str, weights: Floats) -> list[Measure]:
    """Score a list field (`topics`, `signals`): each item in gold, then macro and micro F1."""
    names = sorted({item for g, _ in pairs for item in g[field]})
    tables = []
    for name in names:
        answers = [
            None
            if name in g.get(f"{field}_disputed", ())
            else (name in g[field], name in p.get(field, ()))
            for g, p in pairs
        ]
        tables.append(counts(f"{field}/{name}", answers))
    if not tables:
        return []
    total = Counts(f"{field}_micro", np.sum([t.table for t in tables], axis=0))
    macro = interval(f"{field}_macro", np.mean([f1s(t, weights) for t in tables], axis=0))
    return [*(f1_measure(t, weights) for t in tables), macro, f1_measure(total, weights)]


def brand_measures(
    pairs: Sequence[tuple[Row, Row]], known_brands: Collection[str], weights: Floats
) -> list[Measure]:
    """Score brand mentions, harassment per brand and sentiment per brand."""
    known = {brand_key(brand) for brand in known_brands}
    mentions, harassment = np.zeros((len(pairs), 3)), np.zeros((len(pairs), 3))
    sentiments: list[list[tuple[str | None, str]]] = []
    for row, (g, p) in enumerate(pairs):
        said, seen = scored_brands(g, p, known)
        mentions[row] = (
            len(said.keys() & seen.keys()),
            len(seen.keys() - said.keys()),
            len(said.keys() - seen.keys()),
        )
        for brand in said.keys() | seen.keys():
            truth = said[brand]["harassment"] if brand in said else False
            if truth is not None:
                harassment[row] += cell(bool(truth), bool(seen.get(brand, {}).get("harassment")))
        both = said.keys() & seen.keys()
        sentiments.append([(said[b]["sentiment"], seen[b]["sentiment"]) for b in sorted(both)])
    return [
        f1_measure(Counts("brand_mentions", mentions), weights),
        f1_measure(Counts("brand_harassment", harassment), weights),
        *macro_measures("brand_sentiment", sentiments, weights),
    ]


def scored_brands(
    gold: Row, predicted: Row, known: set[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the gold and the predicted brands of one post that count, by `brand_key`."""
    here = known | ({brand_key(gold["context_brand"])} if gold.get("context_brand") else set())
    here -= {brand_key(brand) for brand in gold.get("brands_disputed", ())}

    def kept(brands: Mapping[str, Any]) -> dict[str, Any]:
        return {key: said for name, said in brands.items() if (key := brand_key(name)) in here}

    return kept(gold["brands"]), kept(predicted.get("brands", {}))


def calibration(pairs: Sequence[tuple[Row, Row]], weights: Floats) -> list[Measure]:
    """Return the calibration error of harassment over ten equal bins, where probabilities are."""
    bins = np.zeros(
        (len(pairs), BINS, 2)
    )  # per post and bin: the gap (probability minus truth), and one
    for row, (g, p) in enumerate(pairs):
        probability = p.get("probabilities", {}).get("phone_harassment")
        if probability is None or g["phone_harassment"] is None:
            continue
        bins[row, min(int(probability * BINS), BINS - 1)] = probability - g["phone_harassment"], 1
    gaps, posts = weights @ bins[:, :, 0], weights @ bins[:, :, 1]
    if not posts[0].sum():
        return []
    return [
        interval(
            "harassment_ece", np.abs(gaps).sum(1) / np.maximum(posts.sum(1), 1), int(posts[0].sum())
        )
    ]


def counts(name: str, answers: Sequence[tuple[bool, bool] | None]) -> Counts:
    """Count one yes/no label; an answer is (gold, predicted), or None when disputed."""
    return Counts(
        name, np.array([(0, 0, 0) if a is None else cell(*a) for a in answers], dtype=float)
    )


def cell(truth: bool, answer: bool) -> tuple[int, int, int]:
    """Return (true positive, false positive, false negative) of one answer."""
    return int(truth and answer), int(answer and not truth), int(truth and not answer)


def macro_measures(
    name: str, answers: Sequence[Sequence[tuple[str | None, str]]], weights: Floats
) -> list[Measure]:
    """Return the macro-F1 over the sentiments common enough to count, and each of their F1."""
    measures, columns = [], []
    for sentiment in SENTIMENTS:
        table = np.array(
            [
                np.sum(
                    [cell(t == sentiment, s == sentiment) for t, s in row if t] or [(0, 0, 0)],
                    axis=0,
                )
                for row in answers
            ],
            dtype=float,
        )
        if table[:, (0, 2)].sum() < MIN_CLASS_SUPPORT:
            continue
        class_counts = Counts(f"{name}/{sentiment}", table)
        measures.append(f1_measure(class_counts, weights))
        columns.append(f1s(class_counts, weights))
    if not columns:
        return []
    return [interval(name, np.mean(columns, axis=0), sum(m.support for m in measures)), *measures]


def f1s(counted: Counts, weights: Floats) -> Floats:
    """Return the F1 of one label in each resample, shape (1 + times,)."""
    tp, fp, fn = (weights @ counted.table).T
    return np.asarray(2 * tp / np.maximum(2 * tp + fp + fn, 1e-9))


def f1_measure(counted: Counts, weights: Floats) -> Measure:
    """Return precision, recall and F1 of one label, with the interval of F1."""
    tp, fp, fn = counted.table.sum(axis=0)
    measure = interval(counted.name, f1s(counted, weights), int(tp + fn))
    return Measure(
        measure.name,
        measure.value,
        measure.low,
        measure.high,
        tp / max(1, tp + fp),
        tp / max(1, tp + fn),
        measure.support,
    )


def interval(name: str, values: Floats, support: int = 0) -> Measure:
    """Return a measure from its value on the set (first) and on the resamples (the rest)."""
    low, high = (
        np.percentile(values[1:], [2.5, 97.5]) if len(values) > 1 else (values[0], values[0])
    )
    return Measure(name, float(values[0]), float(low), float(high), support=support)


def expected_calibration_error(probabilities: Floats, truths: npt.NDArray[np.bool_]) -> float:
    """Return the mean gap between stated probability and observed share over ten equal bins."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, probabilities - truths, BINS)
    return float(np.abs(gaps).sum() / max(1, len(bins)))


def render(
    scores: Scores, *, keep: Callable[[Measure], bool] = lambda _: True
) -> list[tuple[str, ...]]:
    """Return a table as plain text cells, header first."""

    def cell_of(value: float) -> str:
        return "" if value != value else f"{value:.3f}"

    rows = [
        (
            m.name,
            cell_of(m.value),
            f"{m.low:.3f}-{m.high:.3f}",
            cell_of(m.precision),
            cell_of(m.recall),
            str(m.support or ""),
        )
        for m in scores.measures
        if keep(m)
    ]
    return [("measure", "value", "95 % interval", "precision", "recall", "support"), *rows]
