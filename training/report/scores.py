"""The scores of contestants, and the significance of their differences.

The score of a contestant is the mean over its seeds. It varies with the rows and with the seeds, so
its variance has two parts. The part of the rows comes from a thousand bootstrap samples, the same
for all contestants (Efron and Tibshirani, 1993). The part of the seeds is their sample variance
(both count: Bouthillier et al., "Accounting for variance in machine learning benchmarks", MLSys
2021). Few seeds estimate their variance badly. Therefore intervals and p come from a t distribution
with the joint degrees of freedom of both parts (Satterthwaite, 1946; Welch, 1947; for seeds Colas,
Sigaud and Oudeyer, "How many random seeds?", 2018).
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
    """The lead of one over another: the mean, its 95 % interval and standard error.

    `p` is two-sided. `at_most` is always False; only the p of a bootstrap can be a bound.
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
        seeds: Score of each seed on the rows, (seeds,).
        draws: Mean over the seeds on drawn rows, (resamples,).
        fits: Name of the networks. Scores of the same networks share the variance of the seeds.
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
        truth: The right decisions.
        decided: Decisions of each seed's network about the same rows, by name. Names with the same
            first word are of the same networks, read in different ways.
        labels: Number of labels.
        measure: Name of the score; a property of `Tally`.
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
    """Return the lead of one over the other, on the same rows."""
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
    """Return the standard error of a score, with its degrees of freedom."""
    return _spread(scored.draws, [scored.seeds])


def _spread(draws: Floats, seeds: Sequence[Floats]) -> _Spread:
    """Return the standard error of a mean: from its rows, and from the seeds of each side.

    Args:
        draws: The mean on drawn rows, (resamples,).
        seeds: Scores of each side, (seeds,). A single seed adds no variance.
    """
    several = [each for each in seeds if len(each) > 1]
    lucks = [float(each.var(ddof=1)) / len(each) for each in several]
    total = float(np.nanvar(draws)) + sum(lucks)
    doubt = sum(luck**2 / (len(each) - 1) for luck, each in zip(lucks, several, strict=True))
    return _Spread(math.sqrt(total), total**2 / doubt if doubt else math.inf)


def _reach(spread: _Spread) -> float:
    """Return half the width of the interval."""
    return spread.error * float(t.ppf((1 + CONFIDENCE) / 2, spread.freedom))


def _p(value: float, spread: _Spread) -> float:
    """Return the two-sided p of no difference."""
    if spread.error == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * t.sf(abs(value) / spread.error, spread.freedom))
