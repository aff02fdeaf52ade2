"""Targets are counted by class, and read as degrees."""

import numpy as np

from training.targets import count_classes, soften


def test_soften() -> None:
    expected = np.array([[0, 0, 1], [1, 0, 0]], np.float32)
    np.testing.assert_array_equal(soften(np.array([2, 0]), labels=3), expected)
    np.testing.assert_array_equal(soften(expected.astype(np.int32), labels=3), expected)
    assert soften(np.array([2, 0]), labels=3).dtype == np.float32


def test_count_classes() -> None:
    assert count_classes(np.array([2, 0, 2], np.int32), classes=4).tolist() == [1, 0, 2, 0]
    targets = np.array([[1, 0, 1], [1, 0, 0]], np.int32)
    assert count_classes(targets, classes=3).tolist() == [2, 0, 1]
