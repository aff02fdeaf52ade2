"""Computes many texts at once: similar lengths together, long texts in slices.

Neither changes a probability. The network masks padding, and each slice continues from the state
after the last one.
"""

from collections.abc import Sequence

import numpy as np

from models.batching import Row, plan_batches
from models.golden import Probabilities
from models.metadata import StateTensor
from service.engines.protocol import Engine, initial_state

SLICE_TOKENS = 2_048  # bounds the memory of a long text


def compute(engine: Engine, ids: Sequence[Row], *, state: tuple[StateTensor, ...]) -> Probabilities:
    """Return probabilities (texts, labels) in the order of `ids`, one list of ids per text.

    Args:
        engine: The engine that computes.
        ids: Token ids of each text; a text may be empty.
        state: State tensors of the version; without them texts are not sliced.
    """
    lengths = [len(row) for row in ids]
    results: dict[int, Probabilities] = {}
    for rows in plan_batches(lengths):
        computed = compute_batch(engine, [ids[row] for row in rows], state=state)
        results |= zip(rows, computed, strict=True)
    return np.stack([results[row] for row in range(len(ids))])


def compute_batch(
    engine: Engine, batch: Sequence[Row], *, state: tuple[StateTensor, ...]
) -> Probabilities:
    """Return probabilities (texts, labels) of texts in one batch."""
    longest = max(map(len, batch))
    if state and longest > SLICE_TOKENS:
        return _compute_slices(engine, batch, state, longest=longest)
    return engine.predict(batch)


def _compute_slices(
    engine: Engine, batch: Sequence[Row], tensors: tuple[StateTensor, ...], *, longest: int
) -> Probabilities:
    state = initial_state(tensors, batch=len(batch))
    for start in range(0, longest, SLICE_TOKENS):
        piece = [row[start : start + SLICE_TOKENS] for row in batch]
        probabilities, state = engine.step(piece, state)
    return probabilities
