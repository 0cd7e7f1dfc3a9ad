"""Linear heads over sparse features: fit many at once, calibrate, cut, quantise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

STEPS = 60
MEMORY = 8  # pairs kept by L-BFGS
LEAST_CUT = 0.15  # no head says yes below it


@dataclass(frozen=True, slots=True)
class Outputs:
    """Names of the heads in column order; each (start, end) of `choices` sums to one."""

    names: tuple[str, ...]
    choices: tuple[tuple[int, int], ...] = ()

    def column(self, name: str) -> int:
        return self.names.index(name)

    @property
    def single(self) -> Bools:
        """Which columns are yes/no heads of their own, shape (heads,)."""
        alone = np.ones(len(self.names), dtype=bool)
        for start, end in self.choices:
            alone[start:end] = False
        return alone


@dataclass(frozen=True, slots=True)
class Targets:
    """What each row should answer, and how much it counts there (0 where nobody knows)."""

    values: Floats  # shape (rows, heads), 0 or 1
    weights: Floats  # shape (rows, heads)

    def __getitem__(self, rows: Bools) -> Targets:
        return Targets(self.values[rows], self.weights[rows])


def sigmoid(logits: Floats) -> Floats:
    """Return the probability of each log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def probabilities(logits: Floats, outputs: Outputs) -> Floats:
    """Return sigmoids of the yes/no heads and softmaxes of the choices, shape (rows, heads)."""
    answers = sigmoid(logits)
    for start, end in outputs.choices:
        block = np.exp(logits[:, start:end] - logits[:, start:end].max(axis=1, keepdims=True))
        answers[:, start:end] = block / block.sum(axis=1, keepdims=True)
    return answers


def loss_of(answers: Floats, targets: Targets, outputs: Outputs) -> float:
    """Return the weighted log-loss of all heads, summed."""
    certain = np.clip(answers, 1e-7, 1 - 1e-7)
    single = outputs.single
    hit = targets.values * np.log(certain)
    miss = (1 - targets.values) * np.log(1 - certain)
    return -float((targets.weights * np.where(single, hit + miss, hit)).sum(dtype=np.float64))


def fit(
    features: csr_array,
    targets: Targets,
    outputs: Outputs,
    *,
    penalty: float | Floats,
    steps: int = STEPS,
) -> Floats:
    """Fit all heads by L-BFGS; return weights, shape (features + 1, heads), the bias last.

    `penalty` is the L2 weight, one for all features or one a feature; the bias is free.
    """
    from scipy.optimize import minimize

    columns, heads = features.shape[1], len(outputs.names)
    decay = np.broadcast_to(np.asarray(penalty, dtype=np.float32), (columns,))
    scale, start_scale = steepness(features, targets, decay)
    scaled = csr_array(
        (features.data * scale[features.indices], features.indices, features.indptr),
        shape=features.shape,
    )
    turned = csr_array(scaled.T.tocsr())
    decay = (decay * scale**2)[:, None]

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.reshape(columns + 1, heads).astype(np.float32)
        logits = scaled @ weights[:-1] + weights[-1] * start_scale
        answers = probabilities(logits, outputs)
        gap = targets.weights * (answers - targets.values)
        slope = np.empty_like(weights)
        slope[:-1] = turned @ gap + decay * weights[:-1]
        slope[-1] = gap.sum(axis=0) * start_scale
        cost = 0.5 * float((decay * weights[:-1] ** 2).sum(dtype=np.float64))
        return cost + loss_of(answers, targets, outputs), slope.ravel().astype(np.float64)

    start = np.zeros((columns + 1) * heads)
    options = {"maxiter": steps, "maxcor": MEMORY, "ftol": 1e-6, "gtol": 1e-4}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    weights = np.asarray(found.x.reshape(columns + 1, heads), dtype=np.float32)
    weights[:-1] *= scale[:, None]
    weights[-1] *= start_scale
    return weights


def steepness(features: csr_array, targets: Targets, decay: Floats) -> tuple[Floats, float]:
    """Return what to multiply each column, and the bias, by so that the loss bends alike in all."""
    weight = targets.weights.mean(axis=1) / 4
    rows = np.repeat(weight, np.diff(features.indptr))
    bend = np.bincount(features.indices, rows * features.data**2, features.shape[1]) + decay
    return (1 / np.sqrt(bend)).astype(np.float32), float(1 / np.sqrt(max(weight.sum(), 1e-6)))


def platt(logits: Floats, truths: Floats, weights: Floats) -> tuple[float, float]:
    """Return (slope, shift) that make sigmoid(slope * logit + shift) a calibrated probability."""
    known = weights > 0
    if truths[known].sum() < 3:
        return 1.0, 0.0
    rows = csr_array(logits[known][:, None].astype(np.float32))
    targets = Targets(truths[known][:, None], weights[known][:, None])
    fitted = fit(rows, targets, Outputs(("probability",)), penalty=1e-2, steps=100)
    return float(max(fitted[0, 0], 0.05)), float(fitted[1, 0])


def threshold(answers: Floats, truths: Floats, weights: Floats, *, doubt: float = 3.0) -> float:
    """Return the calibrated probability from which a head says yes: half of the best F1.

    With calibrated probabilities F1 is greatest there (Lipton, Elkan and Naryanaswamy, 2014), and
    it is steadier than the best cut on a few posts. `doubt` pseudo errors lower it where few say
    yes.
    """
    known = weights > 0
    true, weight = truths[known].astype(bool), weights[known]
    said = answers[known][:, None] >= np.linspace(0.1, 0.8, 71)
    hits = weight @ (said & true[:, None])
    scores = 2 * hits / np.maximum(weight @ said + weight[true].sum() + doubt, 1)
    return float(max(scores.max() / 2, LEAST_CUT))


def quantised(weights: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return weights as int8 and the scale of each column."""
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


def select(rows: Sequence[int] | npt.NDArray[np.int64], size: int) -> Bools:
    """Return a mask of `size` with `rows` set."""
    mask = np.zeros(size, dtype=bool)
    mask[np.asarray(rows, dtype=np.int64)] = True
    return mask
