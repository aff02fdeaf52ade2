"""The network: embedding, gated recurrent layers, running pool, one dense layer.

Everything is causal, so what the network thinks after each token follows from the tokens so far.
"""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from models.batching import Ids, Row, pad, plan_batches
from models.tokenizer import PAD, UNKNOWN
from training.network.pool import RunningPool
from training.network.recurrence import LAYERS
from training.network.subwords import SubwordEmbedding
from training.settings import NetworkSettings


def build_network(
    settings: NetworkSettings,
    *,
    vocabulary: int,
    labels: int,
    seed: int,
    spelled: Sequence[str] | None = None,
) -> keras.Model:
    """Return a network from ids, int32 of shape (batch, time), to logits of shape (batch, labels).

    Ids are padded on the right with 0.

    Args:
        settings: Its shape.
        vocabulary: Number of tokens.
        labels: Number of labels.
        seed: Of weights and dropout.
        spelled: The tokens, if their vectors are to be made of their spelling.
    """
    keras.utils.set_random_seed(seed)  # of the weights, whatever was drawn before them
    ids = keras.Input((None,), dtype="int32", name="ids")
    states = WordDropout(settings.word_dropout, seed=seed, name="word_dropout")(ids)
    if spelled is None:
        embed = keras.layers.Embedding(vocabulary, settings.embedding, name="embedding")
    else:
        embed = SubwordEmbedding(spelled, settings.embedding, name="embedding")
    states = embed(states)
    states = keras.layers.SpatialDropout1D(settings.dropout, seed=seed, name="dropout")(states)
    for index in range(settings.layers):
        layer = LAYERS[settings.cell]
        # No mask: padding comes last, so it changes nothing before it, and the pool leaves it out.
        states = layer(settings.units, return_sequences=True, name=f"recurrent_{index}")(states)
    pooled = RunningPool(name="pool")(states, ids)
    logits = keras.layers.Dense(labels, name="logits")(pooled)
    return keras.Model(ids, logits, name=settings.cell)


def tabulate(network: keras.Model, *, into: keras.Model) -> None:
    """Give the weights of a network of spelled tokens to one with an ordinary table of vectors."""
    for layer in network.layers:
        spelled = isinstance(layer, SubwordEmbedding)
        weights = [layer.tabulate()] if spelled else layer.get_weights()
        into.get_layer(layer.name).set_weights(weights)


def round_embedding(network: keras.Model) -> None:
    """Round the embedding to the 16 bits of the export, so that the network is what is served."""
    table = network.get_layer("embedding").embeddings
    table.assign(table.numpy().astype(np.float16).astype(np.float32))


def read(network: keras.Model, vectors: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Return the logits of vectors (batch, time, width) at ids (batch, time) while training."""
    states = run_layers(network, network.get_layer("dropout")(vectors, training=True))
    return network.get_layer("logits")(network.get_layer("pool")(states, ids))


def run_layers(network: keras.Model, vectors: tf.Tensor) -> tf.Tensor:
    """Return the states (batch, time, units) that vectors (batch, time, width) lead to."""
    for layer in network.layers:
        if layer.name.startswith("recurrent_"):
            vectors = layer(vectors)
    return vectors


class WordDropout(keras.layers.Layer):
    """Replaces a share of the token ids by the unknown token while training; padding stays."""

    def __init__(self, rate: float, *, seed: int, name: str) -> None:
        super().__init__(name=name)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, ids, training=False):
        """Return ids of the same shape."""
        if not training or self.rate == 0:
            return ids
        drawn = keras.random.uniform(ops.shape(ids), seed=self.seed_generator) < self.rate
        return ops.where(ops.logical_and(drawn, ids != PAD), UNKNOWN, ids)


def predict_logits(network: keras.Model, rows: Sequence[Row]) -> NDArray[np.float32]:
    """Return the logits (rows, labels) of each row of ids, no dropout applied."""
    infer = _make_infer(network)
    logits = np.empty((len(rows), network.output_shape[-1]), np.float32)
    for batch in plan_batches([len(row) for row in rows]):
        logits[batch] = infer(pad([rows[row] for row in batch]))
    return logits


@functools.lru_cache(maxsize=2)  # a trace takes longer than a few rows
def _make_infer(network: keras.Model) -> Callable[[Ids], tf.Tensor]:
    return tf.function(
        lambda ids: network(ids, training=False),
        input_signature=[tf.TensorSpec((None, None), tf.int32)],
        autograph=False,
    )
