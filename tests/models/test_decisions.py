import numpy as np
import pytest

from models.decisions import change_logits, choose_labels, log_odds, margin_of, verdict_of


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def row(*probabilities: float) -> np.ndarray:
    return np.array(probabilities, np.float32)


def test_the_margin_of_one_label_is_that_to_the_second() -> None:
    assert margin_of(row(0.1, 0.9), None) == pytest.approx(np.log(9), abs=1e-6)
    assert margin_of(row(0.5, 0.5), None) == 0
    assert margin_of(row(0.6, 0.3, 0.1), None) == pytest.approx(np.log(2), abs=1e-6)


def test_the_margin_of_several_labels_is_that_of_the_least_certain() -> None:
    expected = min(logit(0.9) - logit(0.5), logit(0.4) - logit(0.3))
    assert margin_of(row(0.9, 0.3), (0.5, 0.4)) == pytest.approx(expected, abs=1e-6)


def test_a_certain_verdict_has_a_margin_all_the_same() -> None:
    assert np.isfinite(margin_of(row(0.0, 1.0), None))
    assert np.isfinite(margin_of(row(0.0, 1.0), (0.5, 0.5)))


def test_verdicts() -> None:
    assert verdict_of(row(0.1, 0.7, 0.2), None) == (1,)
    assert verdict_of(row(0.1, 0.7, 0.2), (0.2, 0.5, 0.2)) == (0, 1, 1)


def test_logits_change() -> None:
    found = change_logits(row(0.2, 0.3, 0.5), np.log([2.0, 1.0, 1.0]), None)
    assert found == pytest.approx(np.array([0.4, 0.3, 0.5]) / 1.2)
    found = change_logits(row(0.2, 0.3), np.array([0.7, 0.0]), (0.5, 0.5))
    assert found == pytest.approx([1 / (1 + np.exp(-logit(0.2) - 0.7)), 0.3], abs=1e-6)
    assert np.isfinite(change_logits(row(0.0, 1.0), np.array([9.0, -9.0]), None)).all()


@pytest.mark.parametrize("thresholds", [None, (0.2, 0.5, 0.2)])
def test_a_verdict_is_what_is_decided_of_many(thresholds: tuple[float, ...] | None) -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(3), 50).astype(np.float32)
    decided = choose_labels(rows, thresholds=thresholds)
    assert decided.dtype == np.int32
    assert decided.shape == ((50,) if thresholds is None else (50, 3))
    for each, found in zip(rows, decided, strict=True):
        assert verdict_of(each, thresholds) == tuple(np.atleast_1d(found))


def test_the_first_of_equals_is_the_label() -> None:
    assert verdict_of(row(0.2, 0.4, 0.4), None) == (1,)


def test_a_threshold_is_reached_by_what_equals_it() -> None:
    assert verdict_of(np.array([0.7, 0.3]), (0.7, 0.3000001)) == (1, 0)


def test_log_odds_keep_their_digits_near_one() -> None:
    rows = np.array([[1.0, 1e-9], [0.25, 0.75]], np.float32)
    found = log_odds(rows, 0, task="single_label")
    assert found == pytest.approx([9 * np.log(10), -np.log(3)], rel=1e-6)
    assert np.isfinite(log_odds(rows, 0, task="multi_label")).all()
