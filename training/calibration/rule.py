"""Chooses the rule by which labels follow from probabilities, on rows with known labels.

Where macro-F1 counts, the likeliest label is not the best one to give. A rare label counts as much
as a frequent one, and is rarely the likeliest. So probabilities are divided by a power of how
frequent their labels are: the logit adjustment of Menon et al., "Long-tail learning via logit
adjustment", ICLR 2021, after the fit.
"""

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Task
from training.calibration.metrics import Score, mean_f1
from training.targets import Targets, count_classes

LOWEST_THRESHOLD = 0.02  # keeps a label that is always less likely from being given to all rows
POWERS = np.linspace(0, 1, 11)  # of the labels' frequencies; the first changes nothing
RESAMPLES = 100
SURE = 2.0  # standard errors of the gain of the best power; chance seldom goes beyond


def choose_rule(
    probabilities: Probabilities, targets: Targets, *, task: Task, score: Score
) -> DecisionRule:
    """Return the rule that is best on these rows.

    Args:
        probabilities: Shape (rows, labels).
        targets: Targets of the rows.
        task: Whether labels exclude each other.
        score: The figure that counts.
    """
    if task == "multi_label":
        return DecisionRule(task, find_thresholds(probabilities, targets))
    divisors = find_divisors(probabilities, targets) if score == "macro_f1" else None
    return DecisionRule(task, divisors)


def find_divisors(probabilities: Probabilities, targets: Targets) -> tuple[float, ...] | None:
    """Return the powers of the labels' frequencies with the highest macro-F1.

    A frequency is the mean probability of a label. None where the gain may be chance.

    Args:
        probabilities: Shape (rows, labels).
        targets: Numbers of the labels, shape (rows,).
    """
    frequencies = np.maximum(probabilities.mean(axis=0, dtype=np.float64), 1 / len(targets))
    divisors = (frequencies / frequencies.max()) ** POWERS[:, None]
    decided = [(probabilities / each).argmax(axis=1) for each in divisors]
    found = _resampled_f1(decided, targets, labels=probabilities.shape[1])
    best = int(found.mean(axis=0).argmax())
    gain = found[:, best] - found[:, 0]
    if gain.mean() <= SURE * gain.std():
        return None
    return tuple(divisors[best].tolist())


def _resampled_f1(
    decided: list[NDArray[np.intp]], targets: Targets, *, labels: int
) -> NDArray[np.float64]:
    """Return the macro-F1 of decisions on bootstrap samples of the rows: (resamples, decisions)."""
    random, rows = np.random.default_rng(0), len(targets)
    found = np.empty((RESAMPLES, len(decided)))
    for sample in found:
        drawn = random.integers(0, rows, rows)
        truth = targets[drawn]
        actual = count_classes(truth, classes=labels)
        for place, every in enumerate(decided):
            given = every[drawn]
            hits = count_classes(truth[given == truth], classes=labels)
            sample[place] = mean_f1(hits, count_classes(given, classes=labels), actual)
    return found


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
