"""What a network makes of texts before the labels."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.batching import Row, pad, plan_batches
from training.console import console


def read_pools(network: keras.Model, rows: Sequence[Row]) -> NDArray[np.float32]:
    """Return what the network makes of texts before the labels, shape (texts, width)."""
    inner = keras.Model(network.input, network.get_layer("pool").output)
    infer = tf.function(
        lambda ids: inner(ids, training=False),
        input_signature=[tf.TensorSpec((None, None), tf.int32)],
        autograph=False,
    )
    pools = np.empty((len(rows), inner.output_shape[-1]), np.float32)
    for batch in console.track(plan_batches([len(row) for row in rows]), "comparing the texts"):
        pools[batch] = infer(pad([rows[row] for row in batch]))
    return pools
