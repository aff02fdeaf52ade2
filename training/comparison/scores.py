"""How good contestants are, and how sure it is that one is better than another.

What is compared is the mean score over the seeds. It would be another with other rows and with
other seeds, so both are drawn again, a thousand times: rows for all contestants alike, seeds for
each on its own (bootstrap: Efron and Tibshirani, 1993; that seeds are drawn too: Bouthillier et
al., "Accounting for variance in machine learning benchmarks", MLSys 2021).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from training.report.statistics import Floats, bootstrap_p, percentiles
from training.report.tallies import Decisions, tally

SEED = 0


class Score(TypedDict):
    """A mean score over seeds, its 95 % interval, and the score of each seed."""

    value: float
    low: float
    high: float
    seeds: list[float]


class Lead(TypedDict):
    """By how much one is better than another: the mean, its 95 % interval and standard error.

    `p` is two-sided. `at_most` says that so few samples cannot show a smaller one.
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
        draws: Mean over drawn seeds on drawn rows, (resamples,).
    """

    seeds: Floats
    draws: Floats

    @property
    def value(self) -> float:
        """Mean over the seeds."""
        return float(self.seeds.mean())


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
        decided: By name, what each seed's network decided about the same rows.
        labels: How many there are.
        measure: Which score; a property of `Tally`.
    """
    everyone = [each for seeds in decided.values() for each in seeds]
    tallied = tally(truth, everyone, labels=labels)
    random = np.random.default_rng(SEED)
    found, start = {}, 0
    for name, seeds in decided.items():
        own = tallied[start : start + len(seeds)]
        start += len(seeds)
        rows = np.stack([getattr(each.resampled, measure) for each in own], axis=1)
        drawn = random.integers(len(own), size=rows.shape)
        found[name] = Scored(
            seeds=np.array([float(getattr(each.sample, measure)) for each in own]),
            draws=np.take_along_axis(rows, drawn, axis=1).mean(axis=1),
        )
    return found


def describe(scored: Scored) -> Score:
    """Return a score with its interval."""
    interval = percentiles(scored.draws)
    return {
        "value": scored.value,
        "low": interval.low,
        "high": interval.high,
        "seeds": scored.seeds.tolist(),
    }


def lead(one: Scored, other: Scored) -> Lead:
    """Return by how much one is better than the other, on the same rows."""
    draws = one.draws - other.draws
    interval, p = percentiles(draws), bootstrap_p(draws)
    return {
        "value": one.value - other.value,
        "low": interval.low,
        "high": interval.high,
        "error": float(np.nanstd(draws)),
        "p": p,
        "at_most": p <= 2 / (len(draws) + 1),
    }
