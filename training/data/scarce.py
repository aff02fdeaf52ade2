"""Draws validation rows from classes that are too small to give a share of their own."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.targets import Targets, count_classes

Rows = NDArray[np.int64]


def draw_scarce(
    labels: Targets,
    families: NDArray[np.int64],
    *,
    pool: NDArray[np.bool_],
    share: float,
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return which rows are held out: about `share` of the pool, and one at least where one can be.

    All classes are drawn from together, and families stay together. No class loses its last row,
    and none gives twice before each could give once.

    Args:
        labels: Targets of all rows.
        families: First row of each row's family, shape (rows,).
        pool: Which rows may be drawn, whole families, shape (rows,).
        share: Part of the pool to draw.
        random: Decides the drawn rows.
    """
    drawing = _Drawing(labels, wanted=max(1, round(share * np.count_nonzero(pool))))
    drawn = list(_shuffle_families(families, pool=pool, random=random))
    for again in (False, True):
        for rows in drawn:
            if drawing.missing == 0:
                return drawing.held
            drawing.offer(rows, again=again)
    for rows in sorted(drawn, key=len):  # each family may be larger than what is wanted
        if drawing.held.any():
            break
        drawing.missing = len(rows)
        drawing.offer(rows, again=True)
    return drawing.held


class _Drawing:
    """The rows that are held out so far.

    Args:
        labels: Targets of all rows.
        wanted: Rows to hold out at most.
    """

    def __init__(self, labels: Targets, *, wanted: int) -> None:
        self.held = np.zeros(len(labels), bool)
        self.missing = wanted
        self._labels = labels
        self._left = count_classes(labels, classes=0)
        self._gave = np.zeros(len(self._left), bool)

    def offer(self, rows: Rows, *, again: bool) -> None:
        """Hold a family out if it fits; with `again`, also of classes that gave before."""
        if len(rows) > self.missing or self.held[rows[0]]:
            return
        lost = count_classes(self._labels[rows], classes=len(self._left))
        loses = lost > 0
        if (self._left - lost)[loses].all() and (again or not self._gave[loses].any()):
            self.held[rows] = True
            self.missing -= len(rows)
            self._left -= lost
            self._gave |= loses


def _shuffle_families(
    families: NDArray[np.int64], *, pool: NDArray[np.bool_], random: np.random.Generator
) -> Iterator[Rows]:
    """Yield the rows of each family of the pool, in a random order."""
    rows = np.flatnonzero(pool)
    rows = rows[np.argsort(families[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(families[rows])) + 1
    parts = np.split(rows, starts)
    for place in random.permutation(len(parts)):
        yield parts[place]
