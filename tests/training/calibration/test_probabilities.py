"""What is predicted, and the thresholds of labels, against slower references."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from training.calibration.probabilities import (
    LOWEST_THRESHOLD,
    doubt,
    find_thresholds,
    predict,
    temper,
    to_probabilities,
)

# A few probabilities, so that many are equal.
SCORED = st.lists(
    st.tuples(st.sampled_from([0.05, 0.2, 0.2000001, 0.5, 0.9, 1.0]), st.booleans()), min_size=1
)


def best_f1(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the highest F1 that any cut gives."""
    return max(
        f1_score(targets, probabilities >= cut, zero_division=0.0)
        for cut in np.unique(probabilities)
    )


class TestProbabilities:
    LOGITS = np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [1e4, -1e4, 0.0]], np.float32)

    def test_of_labels_that_exclude_each_other(self) -> None:
        found = to_probabilities(self.LOGITS, task="single_label")
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(found[1], 1 / 3, rtol=1e-6)
        np.testing.assert_allclose(found[2], [1, 0, 0])

    def test_of_each_label_on_its_own(self) -> None:
        found = to_probabilities(self.LOGITS, task="multi_label")
        np.testing.assert_allclose(found[0], 1 / (1 + np.exp([-1.0, -2.0, 1.0])), rtol=1e-6)
        np.testing.assert_allclose(found[2], [1, 0, 0.5])


def test_a_label_is_given_from_its_threshold_on() -> None:
    probabilities = np.array([[0.5, 0.29], [0.49, 0.3], [0.1, 0.1]], np.float32)
    thresholds = (0.5, float(np.float32(0.3)))
    assert predict(probabilities, thresholds=thresholds).tolist() == [[1, 0], [0, 1], [0, 0]]
    assert predict(probabilities, thresholds=None).tolist() == [0, 0, 0]


class TestThresholds:
    @given(SCORED)
    def test_no_cut_is_better(self, rows: list[tuple[float, bool]]) -> None:
        probabilities = np.array([[p] for p, _ in rows], np.float32)
        targets = np.array([[t] for _, t in rows], np.int32)
        predicted = predict(probabilities, thresholds=find_thresholds(probabilities, targets))
        found = f1_score(targets, predicted, zero_division=0.0)
        assert found == pytest.approx(best_f1(probabilities[:, 0], targets[:, 0]))

    def test_each_label_has_its_own(self) -> None:
        random = np.random.default_rng(0)
        probabilities = random.uniform(0.05, 1, (80, 4)).astype(np.float32)
        targets = (random.random((80, 4)) < probabilities * [1, 0.5, 0.2, 0.05]).astype(np.int32)
        thresholds = find_thresholds(probabilities, targets)
        predicted = predict(probabilities, thresholds=thresholds)
        assert len(set(thresholds)) == 4
        for column in range(4):
            expected = best_f1(probabilities[:, column], targets[:, column])
            assert f1_score(targets[:, column], predicted[:, column]) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("probabilities", "target", "threshold"),
        [
            ([0.9, 0.6, 0.4, 0.1], [1, 1, 0, 0], 0.5),  # in the middle between two rows
            ([0.9, 0.9, 0.9, 0.1], [1, 0, 0, 0], 0.5),  # equal ones are not told apart
            ([0.7, 0.6], [0, 0], 0.5),  # there is nothing to learn from
            ([0.8, 0.6], [1, 1], 0.3),  # the label is everywhere
            ([0.01, 0.004], [1, 0], LOWEST_THRESHOLD),
            ([0.0, 0.0], [1, 0], LOWEST_THRESHOLD),
        ],
    )
    def test_known(self, probabilities: list[float], target: list[int], threshold: float) -> None:
        columns = np.array([probabilities], np.float32).T, np.array([target], np.int32).T
        assert find_thresholds(*columns) == (pytest.approx(threshold),)


class TestDoubt:
    LOGITS = np.array([[2.0, -1.0, 0.5], [4.0, 0.0, -4.0]], np.float32)

    @pytest.mark.parametrize("task", ["single_label", "multi_label"])
    def test_tempered(self, task: str) -> None:
        probabilities = to_probabilities(self.LOGITS, task=task)
        found = temper(probabilities, temperature=2.0, task=task)
        np.testing.assert_allclose(found, to_probabilities(self.LOGITS / 2, task=task), atol=1e-6)
        same = temper(probabilities, temperature=1.0, task=task)
        np.testing.assert_allclose(same, probabilities, rtol=1e-5)

    def test_certain_ones_stay(self) -> None:
        certain = np.array([[0.0, 1.0]], np.float32)
        for task in ("single_label", "multi_label"):
            np.testing.assert_array_equal(temper(certain, temperature=2.0, task=task), certain)

    def test_as_doubtful_as_others(self) -> None:
        like = np.array([[0.7, 0.2, 0.1], [0.05, 0.9, 0.05]], np.float32)
        found = doubt(np.eye(3, dtype=np.float32), like=like, task="single_label")
        np.testing.assert_allclose(found, 0.1 + 0.7 * np.eye(3), atol=1e-6)

    def test_labels_that_are_independent(self) -> None:
        like = np.array([[0.9, 0.3], [1.0, 0.0]], np.float32)
        found = doubt(np.array([[1.0, 0.0]], np.float32), like=like, task="multi_label")
        np.testing.assert_allclose(found, [[0.9, 0.1]], atol=1e-6)
