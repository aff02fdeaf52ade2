import numpy as np
import pytest

from models.decisions import DecisionRule, log_odds
from tests.rules import LIKELIEST, several

RELATIVE = DecisionRule("single_label", (1.0, 0.5, 0.25))


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def row(*probabilities: float) -> np.ndarray:
    return np.array(probabilities, np.float32)


def test_the_margin_of_one_label_is_that_to_the_second() -> None:
    assert LIKELIEST.margin(row(0.1, 0.9)) == pytest.approx(np.log(9), abs=1e-6)
    assert LIKELIEST.margin(row(0.5, 0.5)) == 0
    assert LIKELIEST.margin(row(0.6, 0.3, 0.1)) == pytest.approx(np.log(2), abs=1e-6)


def test_the_margin_of_several_labels_is_that_of_the_least_certain() -> None:
    expected = min(logit(0.9) - logit(0.5), logit(0.4) - logit(0.3))
    assert several(0.5, 0.4).margin(row(0.9, 0.3)) == pytest.approx(expected, abs=1e-6)


def test_a_certain_verdict_has_a_margin_all_the_same() -> None:
    assert np.isfinite(LIKELIEST.margin(row(0.0, 1.0)))
    assert np.isfinite(several(0.5, 0.5).margin(row(0.0, 1.0)))


def test_verdicts() -> None:
    assert LIKELIEST.verdict(row(0.1, 0.7, 0.2)) == (1,)
    assert several(0.2, 0.5, 0.2).verdict(row(0.1, 0.7, 0.2)) == (0, 1, 1)


def test_logits_change() -> None:
    found = LIKELIEST.change(row(0.2, 0.3, 0.5), np.log([2.0, 1.0, 1.0]))
    assert found == pytest.approx(np.array([0.4, 0.3, 0.5]) / 1.2)
    found = several(0.5, 0.5).change(row(0.2, 0.3), np.array([0.7, 0.0]))
    assert found == pytest.approx([1 / (1 + np.exp(-logit(0.2) - 0.7)), 0.3], abs=1e-6)
    assert np.isfinite(LIKELIEST.change(row(0.0, 1.0), np.array([9.0, -9.0]))).all()


@pytest.mark.parametrize("rule", [LIKELIEST, RELATIVE, several(0.2, 0.5, 0.2)])
def test_a_verdict_is_what_is_decided_of_many(rule: DecisionRule) -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(3), 50).astype(np.float32)
    decided = rule.choose(rows)
    assert decided.dtype == np.int32
    assert decided.shape == ((50,) if rule.task == "single_label" else (50, 3))
    for each, found in zip(rows, decided, strict=True):
        assert rule.verdict(each) == tuple(np.atleast_1d(found))


def test_one_label_is_the_largest_multiple_of_its_threshold() -> None:
    assert RELATIVE.verdict(row(0.5, 0.4, 0.1)) == (1,)  # 0.5, 0.8 and 0.4
    assert RELATIVE.margin(row(0.5, 0.4, 0.1)) == pytest.approx(np.log(0.8 / 0.5), abs=1e-6)
    assert RELATIVE.verdict(row(0.5, 0.2, 0.3)) == (2,)
    assert RELATIVE.verdict(row(0.9, 0.05, 0.05)) == (0,)


def test_thresholds_change_no_probability() -> None:
    change = np.array([0.5, -0.5, 0.0])
    found = RELATIVE.change(row(0.5, 0.4, 0.1), change)
    assert found == pytest.approx(LIKELIEST.change(row(0.5, 0.4, 0.1), change))


def test_the_foremost_label_is_one_that_is_given() -> None:
    assert RELATIVE.foremost(row(0.5, 0.4, 0.1)) == 1
    assert LIKELIEST.foremost(row(0.5, 0.4, 0.1)) == 0
    assert several(0.2, 0.1, 0.9).foremost(row(0.5, 0.4, 0.6)) == 2  # the likeliest


def test_the_first_of_equals_is_the_label() -> None:
    assert LIKELIEST.verdict(row(0.2, 0.4, 0.4)) == (1,)


def test_a_threshold_is_reached_by_what_equals_it() -> None:
    assert several(0.7, 0.3000001).verdict(np.array([0.7, 0.3])) == (1, 0)


def test_log_odds_keep_their_digits_near_one() -> None:
    rows = np.array([[1.0, 1e-9], [0.25, 0.75]], np.float32)
    found = log_odds(rows, 0, task="single_label")
    assert found == pytest.approx([9 * np.log(10), -np.log(3)], rel=1e-6)
    assert np.isfinite(log_odds(rows, 0, task="multi_label")).all()
