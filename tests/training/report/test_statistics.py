"""Intervals and tests are what their sources say, and as sure as they claim to be."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import binom
from sklearn.calibration import calibration_curve

from training.report import statistics
from training.report.statistics import (
    bootstrap_p,
    bootstrap_sums,
    mcnemar,
    paired_difference,
    percentiles,
    reliability,
    wilson,
)

Z = 1.959963984540054  # of 95 %


@pytest.mark.parametrize(("successes", "total"), [(0, 10), (7, 10), (22_510, 25_000), (3, 3)])
def test_wilson_is_its_closed_form(successes: int, total: int) -> None:
    share, spread = successes / total, Z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    reach = Z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    assert wilson(successes, total) == pytest.approx((middle - reach, middle + reach), abs=1e-12)


def test_nothing_has_no_interval() -> None:
    assert all(map(math.isnan, wilson(0, 0)))
    assert all(map(math.isnan, percentiles(np.array([np.nan, np.nan]))))


def test_bootstrap_is_that_of_the_rows() -> None:
    """Sums over rows drawn with replacement: mean and spread of the multinomial distribution."""
    counts = np.array([600, 300, 100])
    sums = bootstrap_sums(csr_array(np.eye(3, dtype=np.int64)), counts, resamples=4_000)
    assert sums.shape == (4_000, 3)
    assert set(sums.sum(axis=1)) == {1_000.0}
    shares = counts / 1_000
    expected = np.diag(shares) - np.outer(shares, shares)
    assert sums.mean(axis=0) == pytest.approx(counts, rel=0.01)
    assert np.cov(sums.T) == pytest.approx(1_000 * expected, abs=12)


def test_bootstrap_interval_of_a_share_is_the_binomial_one() -> None:
    counts = np.array([120, 380])
    sums = bootstrap_sums(csr_array([[1], [0]]), counts, resamples=20_000)
    expected = binom(500, 0.24).ppf([0.025, 0.975])
    assert percentiles(sums[:, 0]) == pytest.approx(expected, abs=1)


def test_bootstrap_is_repeated_by_its_seed() -> None:
    values, counts = csr_array(np.eye(2)), np.array([3, 4])
    first, second, other = (bootstrap_sums(values, counts, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_percentiles_leave_out_what_does_not_exist() -> None:
    draws = np.concatenate([np.linspace(0, 1, 1_001), [np.nan] * 50])
    assert percentiles(draws) == pytest.approx((0.025, 0.975))


def test_bootstrap_p() -> None:
    away = np.full(999, 0.3)
    assert bootstrap_p(away) == bootstrap_p(-away) == 2 / 1_000
    assert bootstrap_p(np.zeros(999)) == 1
    assert bootstrap_p(np.linspace(-0.05, 0.95, 999)) == pytest.approx(0.1, abs=0.003)
    assert bootstrap_p(np.array([np.nan])) == 1


@pytest.mark.parametrize(("first", "second"), [(0, 0), (5, 5), (8, 2), (40, 71), (0, 9)])
def test_mcnemar_is_its_closed_form(first: int, second: int) -> None:
    decided = first + second
    tail = sum(math.comb(decided, count) for count in range(min(first, second) + 1)) / 2**decided
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail))


def test_paired_difference_is_its_closed_form() -> None:
    """Of 21 rows 1 and 7 are right by one classifier alone: 2 and 8 of 23 once adjusted."""
    middle, spread = -6 / 23, math.sqrt((10 / 23 - (6 / 23) ** 2) / 23)
    expected = (middle - Z * spread, middle + Z * spread)
    assert paired_difference(1, 7, 21) == pytest.approx(expected)
    assert paired_difference(7, 1, 21) == pytest.approx((-expected[1], -expected[0]))


@pytest.mark.medium
@pytest.mark.parametrize("shares", [(0.05, 0.08), (0.2, 0.02), (0.01, 0.01)])
def test_paired_difference_is_as_sure_as_it_says(shares: tuple[float, float]) -> None:
    rows, truth = 400, shares[0] - shares[1]
    drawn = np.random.default_rng(3).multinomial(rows, [*shares, 1 - sum(shares)], size=1_000)
    intervals = [paired_difference(first, second, rows) for first, second, _ in drawn]
    covered = np.mean([low <= truth <= high for low, high in intervals])
    assert 0.93 <= covered <= 0.99


def test_reliability_bins_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    confidence = draw.random(5_000)
    right = draw.random(5_000) < confidence**2
    found = reliability(confidence, right, bins=10)
    share, mean = calibration_curve(right, confidence, n_bins=10)
    assert found.right / found.rows == pytest.approx(share)
    assert found.confidence == pytest.approx(mean)


def test_expected_calibration_error() -> None:
    """Two bins: 3 rows of 0.8 of which 1 is right, and 1 row of 0.3 that is wrong."""
    confidence = np.array([0.8, 0.8, 0.8, 0.3], np.float32)
    found = reliability(confidence, np.array([True, False, False, False]))
    assert found.error == pytest.approx(0.75 * (0.8 - 1 / 3) + 0.25 * 0.3)
    assert np.flatnonzero(found.rows).tolist() == [4, 12]
    assert len(found.rows) == statistics.BINS


def test_certainty_has_a_bin() -> None:
    found = reliability(np.array([0.0, 1.0]), np.array([False, True]), bins=2)
    assert (found.rows.tolist(), found.error) == ([1, 1], 0)
