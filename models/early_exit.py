"""When enough of a text has been read: the risk that its label will still change.

A text is looked at every few tokens. The verdict so far has a margin: how far, in log-odds, it is
from another. What the margin is and was, how much has been read and how much is left, is described
by a few numbers, from which a logistic regression tells the risk; a reading ends where it is small
enough. Training fits the regression and the limits to validation texts
(training/export/early_exit.py).

What the network will say of the rest costs its reading, what the n-grams will say only a lookup
(models/ngrams.py). So where there are n-grams, those of the rest are a number more: by how much
they will raise the margin.
"""

import numpy as np
from numpy.typing import NDArray

from models.decisions import Thresholds, Verdict, change_logits, margin_of, verdict_of
from models.golden import Probabilities
from models.metadata import Stopping

Features = NDArray[np.float64]


class Watch:
    """Looks at one text on its way.

    Args:
        thresholds: From which labels are given; None where they exclude each other.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._verdicts: list[Verdict] = []
        self._margins: list[float] = []

    @property
    def verdict(self) -> Verdict:
        """What the text would be given if it ended at the last look."""
        return self._verdicts[-1]

    def look(
        self,
        probabilities: Probabilities,
        *,
        read: int,
        left: int,
        coming: NDArray[np.float64] | None = None,
    ) -> Features:
        """Return what describes the text at this look.

        Margin, logarithms of the tokens read and left, then of the margins at all looks, those of
        other verdicts taken negative: lowest, mean, last change and root mean square change. Last,
        where the n-grams to come are known, by how much these alone will raise the margin.

        Args:
            probabilities: Shape (labels,).
            read: Tokens that have been read.
            left: Tokens that have not, one at least.
            coming: What the n-grams to come will change in the logits, shape (labels,).
        """
        self._verdicts.append(verdict_of(probabilities, self._thresholds))
        self._margins.append(margin_of(probabilities, self._thresholds))
        same = [1.0 if verdict == self.verdict else -1.0 for verdict in self._verdicts]
        margins = np.array(same) * self._margins
        changes = np.diff(margins, prepend=0.0)
        sizes = [margins[-1], np.log(read), np.log(left)]
        before = [margins.min(), margins.mean(), changes[-1], np.sqrt(np.mean(changes**2))]
        ahead = [] if coming is None else [self._margin_after(probabilities, coming) - margins[-1]]
        return np.array([*sizes, *before, *ahead])

    def _margin_after(self, probabilities: Probabilities, change: NDArray[np.float64]) -> float:
        """Return the margin after a change of the logits, negative if the verdict is another."""
        changed = change_logits(probabilities, change, self._thresholds)
        margin = margin_of(changed, self._thresholds)
        return margin if verdict_of(changed, self._thresholds) == self.verdict else -margin


def risk_of(features: Features, stopping: Stopping) -> NDArray[np.float64]:
    """Return the log-odds that the label will still change, shape (…,) for features (…, 7 or 8)."""
    risks: NDArray[np.float64] = stopping.intercept + features @ np.array(stopping.weights)
    return risks
