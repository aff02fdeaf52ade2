"""The figures that measure predictions: accuracy, F1, log loss.

All other code calls these functions. A figure that does not exist is NaN. An example is the F1 of
a label that no row has and no prediction gives.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule
from models.golden import Probabilities
from training.targets import Targets, soften

Score = Literal["accuracy", "macro_f1"]
"""The figure that a training chooses by."""


def measure(
    probabilities: Probabilities, targets: Targets, *, rule: DecisionRule
) -> dict[str, float]:
    """Return accuracy, macro-F1 and negative log-likelihood (nats) of the rows.

    With several labels per row, a row is accurate if all of its labels are right. The likelihood is
    then the mean over labels.
    """
    predicted = rule.choose(probabilities)
    return {
        "accuracy": float(np.mean(is_right(predicted, targets))),
        "macro_f1": macro_f1(predicted, targets, labels=probabilities.shape[1]),
        "log_loss": log_loss(probabilities, targets),
        "rows": float(len(targets)),
    }


def is_right(decided: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether all labels of each row are right; shape (rows,)."""
    same: NDArray[np.bool_] = decided == truth
    return same if same.ndim == 1 else same.all(axis=1)


def macro_f1(predicted: Targets, targets: Targets, *, labels: int) -> float:
    """Return the mean F1 over the labels that occur, in the targets or in the predictions."""
    given, true = soften(predicted, labels=labels), soften(targets, labels=labels)
    counts = np.stack([(given * true).sum(axis=0), given.sum(axis=0), true.sum(axis=0)])
    occurring = counts[1:].any(axis=0)
    return float(mean_f1(*counts[:, occurring])) if occurring.any() else 0.0


def mean_f1(hits: NDArray[Any], given: NDArray[Any], actual: NDArray[Any]) -> NDArray[Any]:
    """Return the mean F1 over the last axis, of the labels that are predicted or occur.

    Args:
        hits: Rows to which each label was rightly given, shape (…, labels).
        given: Rows to which each label was given, shape (…, labels).
        actual: Rows that have each label, shape (…, labels).
    """
    scores = f1_scores(hits, given, actual)
    known = ~np.isnan(scores)
    mean = ratio(np.where(known, scores, 0).sum(axis=-1), known.sum(axis=-1))
    return mean.astype(scores.dtype)


def f1_scores(hits: NDArray[Any], given: NDArray[Any], actual: NDArray[Any]) -> NDArray[Any]:
    """Return F1 from counts of equal shape; for the arguments see `mean_f1`."""
    return ratio(2 * hits, given + actual)


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[Any]:
    """Return part / whole, NaN where the whole is 0; float32 if both are float32, else float64."""
    part, whole = np.asarray(part), np.asarray(whole)
    result = np.full(whole.shape, np.nan, np.result_type(part, whole, np.float32))
    return np.divide(part, whole, out=result, where=whole > 0)


def log_loss(probabilities: Probabilities, targets: Targets) -> float:
    """Return the mean negative log-likelihood in nats, of rows or of multi-label decisions."""
    if targets.ndim == 1:
        chosen = probabilities[np.arange(len(targets)), targets]
    else:
        chosen = np.where(targets, probabilities, 1 - probabilities)
    return float(-np.mean(np.log(np.maximum(chosen, np.finfo(np.float32).tiny), dtype=np.float64)))
