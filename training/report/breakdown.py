"""Breaks a split down: by class, by pair of classes, by length and by single mistakes."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from training.report.measures import Estimate, estimate, share
from training.report.results import SplitResult
from training.report.statistics import percentiles
from training.report.tallies import Decisions, Tallied

MOST_CLASSES = 30  # in a legible confusion matrix
MOST_PAIRS = 20
MOST_MISTAKES = 20
MOST_BINS, BIN_ROWS = 10, 100  # bins of length, and the desired rows of a bin


class ClassFigures(TypedDict):
    """Figures of one label. `threshold` is None where the likeliest label is given.

    `number` is its place among the labels, from 0.
    """

    label: str
    number: int
    support: int
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    threshold: float | None


class Pair(TypedDict):
    """Rows of one class that were classified as another, and their share of the class."""

    truth: str
    predicted: str
    rows: int
    share: float


class LengthBin(TypedDict):
    """Rows of `shortest` to `longest` tokens, and their share of right answers."""

    shortest: int
    longest: int
    rows: int
    accuracy: Estimate


class Mistake(TypedDict):
    """A wrong decision: the decision, its probability, and the truth.

    Single label: `decided` and `truth` are classes, and so is `baseline`, the answer of the linear
    baseline. Multi-label: they are `label` or `no label`.
    """

    row: int
    decided: str
    truth: str
    baseline: str | None
    probability: float
    tokens: int


def by_class(
    tallied: Tallied, *, labels: list[str], thresholds: list[float] | None
) -> list[ClassFigures]:
    """Return the figures of each label, in order."""
    sample, f1 = tallied.sample, tallied.sample.f1
    found: list[ClassFigures] = []
    for place, label in enumerate(labels):
        hits, given, actual = (
            int(counts[place]) for counts in (sample.hits, sample.given, sample.actual)
        )
        found.append(
            {
                "label": label,
                "number": place,
                "support": actual,
                "true_positives": hits,
                "false_positives": given - hits,
                "false_negatives": actual - hits,
                "true_negatives": sample.rows - given - actual + hits,
                "precision": share(hits, given),
                "recall": share(hits, actual),
                "f1": estimate(float(f1[place]), percentiles(tallied.resampled.f1[:, place])),
                "threshold": None if thresholds is None else thresholds[place],
            }
        )
    return found


def badness(found: ClassFigures) -> float:
    """Return a sort key of labels: least F1 first, labels without F1 last."""
    value = found["f1"]["value"]
    return 2.0 if value is None else value


def confusion_matrix(truth: Decisions, decided: Decisions, *, labels: int) -> NDArray[np.int64]:
    """Return the rows of each true class (first axis) by decided class (second axis)."""
    pairs = truth.astype(np.int64) * labels + decided
    return np.bincount(pairs, minlength=labels**2).reshape(labels, labels)


def worst_pairs(matrix: NDArray[np.int64], *, labels: list[str]) -> list[Pair]:
    """Return the most frequent confusions of a matrix, the most frequent first."""
    wrong = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    return [
        {
            "truth": labels[truth],
            "predicted": labels[decided],
            "rows": int(wrong[truth, decided]),
            "share": float(wrong[truth, decided] / matrix[truth].sum()),
        }
        for truth, decided in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[truth, decided]
    ]


def by_length(lengths: NDArray[np.integer], right: NDArray[np.bool_]) -> list[LengthBin]:
    """Return the share of right rows in bins of length with about equal numbers of rows.

    Rows of one length are in one bin, so there may be fewer bins than desired.

    Args:
        lengths: Tokens of each row, (rows,).
        right: Whether each row is right, (rows,).
    """
    aim = int(np.clip(len(lengths) // BIN_ROWS, 1, MOST_BINS))
    edges = np.quantile(lengths, np.arange(1, aim) / aim, method="higher")
    bin = np.searchsorted(np.unique(edges), lengths, side="right")
    found: list[LengthBin] = []
    for place in np.unique(bin):
        inside = bin == place
        found.append(
            {
                "shortest": int(lengths[inside].min()),
                "longest": int(lengths[inside].max()),
                "rows": int(inside.sum()),
                "accuracy": share(int(right[inside].sum()), int(inside.sum())),
            }
        )
    return found


def surest_mistakes(
    split: SplitResult,
    decided: Decisions,
    *,
    baseline: Decisions | None,
    labels: list[str],
) -> list[Mistake]:
    """Return the wrong decisions of highest probability, the surest first."""
    if decided.ndim == 1:
        return _surest_classes(split, decided, baseline=baseline, labels=labels)
    return _surest_labels(split, decided, labels=labels)


def _surest_classes(
    split: SplitResult, decided: Decisions, *, baseline: Decisions | None, labels: list[str]
) -> list[Mistake]:
    given = split.probabilities[np.arange(split.rows), decided]
    sureness = np.where(decided == split.labels, -1, given)
    return [
        {
            "row": _number(split, row),
            "decided": labels[decided[row]],
            "truth": labels[split.labels[row]],
            "baseline": None if baseline is None else labels[baseline[row]],
            "probability": float(sureness[row]),
            "tokens": int(split.lengths[row]),
        }
        for row in _largest(sureness)
    ]


def _surest_labels(split: SplitResult, decided: Decisions, *, labels: list[str]) -> list[Mistake]:
    """Return the surest mistakes with each label of each row as a decision of its own."""
    sureness = np.where(decided, split.probabilities, 1 - split.probabilities)
    sureness = np.where(decided == split.labels.astype(bool), -1, sureness).ravel()
    found: list[Mistake] = []
    for place in _largest(sureness):
        row, label = divmod(int(place), len(labels))
        given, not_given = labels[label], f"not {labels[label]}"
        if not decided[row, label]:
            given, not_given = not_given, given
        found.append(
            {
                "row": _number(split, row),
                "decided": given,
                "truth": not_given,
                "baseline": None,
                "probability": float(sureness[place]),
                "tokens": int(split.lengths[row]),
            }
        )
    return found


def _largest(sureness: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the places of at most MOST_MISTAKES surest mistakes; right decisions have -1."""
    order = np.argsort(-sureness, kind="stable")[:MOST_MISTAKES]
    return order[sureness[order] >= 0]


def _number(split: SplitResult, row: int) -> int:
    return int(row if split.row_numbers is None else split.row_numbers[row])
