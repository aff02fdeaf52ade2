"""Fits the rule of early exit; see models/early_exit.py."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.batching import Row
from models.decisions import DecisionRule
from models.early_exit import Features, Watch
from models.golden import Probabilities
from models.metadata import Stopping
from models.ngram_lookup import NgramLookup

EVERY = 32  # tokens between looks; each takes a call of the engine
CERTAINTIES = ("0.9", "0.95", "0.99")
MOST = 2_500  # texts; more make little difference
FEWEST = 200  # texts; with fewer there is no rule
FEWEST_CHANGES = 20  # labels that change; with fewer there is no rule
SHARE = 1 / 4  # of the allowed changes of labels, in the texts that the rule is fitted to

Changes = NDArray[np.float64]


class Looks:
    """The looks at some texts before their ends.

    Args:
        seen: Probabilities at each look of each text, shape (looks, labels). The last look is at
            the end of the text.
        lengths: Tokens of each text.
        rule: How the label follows from probabilities.
        coming: Change of the logits by the n-grams still to come, at each look of each text but
            the last, shape (looks - 1, labels); None where there are no n-grams.
    """

    def __init__(
        self,
        seen: Sequence[Probabilities],
        lengths: Sequence[int],
        *,
        rule: DecisionRule,
        coming: Sequence[Changes] | None = None,
    ) -> None:
        self.lengths = np.asarray(lengths)
        self.ahead = coming is not None
        text, left, features, differs = [], [], [], []
        for number, (rows, length) in enumerate(zip(seen, lengths, strict=True)):
            watch, verdicts = Watch(rule), []
            for look, probabilities in enumerate(rows[:-1], start=1):
                read = look * EVERY
                change = None if coming is None else coming[number][look - 1]
                features.append(
                    watch.look(probabilities, read=read, left=length - read, coming=change)
                )
                verdicts.append(watch.verdict)
                text.append(number)
                left.append(length - read)
            watch.look(rows[-1], read=max(1, length), left=1)
            differs += [verdict != watch.verdict for verdict in verdicts]
        self.text, self.left = np.array(text, np.int64), np.array(left, np.int64)
        self.differs = np.array(differs, bool)
        self.features: Features = np.array(features)

    def read_by(self, risks: NDArray[np.float64], limit: float) -> tuple[float, float]:
        """Return the share of texts whose label changes, and the share of tokens saved.

        Args:
            risks: Risk at each look, in log-odds.
            limit: Highest risk at which reading ends.
        """
        enough = np.flatnonzero(risks <= limit)
        _, first = np.unique(self.text[enough], return_index=True)  # looks are in order
        stops = enough[first]
        saved = self.left[stops].sum() / max(1, self.lengths.sum())
        return float(self.differs[stops].sum() / len(self.lengths)), float(saved)


def fit_early_exit(looks: Looks) -> Stopping | None:
    """Return the rule of early exit; None where there are too few texts or changes.

    On these texts the rule changes at most a SHARE of the labels that each certainty allows. It was
    fitted to them, and may do worse on other texts.
    """
    if len(looks.lengths) < FEWEST or looks.differs.sum() < FEWEST_CHANGES:
        return None
    scaler = StandardScaler().fit(looks.features)
    fitted = LogisticRegression().fit(scaler.transform(looks.features), looks.differs)
    weights = fitted.coef_[0] / scaler.scale_
    intercept = float(fitted.intercept_[0] - weights @ scaler.mean_)
    risks = looks.features @ weights + intercept
    return Stopping(
        every=EVERY,
        intercept=intercept,
        weights=tuple(map(float, weights)),
        limits={
            certainty: _find_limit(looks, risks, allowed=SHARE * (1 - float(certainty)))
            for certainty in CERTAINTIES
        },
        ahead=looks.ahead,
    )


def _find_limit(looks: Looks, risks: NDArray[np.float64], *, allowed: float) -> float:
    """Return the highest limit of risk with few enough changed labels at it and all below."""
    limit = float(risks.min()) - 1.0
    for higher in np.quantile(risks, np.linspace(0, 1, 501)):
        if looks.read_by(risks, higher)[0] > allowed:
            break
        limit = float(higher)
    return limit


def draw_watched(rows: int) -> NDArray[np.int64]:
    """Return the numbers of the rows to look at before their ends."""
    return np.sort(np.random.default_rng(1).permutation(rows)[:MOST])


def make_looks(
    looks: Probabilities, rows: Sequence[Row], *, rule: DecisionRule, ngrams: NgramLookup | None
) -> Looks:
    """Return the looks at texts, given as rows of ids; `looks` holds them one after the other."""
    lengths = [len(row) for row in rows]
    counts = [max(1, -(-length // EVERY)) for length in lengths]
    return Looks(
        np.split(looks, np.cumsum(counts)[:-1]),
        lengths,
        rule=rule,
        coming=None if ngrams is None else [ngrams.coming(row, every=EVERY) for row in rows],
    )
