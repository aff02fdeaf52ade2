"""Probabilities of logits, and softer ones."""

import numpy as np
import pytest

from training.calibration.probabilities import doubt, temper, to_probabilities


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
