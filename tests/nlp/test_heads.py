"""Heads: that they learn what can be learnt, and say how sure they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from nlp.heads import LEAST_CUT, Outputs, Targets, fit, platt, probabilities, quantised, threshold

RNG = np.random.default_rng(0)


def problem(n: int = 400) -> tuple[csr_array, Targets, Outputs]:
    """Return two yes/no heads and a choice of three, each readable off the features."""
    x = RNG.normal(size=(n, 5)).astype(np.float32)
    choice = np.argmax(x[:, 2:5], axis=1)
    values = np.zeros((n, 5), dtype=np.float32)
    values[:, 0] = x[:, 0] > 0
    values[:, 1] = x[:, 1] + x[:, 0] > 1
    values[np.arange(n), 2 + choice] = 1
    outputs = Outputs(("a", "b", "x", "y", "z"), ((2, 5),))
    return csr_array(x), Targets(values, np.ones_like(values)), outputs


def answers(features: csr_array, weights: np.ndarray, outputs: Outputs) -> np.ndarray:
    return probabilities(np.asarray(features @ weights[:-1] + weights[-1]), outputs)


def test_heads_learn_yes_no_and_choices_together() -> None:
    features, targets, outputs = problem()
    said = answers(features, fit(features, targets, outputs, penalty=0.01), outputs)
    assert ((said[:, :2] > 0.5) == targets.values[:, :2]).mean() > 0.95
    assert (said[:, 2:].argmax(1) == targets.values[:, 2:].argmax(1)).mean() > 0.95
    assert said[:, 2:].sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_row_of_no_weight_teaches_nothing() -> None:
    features, targets, outputs = problem()
    wrong = Targets(targets.values.copy(), targets.weights.copy())
    wrong.values[::2, 0] = 1 - wrong.values[::2, 0]
    wrong.weights[::2, 0] = 0
    weights = fit(features, wrong, outputs, penalty=0.01)
    said = answers(features, weights, outputs)[:, 0] > 0.5
    assert (said == targets.values[:, 0]).mean() > 0.95


def test_more_penalty_makes_smaller_weights() -> None:
    features, targets, outputs = problem()
    free, held = (fit(features, targets, outputs, penalty=p) for p in (0.01, 100.0))
    assert np.abs(held[:-1]).sum() < np.abs(free[:-1]).sum() / 3


def test_calibration_undoes_overconfidence() -> None:
    truth = (RNG.random(4000) < 0.3).astype(np.float32)
    honest = np.where(truth > 0, 1.0, -1.0) + RNG.normal(size=4000)
    slope, shift = platt((honest * 5).astype(np.float32), truth, np.ones(4000, np.float32))
    said = 1 / (1 + np.exp(-(honest * 5 * slope + shift)))
    assert slope < 1
    assert said.mean() == pytest.approx(truth.mean(), abs=0.02)


def test_calibration_leaves_a_head_that_nearly_never_says_yes() -> None:
    assert platt(np.zeros(5, np.float32), np.zeros(5, np.float32), np.ones(5, np.float32)) == (1, 0)


def test_the_cut_is_half_of_the_best_f1() -> None:
    truth = np.repeat([0, 1], 200).astype(np.float32)
    ones = np.ones(400, dtype=np.float32)
    sure = np.where(truth > 0, 0.9, 0.05).astype(np.float32)
    assert threshold(sure, truth, ones) == pytest.approx(0.5, abs=0.01)
    blind = np.full(400, 0.5, dtype=np.float32)
    assert threshold(blind, truth, ones) == pytest.approx(1 / 3, abs=0.01)


def test_a_head_that_never_should_say_yes_keeps_a_least_cut() -> None:
    said = np.linspace(0, 1, 50).astype(np.float32)
    assert threshold(said, np.zeros(50, np.float32), np.ones(50, np.float32)) == LEAST_CUT


def test_int8_weights_are_within_half_a_step() -> None:
    weights = RNG.normal(size=(50, 3)).astype(np.float32)
    small, scale = quantised(weights)
    assert small.dtype == np.int8
    assert np.abs(small * scale - weights).max() <= scale.max() / 2 + 1e-6
