"""The test errs no more often than it says, however often one looks."""

import math

import numpy as np
import pytest

from service.rollout.sequential import _ratios, log_evidence_above, log_evidence_below

LEVEL = 0.05


def paths(rate: float, *, votes: int, runs: int, split: int = 1) -> np.ndarray:
    """Return sums after each vote, (runs, votes), of votes that are shares of so many coins."""
    random = np.random.default_rng(1)
    return (random.binomial(split, rate, (runs, votes)) / split).cumsum(axis=1)


def evidence_along(totals: np.ndarray, *, bound: float) -> np.ndarray:
    """Return the log evidence after each vote, as `log_evidence_above` has it for one."""
    gain, loss = _ratios(bound)
    votes = np.arange(1, totals.shape[1] + 1)
    each = totals[..., None] * gain + (votes - totals)[..., None] * loss
    return np.logaddexp.reduce(each, axis=-1) - math.log(len(gain))


@pytest.mark.medium
@pytest.mark.parametrize("bound", [0.02, 0.15, 0.5, 0.9])
@pytest.mark.parametrize("split", [1, 4])
def test_what_keeps_to_the_bound_is_rarely_rejected_however_often_one_looks(
    bound: float, split: int
) -> None:
    totals = paths(bound, votes=500, runs=400, split=split)
    along = evidence_along(totals, bound=bound)
    assert along[3, 99] == pytest.approx(log_evidence_above(100, totals[3, 99], bound=bound))
    assert np.mean(along.max(axis=1) >= -math.log(LEVEL)) <= LEVEL


@pytest.mark.medium
def test_what_does_not_is_found_soon() -> None:
    found = evidence_along(paths(0.3, votes=1_000, runs=500), bound=0.15) >= -math.log(LEVEL)
    assert found.any(axis=1).all()
    assert np.median(found.argmax(axis=1)) < 120


def test_below_is_above_seen_from_the_other_side() -> None:
    seen = log_evidence_above(50, 48, bound=0.8)
    assert log_evidence_below(50, 2, bound=0.2) == pytest.approx(seen)
    assert log_evidence_below(50, 2, bound=0.2) > -math.log(LEVEL) > 0
    assert log_evidence_below(50, 12, bound=0.2) < 0 < log_evidence_above(50, 25, bound=0.2)


@pytest.mark.parametrize("bound", [1e-3, 0.5, 0.999])
def test_nothing_is_known_before_the_first_vote(bound: float) -> None:
    assert log_evidence_above(0, 0, bound=bound) == pytest.approx(0)
    assert math.isfinite(log_evidence_above(1e6, 1e6, bound=bound))
    assert math.isfinite(log_evidence_above(1e6, 0, bound=bound))
