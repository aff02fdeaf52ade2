"""A curve that follows the law is extrapolated along it, and noise widens the interval."""

import numpy as np
import pytest

from training.labelling import power_law
from training.labelling.power_law import Forecast, extrapolate

ROWS = [100, 200, 400, 800, 1_600]


def law(rows: float, *, floor: float = 0.1, factor: float = 2.0, power: float = 0.5) -> float:
    return 1 - (floor + factor * rows**-power)


def ahead(scores: list[float], error: float, *, at: int = 6_400) -> Forecast:
    (found,) = extrapolate(ROWS, scores, [error] * len(ROWS), at=[at])
    return found


@pytest.mark.medium
@pytest.mark.parametrize("power", [0.2, 0.5, 1.0])
def test_the_law_is_found(power: float) -> None:
    found = ahead([law(rows, power=power) for rows in ROWS], 1e-4)
    assert found.value == pytest.approx(law(6_400, power=power), abs=3e-3)
    assert found.low <= found.value <= found.high


@pytest.mark.slow
def test_intervals_hold_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_law, "DRAWS", 60)
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(20):
        found = ahead([law(rows) + random.normal(0, 0.01) for rows in ROWS], 0.01)
        inside += found.low <= law(6_400) <= found.high
    assert inside >= 16


@pytest.mark.medium
def test_a_gain_is_that_of_the_law() -> None:
    found = ahead([law(rows) for rows in ROWS], 1e-4)
    assert found.gain == pytest.approx(law(6_400) - law(1_600), abs=3e-3)
    assert 0 <= found.least <= found.gain <= found.most


@pytest.mark.medium
def test_noise_widens_the_interval() -> None:
    scores = [law(rows) for rows in ROWS]
    sure, unsure = ahead(scores, 0.002), ahead(scores, 0.02)
    assert unsure.high - unsure.low > 2 * (sure.high - sure.low)


@pytest.mark.medium
def test_points_off_the_curve_widen_it_too() -> None:
    scores = [law(rows) for rows in ROWS]
    bent = [score + (0.03, -0.03, 0.03, -0.03, 0.03)[n] for n, score in enumerate(scores)]
    one, other = ahead(bent, 1e-3), ahead(scores, 1e-3)
    assert one.high - one.low > 3 * (other.high - other.low)


@pytest.mark.slow
@pytest.mark.parametrize(
    "scores",
    [[0.5] * 5, [0.9, 0.8, 0.7, 0.6, 0.5], [1.0] * 5, [0.0] * 5, [0.0, 0.5, 1.0, 1.0, 1.0]],
)
def test_curves_that_are_none_stay_in_range(scores: list[float]) -> None:
    found = ahead(scores, 0.0)
    assert -1e-6 <= found.low <= found.value <= found.high <= 1 + 1e-6


def test_few_points_say_nothing() -> None:
    assert extrapolate(ROWS[:3], [0.5, 0.6, 0.7], [0.01] * 3, at=[1_000]) == []
