"""Token vectors made of spelling, so that rare words learn from others.

In a fit, the vector of a token is the sum of its own vector and the mean vector of the pieces of
its spelling. Other tokens share these pieces (after Bojanowski et al., "Enriching Word Vectors with
Subword Information", TACL 2017). After the fit the sums become an ordinary table: the served
network costs the same.
"""

from collections import Counter
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.tokenizer import CONTINUATION, UNKNOWN

SHORTEST, LONGEST = 2, 5  # characters of a piece
FEWEST = 2  # tokens that must share a piece
WEIGHT = 3.0  # of the mean beside a token's own vector; with more, the network memorizes rows
START, END = "<", ">"
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


def number_pieces(
    tokens: Sequence[str],
) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
    """Number the pieces that tokens share.

    Returns:
        The piece numbers of all tokens, one token after the other, shape (pieces,); the number of
        pieces of each token, shape (tokens,); and the number of different pieces.
    """
    spelled = [spell(token) if id > UNKNOWN else [] for id, token in enumerate(tokens)]
    users = Counter(piece for pieces in spelled for piece in pieces)
    shared = sorted(piece for piece, count in users.items() if count >= FEWEST)
    numbers = {piece: number for number, piece in enumerate(shared)}
    rows = [[numbers[piece] for piece in pieces if piece in numbers] for pieces in spelled]
    counts = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.array([number for row in rows for number in row], np.int32), counts, len(numbers)


def spell(token: str) -> list[str]:
    """Return the different pieces of 2 to 5 characters of a token; a mark stands at word starts."""
    inside = token.startswith(CONTINUATION) and token != CONTINUATION
    letters = token.removeprefix(CONTINUATION) if inside else START + token + END
    return sorted(
        {
            letters[start : start + length]
            for length in range(SHORTEST, LONGEST + 1)
            for start in range(len(letters) - length + 1)
        }
    )
