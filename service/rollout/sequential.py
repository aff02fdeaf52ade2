"""A test that may be looked at after every vote, without more errors for that.

A vote is a number from 0 to 1. The hypothesis is that votes are at most `bound` on average,
whatever came before. For each rate above the bound, the likelihood ratio of that rate is then a
supermartingale that is never negative: it is convex in a vote, so a vote between 0 and 1 gives no
more on average than a coin. A mixture over rates is one too. It ever reaches 1 / alpha with a
probability of at most alpha (Ville, 1939).

Sources: Robbins, "Statistical methods related to the law of the iterated logarithm", 1970; Howard,
Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
2021; Johari, Pekelis and Walsh, "Always valid inference", 2022.

The mixture depends only on the number of votes and their sum. Their order does not matter, so the
counts of several processes are added up.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

STEPS = np.geomspace(0.1, 10, 24)
"""Log-odds by which the rates of the mixture lie above the bound, all with the same weight."""


def log_evidence_above(votes: float, total: float, *, bound: float) -> float:
    """Return the log of the evidence that votes are above a bound on average.

    The hypothesis that they are not is rejected at level alpha where it reaches -log(alpha).

    Args:
        votes: Number of votes.
        total: Their sum, from 0 to `votes`.
        bound: The bound, above 0 and below 1.
    """
    gain, loss = _ratios(bound)
    each = total * gain + (votes - total) * loss
    highest = each.max()
    return float(highest) + math.log(np.exp(each - highest).mean())


def log_evidence_below(votes: float, total: float, *, bound: float) -> float:
    """Return the log of the evidence that votes are below a bound on average; see above."""
    return log_evidence_above(votes, votes - total, bound=1 - bound)


@functools.lru_cache(maxsize=64)
def _ratios(bound: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the log likelihood ratios of a vote of 1 and of one of 0, by rate of the mixture."""
    rates = 1 / (1 + (1 - bound) / bound * np.exp(-STEPS))
    return np.log(rates / bound), np.log1p(-rates) - math.log1p(-bound)
