"""Targets: the classes of each row, and the number of rows of each class."""

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -1  # the Hub's mark for a row without a label

Targets = NDArray[np.int32]
"""Single label: the class index of each row, shape (rows,). Multi-label: 1 where a row has a label,
0 elsewhere, shape (rows, labels)."""


def count_classes(targets: Targets, *, classes: int) -> NDArray[np.int64]:
    """Return the number of rows of each class, shape (classes,)."""
    if targets.ndim == 2:
        return targets.sum(axis=0, dtype=np.int64)
    return np.bincount(targets, minlength=classes)


def soften(targets: Targets, *, labels: int) -> NDArray[np.float32]:
    """Return targets as the degree to which each row has each label, shape (rows, labels)."""
    if targets.ndim == 2:
        return targets.astype(np.float32)
    return np.eye(labels, dtype=np.float32)[targets]
