"""How good contestants are, and how sure it is that one is better than another.

What is compared is the mean score over the seeds. It would be another with other rows and with
other seeds, so its variance is the sum of two: that over rows, which are drawn again a thousand
times for all contestants alike (bootstrap: Efron and Tibshirani, 1993), and that over the seeds
there are (both count: Bouthillier et al., "Accounting for variance in machine learning benchmarks",
MLSys 2021). Few seeds tell little of their own variance, so intervals and p are those of a t
distribution with as many degrees of freedom as both together have (Satterthwaite, 1946; Welch,
1947; for seeds Colas, Sigaud and Oudeyer, "How many random seeds?", 2018).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np
from scipy.stats import t

from training.report.statistics import CONFIDENCE, Floats
from training.report.tallies import Decisions, tally


class Score(TypedDict):
    """A mean score over seeds, its 95 % interval, and the score of each seed."""

    value: float
    low: float
    high: float
    seeds: list[float]


class Lead(TypedDict):
    """By how much one is better than another: the mean, its 95 % interval and standard error.

    `p` is two-sided; `at_most` is never so, as it is for the p of a bootstrap.
    """

    value: float
    low: float
    high: float
    error: float
    p: float
    at_most: bool


@dataclass(frozen=True, eq=False)
class Scored:
    """A contestant's scores.

    Args:
        seeds: On the rows, by seed, (seeds,).
        draws: Mean over the seeds on drawn rows, (resamples,).
        fits: Whose networks decided. Where those of two are the same, so is the luck of the seeds.
    """

    seeds: Floats
    draws: Floats
    fits: str

    @property
    def value(self) -> float:
        """Mean over the seeds."""
        return float(self.seeds.mean())


class _Spread(NamedTuple):
    """Standard error of a mean, and its degrees of freedom."""

    error: float
    freedom: float


def score(
    truth: Decisions,
    decided: Mapping[str, Sequence[Decisions]],
    *,
    labels: int,
    measure: str,
) -> dict[str, Scored]:
    """Return the scores of contestants, by name.

    Args:
        truth: What is right.
        decided: By name, what each seed's network decided about the same rows. Names that begin
            with the same word are of the same networks, read in different ways.
        labels: How many there are.
        measure: Which score; a property of `Tally`.
    """
    everyone = [each for seeds in decided.values() for each in seeds]
    tallied = iter(tally(truth, everyone, labels=labels))
    found = {}
    for name, seeds in decided.items():
        own = [next(tallied) for _ in seeds]
        rows = np.stack([getattr(each.resampled, measure) for each in own])
        found[name] = Scored(
            seeds=np.array([float(getattr(each.sample, measure)) for each in own]),
            draws=rows.mean(axis=0),
            fits=name.partition(" ")[0],
        )
    return found


def error_of(scored: Scored) -> float:
    """Return the standard error of a score."""
    return _own_spread(scored).error


def make_score(scored: Scored) -> Score:
    """Return a score with its interval."""
    reach = _reach(_own_spread(scored))
    return {
        "value": scored.value,
        "low": max(0.0, scored.value - reach),
        "high": min(1.0, scored.value + reach),
        "seeds": scored.seeds.tolist(),
    }


def lead(one: Scored, other: Scored) -> Lead:
    """Return by how much one is better than the other, on the same rows."""
    value = one.value - other.value
    same = one.fits == other.fits and len(one.seeds) == len(other.seeds)
    seeds = [one.seeds - other.seeds] if same else [one.seeds, other.seeds]
    spread = _spread(one.draws - other.draws, seeds)
    reach = _reach(spread)
    return {
        "value": value,
        "low": value - reach,
        "high": value + reach,
        "error": spread.error,
        "p": _p(value, spread),
        "at_most": False,
    }


def _own_spread(scored: Scored) -> _Spread:
    """Return how far a score may be off."""
    return _spread(scored.draws, [scored.seeds])


def _spread(draws: Floats, seeds: Sequence[Floats]) -> _Spread:
    """Return how far a mean may be off: by its rows, and by the seeds of each side of it.

    Args:
        draws: The mean on drawn rows, (resamples,).
        seeds: Scores of each side, (seeds,). One alone tells nothing of others.
    """
    several = [each for each in seeds if len(each) > 1]
    lucks = [float(each.var(ddof=1)) / len(each) for each in several]
    total = float(np.nanvar(draws)) + sum(lucks)
    doubt = sum(luck**2 / (len(each) - 1) for luck, each in zip(lucks, several, strict=True))
    return _Spread(math.sqrt(total), total**2 / doubt if doubt else math.inf)


def _reach(spread: _Spread) -> float:
    """Return how far the interval reaches to either side."""
    return spread.error * float(t.ppf((1 + CONFIDENCE) / 2, spread.freedom))


def _p(value: float, spread: _Spread) -> float:
    """Return the two-sided p of no difference."""
    if spread.error == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * t.sf(abs(value) / spread.error, spread.freedom))
