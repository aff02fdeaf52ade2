"""The running pool: a few numbers that stand for the states of a text, however many there are.

It is made of the maximum, the mean and the last of the states, in this order. The maximum includes
the zero state before the first token. So the pool of an empty text is all zero, an ordinary input
to the dense layer, and padding whose states are zero cannot change it.

A text that comes in pieces carries three tensors, which are zero before the first token. After
`read` more states these are

    maximum' = max(maximum, states)
    count'   = count + read
    mean'    = mean + (sum(states) - read * mean) / max(count', 1)

The mean is carried, not the sum, whose 32 bits would swallow the values of a long text. The last
state is carried by the recurrent layer.

The pool stands here three times: for whole texts in Keras, for pieces in TensorFlow, and for every
beginning of a text in NumPy. `models/onnx_network.py` writes that for pieces in ONNX.
"""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from models.tokenizer import PAD

Tensors = dict[str, tf.Tensor]


class RunningPool(keras.layers.Layer):
    """The pool of whole texts, as it is trained."""

    def call(self, states, ids):
        """Pool states (batch, time, units) at the real ids (batch, time) to (batch, 3 * units)."""
        mask = ops.cast(ids != PAD, states.dtype)
        count = ops.sum(mask, axis=1, keepdims=True)
        states = states * mask[:, :, None]
        maximum = ops.maximum(ops.max(states, axis=1), 0.0)
        mean = ops.sum(states, axis=1) / ops.maximum(count, 1.0)
        return ops.concatenate([maximum, mean, _last(states, count)], axis=-1)


def _last(states, count):
    """Return the state after the last real token; zero where there is none."""
    index = ops.maximum(ops.cast(count, "int32") - 1, 0)
    return ops.squeeze(ops.take_along_axis(states, index[:, :, None], axis=1), axis=1)


def pool_piece(
    before: Mapping[str, tf.Tensor], states: tf.Tensor, mask: tf.Tensor
) -> tuple[Tensors, tf.Tensor]:
    """Return what is carried after a piece of a text, and how many of its tokens are real.

    Args:
        before: What was carried before it, each tensor (batch, its shape).
        states: Of its tokens, shape (batch, time, units).
        mask: Whether a token is real, shape (batch, time).

    Returns:
        The tensors by name, and the number of tokens read, shape (batch, 1).
    """
    weights = tf.cast(mask, tf.float32)[:, :, None]
    states *= weights
    maximum = tf.maximum(before["maximum"], tf.reduce_max(states, axis=1))
    read = tf.reduce_sum(weights, axis=1)
    count = before["count"] + read
    mean = continue_mean(before["mean"], tf.reduce_sum(states, axis=1), read=read, count=count)
    return {"maximum": maximum, "count": count, "mean": mean}, read


def continue_mean(
    mean: tf.Tensor, news: tf.Tensor, *, read: tf.Tensor, count: tf.Tensor
) -> tf.Tensor:
    """Return a running mean after `read` more values whose sum is `news`, `count` values in all."""
    return mean + (news - read * mean) / tf.maximum(count, 1.0)


def join_pool(carried: Mapping[str, tf.Tensor], *, last: tf.Tensor) -> tf.Tensor:
    """Return the pool (batch, 3 * units) from what is carried and the last state."""
    return tf.concat([carried["maximum"], carried["mean"], last], axis=-1)


def pool_prefixes(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return maximum, mean and last of the states (time, units) so far, (time, 3 * units)."""
    count = np.arange(1, len(states) + 1, dtype=np.float32)[:, None]
    maximum = np.maximum(np.maximum.accumulate(states, axis=0), 0)
    mean = np.cumsum(states, axis=0) / count
    return np.concatenate([maximum, mean, states], axis=1)
