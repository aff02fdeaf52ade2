"""Intervals, tests and calibration errors: the uncertainty of figures.

A figure that does not exist, such as the precision of a label that is never given, is NaN.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import binomtest, norm

from training.calibration.metrics import ratio

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 1_000
SEED = 0
BINS = 15  # of a reliability diagram

_CHUNK = 50  # bootstrap samples held at a time


class Interval(NamedTuple):
    """The range of a figure at some confidence."""

    low: float
    high: float


NOWHERE = Interval(float("nan"), float("nan"))


def wilson(successes: int, total: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the score interval of a proportion; it stays within 0 and 1 and is never empty.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    of the American Statistical Association 22, 1927.
    """
    if total == 0:
        return NOWHERE
    found = binomtest(int(successes), int(total)).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def bootstrap_sums(
    values: csr_array,
    counts: NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Floats:
    """Return the sums of each column over bootstrap samples of rows, (resamples, columns).

    Equal rows are given once, with their count. The counts of all kinds in a sample drawn with
    replacement then are one draw from a multinomial distribution. This is the same bootstrap, but
    its cost depends on the kinds and not on the rows.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 5 and 6.

    Args:
        values: One row for each kind, (kinds, columns).
        counts: Rows of each kind, (kinds,).
        resamples: Number of samples, each with the number of all rows.
        seed: Seed of the draws.
    """
    draw = np.random.default_rng(seed)
    rows = int(counts.sum())
    columns = values.T.tocsr()
    sums = []
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        drawn = draw.multinomial(rows, counts / rows, size=size)
        sums.append((columns @ drawn.T).T)
    return np.concatenate(sums).astype(np.float64)


def percentiles(draws: NDArray[Any], *, confidence: float = CONFIDENCE) -> Interval:
    """Return the middle range of bootstrap values (resamples,), without NaN.

    Source: the percentile interval of Efron & Tibshirani, 1993, chapter 13.
    """
    existing = draws[~np.isnan(draws)]
    if not len(existing):
        return NOWHERE
    tail = (1 - confidence) / 2
    low, high = np.quantile(existing, [tail, 1 - tail])
    return Interval(float(low), float(high))


def bootstrap_p(differences: NDArray[Any]) -> float:
    """Return the two-sided p of no difference, from paired bootstrap differences (resamples,).

    It is the level at which the percentile interval just reaches 0. One draw is added, so that p is
    never 0; the smallest is 2 / (resamples + 1).

    Source: Efron & Tibshirani, 1993, section 15.4; for paired scores of language systems Koehn,
    "Statistical Significance Tests for Machine Translation Evaluation", EMNLP 2004.
    """
    existing = differences[~np.isnan(differences)]
    fewer = min(np.sum(existing <= 0), np.sum(existing >= 0))
    return float(min(1.0, 2 * (fewer + 1) / (len(existing) + 1)))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test that two classifiers are right equally often.

    Only rows count that one classifier gets right and the other wrong. If neither is better, they
    fall to either side like a fair coin.

    Source: McNemar, Psychometrika 12, 1947; for classifiers Dietterich, "Approximate Statistical
    Tests for Comparing Supervised Classification Learning Algorithms", Neural Computation 10, 1998.
    """
    decided = int(only_first) + int(only_second)
    return float(binomtest(int(only_first), decided).pvalue) if decided else 1.0


def paired_difference(
    only_first: int, only_second: int, rows: int, *, confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of the difference of two accuracies on the same rows.

    Source: the adjusted Wald interval of Bonett & Price, "Adjusted Wald Confidence Interval for a
    Difference of Binomial Proportions Based on Paired Data", Journal of Educational and Behavioral
    Statistics 37, 2012; recommended by Fagerland et al., Statistics in Medicine 33, 2014.

    Args:
        only_first: Rows that only the first classifier gets right.
        only_second: Rows that only the second gets right.
        rows: Number of all rows.
        confidence: Confidence of the interval.
    """
    first, second = ((count + 1) / (rows + 2) for count in (only_first, only_second))
    middle = first - second
    reach = norm.isf((1 - confidence) / 2) * np.sqrt((first + second - middle**2) / (rows + 2))
    return Interval(max(-1.0, float(middle - reach)), min(1.0, float(middle + reach)))


class Reliability(NamedTuple):
    """A reliability diagram: bins of equal width from 0 to 1, each array of shape (bins,).

    Args:
        rows: Rows in each bin.
        right: Right rows in each bin.
        confidence: Mean confidence in each bin, NaN in an empty one.
    """

    rows: NDArray[np.int64]
    right: NDArray[np.int64]
    confidence: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of confidence and share of right rows.

        Source: Naeini et al., AAAI 2015; Guo et al., "On Calibration of Modern Neural Networks",
        ICML 2017, whose 15 bins are the default here.
        """
        gaps = np.abs(ratio(self.right, self.rows) - self.confidence)
        return float(np.nansum(gaps * self.rows) / self.rows.sum())


def reliability(
    confidence: NDArray[Any], right: NDArray[np.bool_], *, bins: int = BINS
) -> Reliability:
    """Return the reliability diagram of decisions.

    Args:
        confidence: Probability that each decision is right, 0 to 1, (decisions,).
        right: Whether each decision is right, (decisions,).
        bins: Number of bins of equal width; a value on an edge belongs to the bin above.
    """
    confidence = confidence.astype(np.float64)
    bin = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    rows = np.bincount(bin, minlength=bins)
    hits = np.bincount(bin[right], minlength=bins)
    return Reliability(rows, hits, ratio(np.bincount(bin, confidence, minlength=bins), rows))
