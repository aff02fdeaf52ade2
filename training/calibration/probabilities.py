"""From logits to probabilities, and from probabilities to predictions."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from models.decisions import Thresholds, choose_labels
from models.golden import Probabilities
from models.metadata import Task
from training.targets import Targets

Logits = NDArray[np.float32]
"""Shape (rows, labels)."""
LOWEST_THRESHOLD = 0.02  # keeps a label that is always less likely from being given to all rows


def to_probabilities(logits: Logits, *, task: Task) -> Probabilities:
    """Return probabilities (rows, labels): softmax for single label, else sigmoid per label."""
    probabilities: Probabilities = (
        softmax(logits, axis=1) if task == "single_label" else expit(logits)
    )
    return probabilities


def temper(probabilities: Probabilities, *, temperature: float, task: Task) -> Probabilities:
    """Return the probabilities for logits divided by `temperature`."""
    if task == "multi_label":
        return expit(logit(probabilities) / temperature)
    tempered: Probabilities = probabilities ** (1 / temperature)
    return tempered / tempered.sum(axis=1, keepdims=True)


def doubt(degrees: Probabilities, *, like: Probabilities, task: Task) -> Probabilities:
    """Return degrees of 0 and 1, softened to the mean doubt of other degrees.

    Args:
        degrees: 0 or 1, shape (rows, labels).
        like: The other degrees, shape (other rows, labels).
        task: Whether labels exclude each other.
    """
    if task == "multi_label":
        doubted = np.minimum(like, 1 - like).mean()
        return np.abs(degrees - doubted)
    doubted = 1 - like.max(axis=1).mean()
    others = doubted / (degrees.shape[1] - 1)
    return np.where(degrees == 1, 1 - doubted, others).astype(np.float32)


def predict(probabilities: Probabilities, *, thresholds: Thresholds) -> Targets:
    """Return the predictions of the service in the form of targets.

    Args:
        probabilities: Shape (rows, labels).
        thresholds: Least probability of each label that is given, (labels,); None for single
            label.
    """
    return choose_labels(probabilities, thresholds=thresholds)


def find_thresholds(probabilities: Probabilities, targets: Targets) -> tuple[float, ...]:
    """Return the threshold of each label with the highest F1 on these rows.

    Args:
        probabilities: Shape (rows, labels).
        targets: 1 where a row has a label, shape (rows, labels).
    """
    return tuple(
        _find_threshold(column, target)
        for column, target in zip(probabilities.T, targets.T, strict=True)
    )


def _find_threshold(probabilities: NDArray[np.float32], target: NDArray[np.int32]) -> float:
    """Return the best threshold: the midpoint between two neighbouring probabilities."""
    if not target.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order].astype(np.float64)
    hits = np.cumsum(target[order])
    given = np.arange(1, len(ranked) + 1)
    score = 2 * hits / (given + target.sum())
    below = np.append(ranked[1:], 0.0)
    score[ranked == below] = -1.0  # no threshold separates equal probabilities
    best = int(score.argmax())
    return float(max(LOWEST_THRESHOLD, (ranked[best] + below[best]) / 2))
