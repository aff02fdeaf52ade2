"""From probabilities to labels, margins and log-odds.

Margins and contributions are in log-odds, because these add up.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from models.metadata import Metadata, Task

LEAST = 1e-12  # in place of a probability that a 32-bit float rounds to 0

Floats = NDArray[np.floating[Any]]
Verdict = tuple[int, ...]


@dataclass(frozen=True)
class DecisionRule:
    """How labels follow from probabilities.

    Args:
        task: Whether labels exclude each other.
        thresholds: A probability for each label. Where a text has several labels, each that
            reaches its threshold is given. Where it has one, that with the largest multiple of
            its threshold is given; None gives the likeliest.
    """

    task: Task
    thresholds: tuple[float, ...] | None = None

    @classmethod
    def of(cls, metadata: Metadata) -> Self:
        """Return the rule of a version."""
        return cls(metadata.task, metadata.thresholds)

    @property
    def gives_likeliest(self) -> bool:
        """Whether the likeliest label is given, the first of equals, and nothing else counts."""
        return self.task == "single_label" and self.thresholds is None

    def choose(self, probabilities: Floats) -> NDArray[np.int32]:
        """Return the labels of texts.

        Args:
            probabilities: Shape (…, labels).

        Returns:
            For single label the number of the label, the first of equals, shape (…,). For
            multi-label 1 for each given label and 0 for the others, shape (…, labels).
        """
        if self.task == "multi_label":
            chosen = probabilities >= np.asarray(self.thresholds)
        else:
            chosen = self._relative(probabilities).argmax(axis=-1)
        labels: NDArray[np.int32] = chosen.astype(np.int32)
        return labels

    def verdict(self, probabilities: Floats) -> Verdict:
        """Return the labels of one text from its probabilities (labels,); see `choose`."""
        labels = self.choose(probabilities)
        return (int(labels),) if self.task == "single_label" else tuple(labels.tolist())

    def foremost(self, probabilities: Floats) -> int:
        """Return the label to speak of: the one that is given, or of several the likeliest."""
        if self.task == "multi_label":
            return int(probabilities.argmax())
        return int(self.choose(probabilities))

    def margin(self, probabilities: Floats) -> float:
        """Return the distance in log-odds of a text, (labels,), from another verdict."""
        p = probabilities.astype(np.float64)
        if self.task == "single_label":
            second, first = np.sort(self._relative(p))[-2:]
            return float(log_ratio(first, second))
        limits = np.asarray(self.thresholds)
        return float(np.abs(log_ratio(p, 1 - p) - log_ratio(limits, 1 - limits)).min())

    def change(self, probabilities: Floats, change: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of a text after a change of its logits; all (labels,)."""
        p = probabilities.astype(np.float64)
        if self.task == "single_label":
            logits = np.log(np.maximum(p, LEAST)) + change
            changed = np.exp(logits - logits.max())
            return np.asarray(changed / changed.sum())
        return np.asarray(1 / (1 + np.exp(-log_ratio(p, 1 - p) - change)))

    def _relative(self, probabilities: Floats) -> Floats:
        """Return the multiples of the thresholds."""
        return probabilities if self.thresholds is None else probabilities / self.thresholds


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
