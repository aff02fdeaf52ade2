"""From probabilities to labels: what is decided, by what margin, and in which units it is weighed.

Log-odds are the units, in which contributions add up.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from models.metadata import Task

LEAST = 1e-12  # of a probability; what a 32-bit float rounds to nothing is not impossible

Floats = NDArray[np.floating[Any]]
Thresholds = Sequence[float] | None
"""Probability from which each label is given, (labels,); None where they exclude each other."""
Verdict = tuple[int, ...]


def choose_labels(probabilities: Floats, *, thresholds: Thresholds) -> NDArray[np.int32]:
    """Return which label each text is given, or for each label whether it is.

    Args:
        probabilities: Shape (…, labels).
        thresholds: From which labels are given.

    Returns:
        Without thresholds the number of the likeliest label, the first of equals, shape (…,); else
        1 for each label that is given and 0 for the others, shape (…, labels).
    """
    if thresholds is None:
        return np.asarray(probabilities.argmax(axis=-1), np.int32)
    return np.asarray(probabilities >= np.asarray(thresholds), np.int32)


def verdict_of(probabilities: Floats, thresholds: Thresholds) -> Verdict:
    """Return the label of a text, or for each label whether it is given; shape (labels,) in."""
    return tuple(np.atleast_1d(choose_labels(probabilities, thresholds=thresholds)).tolist())


def margin_of(probabilities: Floats, thresholds: Thresholds) -> float:
    """Return how far, in log-odds, the verdict of a text is from another; shape (labels,) in."""
    p = probabilities.astype(np.float64)
    if thresholds is None:
        second, first = np.sort(p)[-2:]
        return float(log_ratio(first, second))
    limits = np.asarray(thresholds)
    return float(np.abs(log_ratio(p, 1 - p) - log_ratio(limits, 1 - limits)).min())


def change_logits(
    probabilities: Probabilities, change: NDArray[np.float64], thresholds: Thresholds
) -> NDArray[np.float64]:
    """Return the probabilities of a text after a change of its logits; all of shape (labels,)."""
    p = probabilities.astype(np.float64)
    if thresholds is None:
        logits = np.log(np.maximum(p, LEAST)) + change
        changed = np.exp(logits - logits.max())
        return np.asarray(changed / changed.sum())
    return np.asarray(1 / (1 + np.exp(-log_ratio(p, 1 - p) - change)))


def log_odds(probabilities: Probabilities, label: int, *, task: Task) -> NDArray[np.float64]:
    """Return ln(p / (1 - p)) of one label, shape (rows,).

    Where labels exclude each other 1 - p is the sum of the others, which keeps its digits where p
    is rounded to 1.

    Args:
        probabilities: Shape (rows, labels).
        label: Which.
        task: Whether labels exclude each other.
    """
    wanted = probabilities[:, label].astype(np.float64)
    others = 1 - wanted
    if task == "single_label":
        others = np.delete(probabilities, label, axis=1).astype(np.float64).sum(axis=1)
    return log_ratio(wanted, others)


def log_ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln(one / other) of probabilities, finite where they are 0."""
    ratio: NDArray[np.float64] = np.log(np.maximum(one, LEAST)) - np.log(np.maximum(other, LEAST))
    return ratio
