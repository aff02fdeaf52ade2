"""Calibrates the halves of a classifier: a probability of 0.8 is right in 8 of 10 cases.

The logits are `network * a + ngrams * b + c`, with one c for each label. For one half, a is
temperature scaling with temperature 1 / a. With c it is vector scaling, but with one scale for all
labels (both in Guo et al., "On Calibration of Modern Neural Networks", ICML 2017). For two halves
it is a logistic regression on their logits. Targets are softened as in Platt, "Probabilistic
Outputs for Support Vector Machines", 1999. A few rows that are all right do not make it certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit, log_softmax

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Task
from training.calibration.metrics import Score
from training.calibration.probabilities import Logits, to_probabilities
from training.calibration.rule import choose_rule
from training.targets import Targets, soften

LOWEST, HIGHEST = 0.0, 20.0
BIAS_DEVIATION = 0.3  # standard deviation of the prior; keeps biases small where rows are few


@dataclass(frozen=True, eq=False)
class Scaling:
    """The weighted sum of the halves of a classifier.

    Args:
        weights: Factor of the logits of each half.
        bias: Bias of the logit of each label, shape (labels,).
    """

    weights: tuple[float, ...]
    bias: NDArray[np.float32]

    def add(self, halves: Sequence[Logits]) -> Logits:
        """Return the joint logits (rows, labels) of halves of the same shape."""
        weighed = (np.float32(w) * half for w, half in zip(self.weights, halves, strict=True))
        return sum(weighed, start=self.bias)

    def probabilities(self, halves: Sequence[Logits], *, task: Task) -> Probabilities:
        """Return the joint probabilities (rows, labels) of halves of the same shape."""
        return to_probabilities(self.add(halves), task=task).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Halves calibrated on some rows.

    Args:
        scaling: The weighted sum.
        probabilities: Probabilities of the rows, shape (rows, labels).
        rule: How the labels follow from them.
    """

    scaling: Scaling
    probabilities: Probabilities
    rule: DecisionRule


def calibrate(
    halves: Sequence[Logits], targets: Targets, *, task: Task, score: Score, biased: bool = True
) -> Calibrated:
    """Calibrate halves on some rows, and choose the rule for their labels.

    Args:
        halves: Logits (rows, labels) of each half.
        targets: Targets of the rows.
        task: Whether labels exclude each other.
        score: The figure that the rule is chosen by.
        biased: Whether labels get a bias; a bias would undo class weights of the fit.
    """
    scaling = weigh(halves, targets, task=task, biased=biased)
    probabilities = scaling.probabilities(halves, task=task)
    # Class weights of the fit already say how much rare labels count.
    rule = choose_rule(probabilities, targets, task=task, score=score if biased else "accuracy")
    return Calibrated(scaling, probabilities, rule)


def unscaled(halves: Sequence[Logits]) -> Scaling:
    """Return the scaling of factors 1 and biases 0."""
    return Scaling((1.0,) * len(halves), np.zeros(halves[0].shape[1], np.float32))


def weigh(
    halves: Sequence[Logits], targets: Targets, *, task: Task, biased: bool = True
) -> Scaling:
    """Return the scaling with the least cross-entropy of the targets.

    The biases have a normal prior around 0. The problem is convex. For the arguments see
    `calibrate`.
    """
    count, labels = len(halves), halves[0].shape[1]
    wanted = _platt(targets, labels=labels, task=task)
    stacked = np.stack(halves).astype(np.float64)
    prior = 1 / (BIAS_DEVIATION**2 * len(wanted))

    def loss(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = found[:count], found[count:]
        logits = np.tensordot(weights, stacked, axes=1) + bias
        error = (to_probabilities(logits, task=task) - wanted) / len(wanted)
        slope = np.tensordot(stacked, error, axes=([1, 2], [0, 1]))
        slopes = np.concatenate([slope, error.sum(axis=0) + prior * bias])
        return _cross_entropy(logits, wanted, task=task) + prior / 2 * bias @ bias, slopes

    start = np.concatenate([np.full(count, 1 / count), np.zeros(labels)])
    limit = None if biased else 0.0
    bounds = [(LOWEST, HIGHEST)] * count + [(limit, limit)] * labels
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Scaling(tuple(map(float, found[:count])), found[count:].astype(np.float32))


def cross_entropy(logits: Logits, targets: Targets, *, task: Task) -> float:
    """Return the mean cross-entropy of softened targets in nats, summed over labels."""
    return _cross_entropy(logits, _platt(targets, labels=logits.shape[1], task=task), task=task)


def _cross_entropy(logits: Logits, wanted: NDArray[np.float64], *, task: Task) -> float:
    if task == "single_label":
        return float(-np.sum(wanted * log_softmax(logits, axis=1)) / len(wanted))
    terms = wanted * log_expit(logits) + (1 - wanted) * log_expit(-logits)
    return float(-np.sum(terms) / len(wanted))


def _platt(targets: Targets, *, labels: int, task: Task) -> NDArray[np.float64]:
    """Return softened targets: each gives 1 / (rows + 2) to the opposite answer."""
    hard = soften(targets, labels=labels).astype(np.float64)
    rest = 1 / (len(hard) + 2)
    others = labels - 1 if task == "single_label" else 1
    return np.where(hard == 1, 1 - rest, rest / others)
