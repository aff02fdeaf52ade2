"""Which trial is best, and whether that says anything."""

import pytest

from tests.training.tuning.trials import make_outcome
from training.tuning.outcome import is_noise, rank


def test_the_score_decides_and_between_equal_ones_the_log_loss() -> None:
    outcomes = [
        make_outcome(0, score=0.8, log_loss=0.5),
        make_outcome(1, score=0.9, log_loss=0.7),
        make_outcome(2, score=0.9, log_loss=0.6),
        make_outcome(3, score=0.95, ending="pruned"),
        make_outcome(4, score=0.99, ending="out of time"),
        make_outcome(5, score=None, log_loss=None, ending="failed"),
    ]
    assert [outcome.number for outcome in rank(outcomes)] == [2, 1, 0]


@pytest.mark.parametrize(("score", "noise"), [(0.80, True), (0.819, True), (0.821, False)])
def test_two_standard_errors_are_noise(score: float, noise: bool) -> None:
    default = make_outcome(0, score=0.8, is_default=True)
    assert is_noise(make_outcome(1, score=score, standard_error=0.01), default) is noise
