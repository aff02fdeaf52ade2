"""Extrapolates a learning curve: errors fall as a power of the number of rows.

`error(n) = a + b n^-c`, as errors of text classifiers were found to do (Hestness et al., "Deep
Learning Scaling is Predictable, Empirically", 2017; Viering and Loog, "The Shape of Learning
Curves: A Review", 2023). The uncertainty comes from fits to scores drawn anew from their errors
(parametric bootstrap: Efron and Tibshirani, 1993, chapter 6).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from training.report.statistics import Interval, percentiles

PARAMETERS = 3
FEWEST_POINTS = PARAMETERS + 1
DRAWS = 200
STEEPEST = 1.5  # of the power; text classifiers have 0.1 to 0.7
STARTS = (0.2, 0.5, 1.0)
SMALLEST_ERROR = 1e-3  # of a score; a bootstrap of few rows can come to 0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """What is expected at a number of rows, with 95 % intervals.

    Args:
        rows: The number of rows.
        value: The score.
        low: Its lower end.
        high: Its upper end.
        gain: How much it is above the curve at the last point, so noise of that point counts not.
        least: Lower end of the gain.
        most: Upper end of the gain.
    """

    rows: int
    value: float
    low: float
    high: float
    gain: float
    least: float
    most: float


def extrapolate(
    rows: Sequence[int], scores: Sequence[float], errors: Sequence[float], *, at: Sequence[int]
) -> list[Forecast]:
    """Return the expected scores; [] where there are too few points.

    Args:
        rows: Rows of each point.
        scores: Its score, 0 to 1.
        errors: Its standard error.
        at: Rows of the forecasts.
    """
    if len(rows) < FEWEST_POINTS:
        return []
    sizes, wrong = np.array(rows, np.float64), 1 - np.array(scores, np.float64)
    spread = np.maximum(np.array(errors, np.float64), SMALLEST_ERROR)
    best = _fit(sizes, wrong, spread, starts=[_start(sizes, wrong, power) for power in STARTS])
    # Where the points lie further from the curve than their errors say, these are too small.
    excess = (((_errors(best, sizes) - wrong) / spread) ** 2).sum() / (len(sizes) - PARAMETERS)
    spread = spread * max(1.0, float(np.sqrt(excess)))
    random = np.random.default_rng(0)
    drawn = [
        _fit(sizes, wrong + spread * random.standard_normal(len(sizes)), spread, starts=[best])
        for _ in range(DRAWS)
    ]
    return [_forecast(best, drawn, place, last=sizes[-1]) for place in at]


def _forecast(best: Floats, drawn: Sequence[Floats], rows: int, *, last: float) -> Forecast:
    places = np.array([rows, last], np.float64)
    then, now = 1 - _errors(best, places)
    scores = np.array([1 - _errors(each, places) for each in drawn])
    value = _widen(then, percentiles(scores[:, 0]))
    gain = _widen(then - now, percentiles(scores[:, 0] - scores[:, 1]))
    return Forecast(rows, *value, *gain)


def _widen(value: float, interval: Interval) -> tuple[float, float, float]:
    """Return a figure and an interval that holds it, each from 0 to 1."""
    low, high = min(value, interval.low), max(value, interval.high)
    clipped = np.clip([value, low, high], 0, 1)
    return float(clipped[0]), float(clipped[1]), float(clipped[2])


def _fit(sizes: Floats, wrong: Floats, spread: Floats, *, starts: Sequence[Floats]) -> Floats:
    """Return floor, logarithm of the factor and power of the best curve."""
    floor = max(1e-6, float(wrong.min()))
    bounds = ([0.0, -20.0, 0.01], [floor, 20.0, STEEPEST])
    fits = [
        least_squares(
            lambda curve: (_errors(curve, sizes) - wrong) / spread,
            np.clip(start, *bounds),
            jac=lambda curve: _slopes(curve, sizes) / spread[:, None],
            bounds=bounds,
        )
        for start in starts
    ]
    return min(fits, key=lambda fit: fit.cost).x


def _start(sizes: Floats, wrong: Floats, power: float) -> Floats:
    """Return a curve of this power through the first and the last point."""
    rise = (wrong[0] - wrong[-1]) / (sizes[0] ** -power - sizes[-1] ** -power)
    factor = max(rise, 1e-6)
    return np.array([max(0.0, wrong[-1] - factor * sizes[-1] ** -power), np.log(factor), power])


def _errors(curve: Floats, sizes: Floats) -> Floats:
    floor, factor, power = curve
    return floor + np.exp(factor) * sizes**-power


def _slopes(curve: Floats, sizes: Floats) -> Floats:
    """Return the derivatives of `_errors` by each parameter, shape (sizes, 3)."""
    _, factor, power = curve
    falling = np.exp(factor) * sizes**-power
    return np.stack([np.ones_like(sizes), falling, -np.log(sizes) * falling], axis=1)
