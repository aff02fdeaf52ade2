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

from collections import defaultdict

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
        self._margins = _Margins()
        self.verdict: Verdict = ()
        """The verdict if the text ended at the last look."""

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
        self.verdict = self._rule.verdict(probabilities)
        margin = self._rule.margin(probabilities)
        sizes = [margin, np.log(read), np.log(left)]
        before = self._margins.add(self.verdict, margin)
        ahead = [] if coming is None else [self._margin_after(probabilities, coming) - margin]
        return np.array([*sizes, *before, *ahead])

    def _margin_after(self, probabilities: Probabilities, change: NDArray[np.float64]) -> float:
        """Return the margin after a change of the logits; negative for another verdict."""
        changed = self._rule.change(probabilities, change)
        margin = self._rule.margin(changed)
        return margin if self._rule.verdict(changed) == self.verdict else -margin


class _Margins:
    """The margins at all looks so far, seen from the verdict of the last one.

    Each look changes a few sums, so that a long text costs no more at its end than at its start.
    """

    def __init__(self) -> None:
        self._looks = 0
        self._last: tuple[Verdict, float] | None = None
        self._sum = self._squares = 0.0  # of margins; of their changes as if no verdict turned
        self._own: dict[Verdict, float] = defaultdict(float)  # the sum at looks with this verdict
        self._turns: dict[Verdict, float] = defaultdict(float)  # what turns add to the squares
        self._lowest: dict[Verdict, float] = {}
        self._highest: dict[Verdict, float] = {}
        self._foremost: list[Verdict] = []  # the two with the highest margins

    def add(self, verdict: Verdict, margin: float) -> tuple[float, float, float, float]:
        """Add a look; return lowest, mean, last change and root mean square change."""
        before, last = self._last or (verdict, 0.0)
        turned = before != verdict
        self._last, self._looks = (verdict, margin), self._looks + 1
        self._sum += margin
        self._own[verdict] += margin
        self._squares += (margin - last) ** 2
        if turned:  # seen from either of the two, the change is the sum of both margins
            for each in (before, verdict):
                self._turns[each] += 4 * margin * last
        return (
            self._find_lowest(verdict, margin),
            (2 * self._own[verdict] - self._sum) / self._looks,
            margin + last if turned else margin - last,
            float(np.sqrt((self._squares + self._turns[verdict]) / self._looks)),
        )

    def _find_lowest(self, verdict: Verdict, margin: float) -> float:
        """Return the lowest margin, where those of other verdicts are negative."""
        self._lowest[verdict] = min(margin, self._lowest.get(verdict, margin))
        self._highest[verdict] = max(margin, self._highest.get(verdict, margin))
        ranked = sorted({*self._foremost, verdict}, key=self._highest.__getitem__)
        self._foremost = ranked[-2:]
        others = [-self._highest[each] for each in self._foremost if each != verdict]
        return min([self._lowest[verdict], *others])


def risk_of(features: Features, stopping: Stopping) -> NDArray[np.float64]:
    """Return the log-odds that the label will still change, shape (…,) for features (…, 7 or 8)."""
    risks: NDArray[np.float64] = stopping.intercept + features @ np.array(stopping.weights)
    return risks
