"""Fits when enough of a text has been read; see models/early_exit.py."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.batching import Row
from models.decisions import Thresholds
from models.early_exit import Features, Watch
from models.golden import Probabilities
from models.metadata import Stopping
from models.ngrams import NgramLookup

EVERY = 32  # tokens between looks; each takes a call of the engine
CERTAINTIES = ("0.9", "0.95", "0.99")
MOST = 2_500  # texts; more make little difference
FEWEST = 200  # texts and changed labels below which nothing can be said
FEWEST_CHANGES = 20
SHARE = 1 / 4  # of the labels that may differ, in the texts that a rule is fitted to

Changes = NDArray[np.float64]


class Looks:
    """What was seen of some texts on the way, look by look, but for the last, at the end.

    Args:
        seen: Probabilities at each look of each text, shape (looks, labels), the last at its end.
        lengths: Tokens of each text.
        thresholds: From which labels are given; None where they exclude each other.
        coming: What the n-grams to come will change in the logits at each look of each text but
            the last, shape (looks - 1, labels); None where they are not looked up.
    """

    def __init__(
        self,
        seen: Sequence[Probabilities],
        lengths: Sequence[int],
        *,
        thresholds: Thresholds,
        coming: Sequence[Changes] | None = None,
    ) -> None:
        self.lengths = np.asarray(lengths)
        self.ahead = coming is not None
        text, left, features, differs = [], [], [], []
        for number, (rows, length) in enumerate(zip(seen, lengths, strict=True)):
            watch, verdicts = Watch(thresholds), []
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
        """Return the share of texts with another label, and of tokens that need not be read.

        Args:
            risks: Of each look.
            limit: Risk at which reading ends.
        """
        enough = np.flatnonzero(risks <= limit)
        _, first = np.unique(self.text[enough], return_index=True)  # looks are in order
        stops = enough[first]
        saved = self.left[stops].sum() / max(1, self.lengths.sum())
        return float(self.differs[stops].sum() / len(self.lengths)), float(saved)


def fit_early_exit(looks: Looks) -> Stopping | None:
    """Return the rule; None where there is too little to fit it to.

    Of the texts at most a SHARE of what each certainty allows get another label by it; for it was
    fitted to them, and texts to come may be others.
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
    """Return the highest risk up to which, and below which, few enough labels differ."""
    limit = float(risks.min()) - 1.0
    for higher in np.quantile(risks, np.linspace(0, 1, 501)):
        if looks.read_by(risks, higher)[0] > allowed:
            break
        limit = float(higher)
    return limit


def draw_watched(rows: int) -> NDArray[np.int64]:
    """Return the numbers of the rows to look at on the way."""
    return np.sort(np.random.default_rng(1).permutation(rows)[:MOST])


def make_looks(
    looks: Probabilities, rows: Sequence[Row], *, thresholds: Thresholds, ngrams: NgramLookup | None
) -> Looks:
    """Return looks, which lie in a row, of several texts, given as rows of ids."""
    lengths = [len(row) for row in rows]
    counts = [max(1, -(-length // EVERY)) for length in lengths]
    return Looks(
        np.split(looks, np.cumsum(counts)[:-1]),
        lengths,
        thresholds=thresholds,
        coming=None if ngrams is None else [ngrams.coming(row, every=EVERY) for row in rows],
    )
