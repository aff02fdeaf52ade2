"""Early exit: the risk that the label of a text will still change.

A text is looked at every few tokens. The verdict so far has a margin: its distance in log-odds from
another verdict. A few features describe the present and past margins, the tokens read and the
tokens left. From these a logistic regression computes the risk. Reading ends where the risk is low
enough. Training fits the regression and the limits to validation texts
(training/export/early_exit.py).

The answer of the network for the rest costs its reading; that of the n-grams costs only a lookup
(models/ngram_lookup.py). A version with n-grams therefore has one more feature: the amount by which
those of the rest will raise the margin.
"""

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule, Verdict
from models.golden import Probabilities
from models.metadata import Stopping

Features = NDArray[np.float64]


class Watch:
    """Looks at one text while it is read.

    Args:
        rule: How the label follows from probabilities.
    """

    def __init__(self, rule: DecisionRule) -> None:
        self._rule = rule
        self._verdicts: list[Verdict] = []
        self._margins: list[float] = []

    @property
    def verdict(self) -> Verdict:
        """The verdict if the text ended at the last look."""
        return self._verdicts[-1]

    def look(
        self,
        probabilities: Probabilities,
        *,
        read: int,
        left: int,
        coming: NDArray[np.float64] | None = None,
    ) -> Features:
        """Return the features of the text at this look.

        They are the margin and the logarithms of the tokens read and left. Four describe the
        margins at all looks: lowest, mean, last change and root mean square change. Margins of
        other verdicts are negative. The last feature is the rise of the margin by the n-grams still
        to come, if `coming` is given.

        Args:
            probabilities: Shape (labels,).
            read: Number of tokens read.
            left: Number of tokens left, at least 1.
            coming: Change of the logits by the n-grams still to come, shape (labels,).
        """
        self._verdicts.append(self._rule.verdict(probabilities))
        self._margins.append(self._rule.margin(probabilities))
        same = [1.0 if verdict == self.verdict else -1.0 for verdict in self._verdicts]
        margins = np.array(same) * self._margins
        changes = np.diff(margins, prepend=0.0)
        sizes = [margins[-1], np.log(read), np.log(left)]
        before = [margins.min(), margins.mean(), changes[-1], np.sqrt(np.mean(changes**2))]
        ahead = [] if coming is None else [self._margin_after(probabilities, coming) - margins[-1]]
        return np.array([*sizes, *before, *ahead])

    def _margin_after(self, probabilities: Probabilities, change: NDArray[np.float64]) -> float:
        """Return the margin after a change of the logits; negative for another verdict."""
        changed = self._rule.change(probabilities, change)
        margin = self._rule.margin(changed)
        return margin if self._rule.verdict(changed) == self.verdict else -margin


def risk_of(features: Features, stopping: Stopping) -> NDArray[np.float64]:
    """Return the log-odds that the label will still change, shape (…,) for features (…, 7 or 8)."""
    risks: NDArray[np.float64] = stopping.intercept + features @ np.array(stopping.weights)
    return risks
