"""What a network thinks after each token of a text, from one pass over it."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from models.batching import Row, pad, plan_batches
from training.network.build import run_layers
from training.network.pool import pool_prefixes


def prefix_logits(
    network: keras.Model, rows: Sequence[Row]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the number of each row and the logits (tokens, labels) after each of its tokens."""
    kernel, bias = network.get_layer("logits").get_weights()
    for batch in plan_batches([len(row) for row in rows]):
        vectors = network.get_layer("embedding")(pad([rows[row] for row in batch]))
        states = np.asarray(run_layers(network, vectors))
        for row, sequence in zip(batch, states, strict=True):
            yield row, pool_prefixes(sequence[: len(rows[row])]) @ kernel + bias
