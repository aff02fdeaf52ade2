"""The figures of predictions are those of slower references."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.metrics import log_loss as reference_log_loss

from tests.rules import LIKELIEST, several
from training.calibration.metrics import is_right, log_loss, macro_f1, mean_f1, measure


class TestFigures:
    def test_of_one_label_per_row(self) -> None:
        probabilities = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]]
        figures = measure(
            np.array(probabilities, np.float32), np.array([0, 1, 1, 0]), rule=LIKELIEST
        )
        assert figures == {
            "accuracy": 0.75,
            # class 0: 2 hits of 3 predicted and 2 there; class 1: 1 hit of 1 predicted and 2 there
            "macro_f1": pytest.approx((4 / 5 + 2 / 3) / 2),
            "log_loss": pytest.approx(-np.mean(np.log([0.9, 0.8, 0.3, 0.6])), rel=1e-5),
            "rows": 4.0,
        }

    def test_of_several_labels_per_row(self) -> None:
        probabilities = np.array([[0.9, 0.4], [0.2, 0.8], [0.6, 0.1]], np.float32)
        targets = np.array([[1, 1], [0, 1], [0, 0]], np.int32)
        assert measure(probabilities, targets, rule=several(0.5, 0.3)) == {
            "accuracy": pytest.approx(2 / 3),  # the third row has a label too many
            "macro_f1": pytest.approx((2 / 3 + 1) / 2),
            "log_loss": pytest.approx(-np.mean(np.log([0.9, 0.4, 0.8, 0.8, 0.4, 0.9])), rel=1e-5),
            "rows": 3.0,
        }

    @pytest.mark.parametrize("targets", [[1], [[0, 1]]])
    def test_no_probability_at_all_gives_a_finite_loss(self, targets: list) -> None:
        probabilities = np.array([[1.0, 0.0]], np.float32)
        rule = LIKELIEST if np.ndim(targets) == 1 else several(0.5, 0.5)
        assert 80 < measure(probabilities, np.array(targets), rule=rule)["log_loss"] < 90


def test_log_loss_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    probabilities = draw.dirichlet([1, 1, 1], 50)
    labels = draw.integers(0, 3, 50).astype(np.int32)
    expected = reference_log_loss(labels, probabilities)
    assert log_loss(probabilities, labels) == pytest.approx(expected)
    decisions = (draw.random((50, 3)) < 0.5).astype(np.int32)
    pairs = np.stack([1 - probabilities.ravel(), probabilities.ravel()], axis=1)
    expected = reference_log_loss(decisions.ravel(), pairs)
    assert log_loss(probabilities, decisions) == pytest.approx(expected)


class TestMacroF1:
    @pytest.mark.medium
    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
    def test_of_one_label_per_row(self, rows: list[tuple[int, int]]) -> None:
        predicted, targets = np.array(rows, np.int32).T
        # Labels that nobody has and nobody gets are left out by both.
        expected = f1_score(targets, predicted, average="macro")
        assert macro_f1(predicted, targets, labels=4) == pytest.approx(expected)

    def test_of_several_labels_per_row(self) -> None:
        predicted, targets = np.random.default_rng(0).integers(0, 2, (2, 50, 5)).astype(np.int32)
        expected = f1_score(targets, predicted, average="macro")
        assert macro_f1(predicted, targets, labels=5) == pytest.approx(expected)

    def test_a_label_that_is_never_found_counts(self) -> None:
        found = macro_f1(np.array([0, 0]), np.array([0, 1]), labels=2)
        assert found == pytest.approx((2 / 3 + 0) / 2)

    def test_a_label_that_neither_occurs_nor_is_given_does_not(self) -> None:
        assert macro_f1(np.array([0, 1]), np.array([0, 1]), labels=3) == 1
        nothing = np.zeros((3, 2), np.int32)
        assert macro_f1(nothing, nothing, labels=2) == 0


def test_a_row_is_right_with_all_of_its_labels() -> None:
    assert is_right(np.array([1, 0]), np.array([1, 1])).tolist() == [True, False]
    given, truth = np.array([[True, False], [True, True]]), np.array([[1, 0], [1, 0]])
    assert is_right(given, truth).tolist() == [True, False]


def test_macro_f1_counts_labels_that_are_given_or_occur() -> None:
    hits = np.array([[3, 0, 0], [2, 1, 0]])
    given = np.array([[4, 0, 0], [4, 1, 0]])
    actual = np.array([[5, 2, 0], [5, 2, 0]])
    expected = [(6 / 9 + 0) / 2, (4 / 9 + 2 / 3) / 2]
    assert mean_f1(hits, given, actual) == pytest.approx(expected)
    assert np.isnan(mean_f1(np.zeros(3), np.zeros(3), np.zeros(3)))


def test_f1_of_many_samples_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    truth, given = draw.random((2, 200, 4)) < 0.3
    sums = [each.sum(axis=0) for each in (truth & given, given, truth)]
    assert mean_f1(*sums) == pytest.approx(f1_score(truth, given, average="macro"))
