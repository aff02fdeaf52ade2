"""From probabilities to labels, margins and log-odds.

Margins and contributions are in log-odds, because these add up.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from models.metadata import Task

LEAST = 1e-12  # in place of a probability that a 32-bit float rounds to 0

Floats = NDArray[np.floating[Any]]
Thresholds = Sequence[float] | None
"""Least probability of each label that is given, (labels,); None for single label."""
Verdict = tuple[int, ...]


def choose_labels(probabilities: Floats, *, thresholds: Thresholds) -> NDArray[np.int32]:
    """Return the labels of texts.

    Args:
        probabilities: Shape (…, labels).
        thresholds: Least probability of each label that is given; None for single label.

    Returns:
        Without thresholds the number of the likeliest label, the first of equals, shape (…,). With
        thresholds 1 for each given label and 0 for the others, shape (…, labels).
    """
    chosen = (
        probabilities.argmax(axis=-1)
        if thresholds is None
        else probabilities >= np.asarray(thresholds)
    )
    labels: NDArray[np.int32] = chosen.astype(np.int32)
    return labels


def verdict_of(probabilities: Floats, thresholds: Thresholds) -> Verdict:
    """Return the labels of one text from its probabilities (labels,); see `choose_labels`."""
    labels = choose_labels(probabilities, thresholds=thresholds)
    return (int(labels),) if thresholds is None else tuple(labels.tolist())


def margin_of(probabilities: Floats, thresholds: Thresholds) -> float:
    """Return the distance in log-odds of a text, (labels,), from another verdict."""
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

    For single label 1 - p is the sum of the others, which stays exact where p rounds to 1.

    Args:
        probabilities: Shape (rows, labels).
        label: Number of the label.
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
