"""Batches of ids: texts of similar length together, padded on the right."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import PAD

Ids = NDArray[np.int32]
"""Shape (batch, time)."""
Row = Sequence[int] | NDArray[np.int32]
"""Ids of one text."""

BATCH_TEXTS = 32
BATCH_POSITIONS = 8_192  # tokens and padding of one batch


def pad(rows: Sequence[Row]) -> Ids:
    """Return the rows as one array (rows, longest row), at least one column wide."""
    width = max(1, max(map(len, rows), default=1))
    padded = np.full((len(rows), width), PAD, np.int32)
    for row, ids in zip(padded, rows, strict=True):
        row[: len(ids)] = ids
    return padded


def plan_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the row numbers of each batch: shortest texts first, longest row of a batch last."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        positions = (len(batch) + 1) * lengths[row]
        if batch and (len(batch) == BATCH_TEXTS or positions > BATCH_POSITIONS):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
