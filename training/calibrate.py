"""Weighs the halves of a classifier, so that a probability of 0.8 is right in 8 of 10 cases.

The logits are `network * a + ngrams * b`. With one half that is temperature scaling, 1 / a being
the temperature (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017); with two it
joins opinions as logistic regression would. Targets are softened as in Platt, "Probabilistic
Outputs for Support Vector Machines", 1999, so that a few rows, all of them right, are no reason to
be certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit, log_softmax

from models.golden import Probabilities
from models.metadata import Task
from training.classes import Targets
from training.decide import Logits, find_thresholds, soften, to_probabilities

LOWEST, HIGHEST = 0.0, 20.0


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Halves that have been weighed on some rows.

    Args:
        weights: What the logits of each half are multiplied by.
        probabilities: Of the rows, shape (rows, labels).
        thresholds: Probabilities from which labels are given; None where they exclude each other.
    """

    weights: tuple[float, ...]
    probabilities: Probabilities
    thresholds: tuple[float, ...] | None


def calibrate(halves: Sequence[Logits], targets: Targets, *, task: Task) -> Calibrated:
    """Weigh halves, logits (rows, labels) each, and set thresholds where labels are several."""
    weights = weigh(halves, targets, task=task)
    probabilities = join(halves, weights, task=task)
    several = task == "multi_label"
    thresholds = find_thresholds(probabilities, targets) if several else None
    return Calibrated(weights, probabilities, thresholds)


def join(halves: Sequence[Logits], weights: Sequence[float], *, task: Task) -> Probabilities:
    """Return the probabilities of weighted logits, each of shape (rows, labels)."""
    joined = sum(np.float32(w) * half for w, half in zip(weights, halves, strict=True))
    return to_probabilities(joined, task=task).astype(np.float32)


def weigh(halves: Sequence[Logits], targets: Targets, *, task: Task) -> tuple[float, ...]:
    """Return the weight of each half at which the cross-entropy of the targets is least.

    The problem is convex.

    Args:
        halves: Logits (rows, labels) of each half.
        targets: What the rows should be classified as.
        task: Whether labels exclude each other.
    """
    wanted = _platt(targets, labels=halves[0].shape[1], task=task)
    stacked = np.stack(halves).astype(np.float64)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = np.tensordot(weights, stacked, axes=1)
        error = to_probabilities(logits, task=task) - wanted
        slope = np.tensordot(stacked, error, axes=([1, 2], [0, 1]))
        return _cross_entropy(logits, wanted, task=task), slope / len(wanted)

    start = np.full(len(halves), 1 / len(halves))
    bounds = [(LOWEST, HIGHEST)] * len(halves)
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return tuple(map(float, found.x))


def cross_entropy(logits: Logits, targets: Targets, *, task: Task) -> float:
    """Return the mean cross-entropy of the rows in nats, summed over labels; targets softened."""
    return _cross_entropy(logits, _platt(targets, labels=logits.shape[1], task=task), task=task)


def _cross_entropy(logits: Logits, wanted: NDArray[np.float64], *, task: Task) -> float:
    if task == "single_label":
        return float(-np.sum(wanted * log_softmax(logits, axis=1)) / len(wanted))
    terms = wanted * log_expit(logits) + (1 - wanted) * log_expit(-logits)
    return float(-np.sum(terms) / len(wanted))


def _platt(targets: Targets, *, labels: int, task: Task) -> NDArray[np.float64]:
    """Return the targets with 1 / (rows + 2) of each taken away from what they say."""
    hard = soften(targets, labels=labels).astype(np.float64)
    rest = 1 / (len(hard) + 2)
    others = labels - 1 if task == "single_label" else 1
    return np.where(hard == 1, 1 - rest, rest / others)
