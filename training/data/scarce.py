"""Draws validation rows from classes that are too small to give a share of their own."""

import numpy as np
from numpy.typing import NDArray

from training.data.drawing import Drawing, group_families


def draw_scarce(
    drawing: Drawing,
    families: NDArray[np.int64],
    *,
    pool: NDArray[np.bool_],
    wanted: int,
    random: np.random.Generator,
) -> None:
    """Hold out as many rows of the pool as are wanted, and one at least where one can be.

    All classes are drawn from together, and families stay together. No class loses its last row,
    and none gives twice before each could give once.

    Args:
        drawing: Receives the rows.
        families: First row of each row's family, shape (rows,).
        pool: Which rows may be drawn, whole families, shape (rows,).
        wanted: Rows to hold out at most; more only if each family is larger.
        random: Decides the drawn rows.
    """
    parts = group_families(families, pool=pool)
    drawn = [parts[place] for place in random.permutation(len(parts))]
    missing = wanted
    for again in (False, True):
        for rows in drawn:
            if missing == 0:
                return
            if len(rows) <= missing and drawing.hold(rows, again=again):
                missing -= len(rows)
    for rows in sorted(drawn, key=len):  # each family may be larger than what is wanted
        if drawing.count or drawing.hold(rows):
            return
