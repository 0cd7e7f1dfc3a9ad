"""Evaluation: the numbers that every floor and every table of the project rests on."""

from __future__ import annotations

import importlib.util
import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp.evaluate import brand_key, evaluate, expected_calibration_error, render

SHARED = Path(__file__).parents[2] / ".." / "shared"


def gold_row(identifier: str, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": identifier, "source": "x", "context_brand": None, "sentiment": "negative",
        "phone_harassment": True, "testimony": True, "topics": ["phone_harassment"],
        "topics_disputed": [], "signals": [], "signals_disputed": [],
        "brands": {}, "brands_disputed": [],
    }  # fmt: skip
    return row | changes


def test_a_perfect_prediction_scores_one_everywhere() -> None:
    gold = [
        gold_row(str(i), brands={"SFR": {"sentiment": "negative", "harassment": True}})
        for i in range(6)
    ]
    scores = evaluate(gold, gold, bootstrap=50)
    assert {m.value for m in scores.measures} == {1.0}
    assert scores.n == 6
    assert scores.missing == 0


def test_precision_and_recall_are_told_apart() -> None:
    gold = [
        gold_row("a"),
        gold_row("b"),
        gold_row("c", phone_harassment=False),
        gold_row("d", phone_harassment=False),
    ]
    predicted = [gold_row("a"), gold_row("b"), gold_row("c"), gold_row("d", phone_harassment=False)]
    measure = evaluate(gold, predicted, bootstrap=10)["phone_harassment"]
    assert measure.precision == pytest.approx(2 / 3)
    assert measure.recall == 1.0
    assert measure.value == pytest.approx(0.8)


def test_disputed_and_null_values_are_left_out() -> None:
    gold = [
        gold_row("a", phone_harassment=None),
        gold_row("b", topics=["billing"]),
        gold_row("c", topics_disputed=["billing"]),
        gold_row("d", brands_disputed=["SFR"]),
    ]
    wrong = {"topics": ["billing"], "brands": {"SFR": {"sentiment": "neutral", "harassment": True}}}
    predicted = [
        gold_row("a", phone_harassment=False),
        gold_row("b", topics=["billing"]),
        gold_row("c", **wrong),
        gold_row("d", **wrong),
    ]
    scores = evaluate(gold, predicted, bootstrap=10)
    assert scores["phone_harassment"].support == 3
    assert scores["phone_harassment"].value == 1.0
    assert scores["topics/billing"].precision == 0.5  # "c" is disputed; "d" is a false alarm
    assert scores["brand_mentions"].precision == 0.0  # "c" only: "d" is disputed


def test_a_gold_post_without_prediction_is_counted_as_missing() -> None:
    scores = evaluate([gold_row("a"), gold_row("b")], [gold_row("a")], bootstrap=10)
    assert (scores.n, scores.missing) == (1, 1)
    assert evaluate([gold_row("a")], []).measures == ()


def test_a_brand_counts_if_known_or_the_context_of_the_post() -> None:
    said = {"sentiment": "negative", "harassment": False}
    gold = [
        gold_row("a", brands={"Zorbatel": said}),
        gold_row("b", context_brand="Zorbatel", brands={"Zorbatel": said}),
    ]
    scores = evaluate(gold, gold, bootstrap=10)
    assert scores["brand_mentions"].support == 1
    assert (
        evaluate(gold, gold, known_brands=["Zorbatel"], bootstrap=10)["brand_mentions"].support == 2
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Free Mobile", "free"),
        ("CANAL +", "Canal+"),
        ("Bouygues", "Bouygues Telecom"),
        ("RED by SFR", "red"),
    ],
)
def test_spellings_of_one_brand_share_a_key(one: str, other: str) -> None:
    assert brand_key(one) == brand_key(other)


def test_the_interval_holds_the_value_and_narrows_with_more_posts() -> None:
    def width(n: int) -> float:
        gold = [gold_row(str(i), phone_harassment=i % 2 == 0) for i in range(n)]
        predicted = [gold_row(str(i), phone_harassment=i % 3 == 0) for i in range(n)]
        measure = evaluate(gold, predicted, bootstrap=400)["phone_harassment"]
        assert measure.low <= measure.value <= measure.high
        return measure.high - measure.low

    assert width(600) < width(60) / 2


def test_the_calibration_error_is_zero_for_true_shares_and_large_for_false_certainty() -> None:
    probabilities = np.array([0.25] * 4 + [0.75] * 4)
    truths = np.array([True, False, False, False, True, True, True, False])
    assert expected_calibration_error(probabilities, truths) == pytest.approx(0.0)
    assert expected_calibration_error(np.ones(4), np.zeros(4, dtype=bool)) == 1.0
    gold = [gold_row(str(i), phone_harassment=bool(t)) for i, t in enumerate(truths)]
    predicted = [
        row | {"probabilities": {"phone_harassment": p}}
        for row, p in zip(gold, probabilities, strict=True)
    ]
    assert evaluate(gold, predicted, bootstrap=10)["harassment_ece"].value == pytest.approx(0.0)


def test_the_table_has_a_header_and_a_line_a_measure() -> None:
    scores = evaluate([gold_row("a")], [gold_row("a")], bootstrap=10)
    table = render(scores)
    assert table[0][0] == "measure"
    assert len(table) == len(scores.measures) + 1
    assert {len(row) for row in table} == {6}


def test_scores_agree_with_the_reference_scorer(tmp_path: Path) -> None:
    scorer, dev = SHARED / "tools" / "score_labels.py", SHARED / "data" / "dev.jsonl"
    if not scorer.exists() or not dev.exists():
        pytest.skip("the shared scorer and data are not beside this checkout")
    gold = [json.loads(line) for line in dev.read_text().splitlines()]
    predicted = [damaged(row, random.Random(i)) for i, row in enumerate(gold)]
    path = tmp_path / "predicted.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in predicted))
    reference = reference_scores(scorer, gold, predicted)
    scores = evaluate(gold, predicted, bootstrap=0)
    for name in ("phone_harassment", "testimony", "brand_mentions", "brand_harassment"):
        measure = scores[name]
        assert (measure.precision, measure.recall, measure.value) == pytest.approx(
            reference[name][:3]
        )
    for name in ("sentiment", "sentiment_x", "brand_sentiment"):
        assert scores[name].value == pytest.approx(reference[name][0])
    for field in ("topics", "signals"):
        assert scores[f"{field}_macro"].value == pytest.approx(reference[f"{field}_macro"])
        assert scores[f"{field}_micro"].value == pytest.approx(reference[f"{field}_micro"])
    printed = subprocess.run(
        [sys.executable, scorer, dev, path], capture_output=True, text=True, check=True
    ).stdout
    assert f"{scores['sentiment'].value:.3f}" in printed


def reference_scores(
    scorer: Path, gold: list[dict[str, Any]], predicted: list[dict[str, Any]]
) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("score_labels", scorer)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    scores: dict[str, Any] = module.score(gold, predicted)
    return scores


def damaged(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return gold labels with mistakes of every kind put in."""

    def flip(value: bool | None) -> bool:
        return bool(value) ^ (chance.random() < 0.2)

    brands = {
        b: {
            "sentiment": chance.choice(["negative", "neutral", "positive"]),
            "harassment": flip(v["harassment"]),
        }
        for b, v in row["brands"].items()
        if chance.random() < 0.8
    }
    if chance.random() < 0.2:
        brands["Orange"] = {"sentiment": "neutral", "harassment": flip(False)}
    return {
        "id": row["id"],
        "sentiment": chance.choice(["negative", "neutral", "positive"]),
        "phone_harassment": flip(row["phone_harassment"]),
        "testimony": flip(row["testimony"]),
        "topics": [t for t in row["topics"] if chance.random() < 0.8] + ["billing"],
        "signals": [s for s in row["signals"] if chance.random() < 0.7] + ["voicemail"],
        "brands": brands,
    }


def test_values_are_finite_when_a_label_never_occurs() -> None:
    gold = [gold_row("a", phone_harassment=False, topics=["other"])]
    assert all(math.isfinite(m.value) for m in evaluate(gold, gold, bootstrap=20).measures)
