"""The main figures of a classifier, each with its interval."""

from typing import TypedDict

from models.metadata import Task
from training.report.statistics import Floats, Interval, percentiles, wilson
from training.report.tallies import Tallied

MEASURES: dict[Task, tuple[str, ...]] = {
    "single_label": ("accuracy", "macro_f1"),
    "multi_label": ("macro_f1", "micro_f1", "subset_accuracy"),
}
"""Names of measures by task; the first one decides."""

SHARES = ("accuracy", "subset_accuracy")
"""Measures that are a share of the rows; these have Wilson intervals and McNemar's test."""


class Estimate(TypedDict):
    """A figure from 0 to 1 and its 95 % interval; None where they do not exist."""

    value: float | None
    low: float | None
    high: float | None


def estimate(value: float, interval: Interval) -> Estimate:
    """Join a figure and its interval."""
    return {"value": value, "low": interval.low, "high": interval.high}


def share(part: float, whole: float) -> Estimate:
    """Return a share of rows, with Wilson's interval."""
    value = part / whole if whole else float("nan")
    return estimate(value, wilson(int(part), int(whole)))


def measure(tallied: Tallied, *, task: Task) -> dict[str, Estimate]:
    """Return the figures of a classifier, by measure."""
    return {name: _measure(tallied, name) for name in MEASURES[task]}


def _measure(tallied: Tallied, name: str) -> Estimate:
    counted = "accuracy" if name in SHARES else name
    value, draws = (getattr(each, counted) for each in (tallied.sample, tallied.resampled))
    return estimate_score(name, float(value), draws=draws, rows=tallied.sample.rows)


def estimate_score(name: str, value: float, *, draws: Floats, rows: int) -> Estimate:
    """Return a score with its interval: Wilson's for a share of rows, else that of the draws.

    Args:
        name: Name of the score.
        value: The score.
        draws: The score on bootstrap samples, (resamples,).
        rows: Number of rows.
    """
    if name in SHARES:
        return share(round(value * rows), rows)
    return estimate(value, percentiles(draws))
