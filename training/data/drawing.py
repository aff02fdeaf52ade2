"""Keeps count of the rows that are held out, so that no class loses its last row."""

import numpy as np
from numpy.typing import NDArray

from training.targets import Targets, count_classes

Rows = NDArray[np.int64]


class Drawing:
    """The rows that are held out so far.

    Args:
        labels: Targets of all rows.
    """

    def __init__(self, labels: Targets) -> None:
        self.held = np.zeros(len(labels), bool)
        self._labels = labels
        self._left = count_classes(labels, classes=0)
        self._gave = np.zeros(len(self._left), bool)

    @property
    def count(self) -> int:
        """Number of rows that are held out."""
        return int(np.count_nonzero(self.held))

    def hold(self, rows: Rows, *, again: bool = True) -> bool:
        """Hold the rows of a family out, and say so, unless a class would lose its last row.

        Args:
            rows: The rows.
            again: Whether they may be of classes that have given rows already.
        """
        if self.held[rows[0]]:
            return False
        lost = count_classes(self._labels[rows], classes=len(self._left))
        loses = lost > 0
        if not (self._left - lost)[loses].all() or (not again and self._gave[loses].any()):
            return False
        self.held[rows] = True
        self._left -= lost
        self._gave |= loses
        return True


def group_families(families: NDArray[np.int64], *, pool: NDArray[np.bool_]) -> list[Rows]:
    """Return the rows of each family of the pool, by the first row.

    Args:
        families: First row of each row's family, shape (rows,).
        pool: Which rows count, whole families, shape (rows,).
    """
    rows = np.flatnonzero(pool)
    rows = rows[np.argsort(families[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(families[rows])) + 1) if len(rows) else []
