"""Token vectors made of spelling, so that rare words learn from others.

In a fit, the vector of a token is the sum of its own vector and the mean vector of the pieces of
its spelling. Other tokens share these pieces (after Bojanowski et al., "Enriching Word Vectors with
Subword Information", TACL 2017). After the fit the sums become an ordinary table: the served
network costs the same.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.spelling import number_pieces

WEIGHT = 3.0  # of the mean beside a token's own vector; with more, the network memorizes rows
AT_ONCE = 4_096  # tokens whose vectors are summed at once; limits the memory


class SubwordEmbedding(keras.layers.Layer):
    """Vectors of tokens: a token's own, plus WEIGHT times the mean of its pieces.

    Args:
        tokens: The vocabulary.
        width: Of a vector.
        name: Of the layer.
    """

    def __init__(self, tokens: Sequence[str], width: int, *, name: str) -> None:
        super().__init__(name=name)
        self.width = width
        pieces, counts, distinct = number_pieces(tokens)
        self._pieces = tf.RaggedTensor.from_row_lengths(pieces, counts)
        self._share = tf.constant(WEIGHT / np.maximum(counts, 1)[:, None], tf.float32)
        self.own = self._add_table("own", len(tokens))
        self.shared = self._add_table("shared", distinct)

    def _add_table(self, name: str, rows: int) -> keras.Variable:
        return self.add_weight(shape=(rows, self.width), initializer="uniform", name=name)

    def call(self, ids):
        """Return the vectors (batch, time, width) of ids (batch, time)."""
        distinct, places = tf.unique(tf.reshape(ids, [-1]))  # a batch repeats few tokens often
        pieces = tf.gather(self.shared.value, tf.gather(self._pieces, distinct))
        spelling = tf.reduce_sum(pieces, axis=1) * tf.gather(self._share, distinct)
        vectors = tf.gather(self.own.value, distinct) + spelling
        return tf.gather(vectors, tf.reshape(places, tf.shape(ids)))

    def compute_output_shape(self, shape):
        """Return the shape of the vectors for the shape of ids."""
        return (*shape, self.width)

    def tabulate(self) -> NDArray[np.float32]:
        """Return the vectors of all tokens, shape (tokens, width)."""
        rows = np.arange(self.own.shape[0], dtype=np.int32)
        parts = range(0, len(rows), AT_ONCE)
        return np.concatenate([self(rows[start : start + AT_ONCE]) for start in parts])
