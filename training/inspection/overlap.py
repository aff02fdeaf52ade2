"""Measures how much of the vocabulary of other splits the training split has."""

import numpy as np
from numpy.typing import NDArray

from training.inspection.findings import Overlap
from training.inspection.table import TRAIN, Table
from training.inspection.words import Words


def measure_overlap(words: Words, table: Table) -> tuple[Overlap, ...]:
    """Return for each split but train, if there is one, the share of its words that train has."""
    if TRAIN not in table.sizes:
        return ()
    known = np.zeros(len(words.spellings), bool)
    known[words.part(table.spans[TRAIN])] = True
    return tuple(
        Overlap(split, _share(known[np.unique(ids)]), _share(known[ids]))
        for split in table.sizes
        if split != TRAIN and len(ids := words.part(table.spans[split])) > 0
    )


def _share(known: NDArray[np.bool_]) -> float:
    return float(known.mean())
