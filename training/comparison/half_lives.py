"""The half-lives of the units' contents, from their gates.

A GRU keeps the share z of a unit's state at each token, an LSTM the share f of its cell. Over many
tokens these shares multiply. The mean of their logarithms gives the rate of decay.
"""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.cells import CELLS, CellLayer, CellName, run_cell

TEXTS, TOKENS = 32, 256
LONGEST = 1e6  # tokens; replaces infinity for a gate that never closes


def measure_half_lives(
    network: keras.Model, rows: Sequence[Row], *, cell: CellName
) -> NDArray[np.float64] | None:
    """Return the half-life of each unit in tokens, (units,), ascending.

    None for a cell without a keeping gate, such as the simple cell.
    """
    layer = CellLayer.of(cell, network.get_layer("recurrent_0").get_weights())
    table = network.get_layer("embedding").embeddings.numpy()
    if CELLS[cell].keeps is None:
        return None
    kept = [
        CELLS[cell].kept(run_cell(layer, table[np.asarray(row[:TOKENS], np.int32)]).gates)
        for row in rows[:TEXTS]
    ]
    return np.sort(half_lives(np.concatenate(kept)))


def half_lives(kept: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the half-lives (units,) of contents that keep these shares (tokens, units)."""
    tiny = np.finfo(np.float32).tiny
    lost = -np.log(np.maximum(kept, tiny).astype(np.float64)).mean(axis=0)
    return np.minimum(np.log(2) / np.maximum(lost, np.log(2) / LONGEST), LONGEST)
