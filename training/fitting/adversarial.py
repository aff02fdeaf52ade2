"""Adversarial training: moves texts towards a higher loss, against reliance on single words.

The word vectors of a text are moved a little along the gradient of its loss. The network learns
from the text before and after the move (Miyato, Dai and Goodfellow, "Adversarial Training Methods
for Semi-Supervised Text Classification", ICLR 2017).
"""

import keras
import tensorflow as tf

from models.tokenizer import PAD
from training.fitting.objective import Loss
from training.network.build import read

Gradients = list[tf.Tensor | tf.IndexedSlices]
TINY = 1e-12


def differentiate_both(
    network: keras.Model, ids: tf.Tensor, targets: tf.Tensor, *, loss: Loss, distance: float
) -> tuple[tf.Tensor, Gradients]:
    """Return the loss of unmoved texts, and the mean gradients over moved and unmoved texts.

    Args:
        network: The network.
        ids: Shape (batch, time).
        targets: Shape (batch, labels).
        loss: The loss to minimize.
        distance: Length of a text's move over all its vectors, in lengths of a mean vector.
    """
    embed = network.get_layer("embedding")
    tables, variables = embed.trainable_variables, network.trainable_variables
    seen = network.get_layer("word_dropout")(ids, training=True)
    with tf.GradientTape() as embedding:
        vectors = embed(seen)

    def differentiate(vectors: tf.Tensor) -> tuple[tf.Tensor, Gradients]:
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            value = loss(targets, read(network, vectors, ids))
        return value, tape.gradient(value, [vectors, *variables[len(tables) :]])

    value, gradients = differentiate(vectors)
    moved = vectors + move(vectors, gradients[0], ids, distance=distance)
    _, others = differentiate(moved)
    slope, *means = [(one + other) / 2 for one, other in zip(gradients, others, strict=True)]
    return value, [*embedding.gradient(vectors, tables, output_gradients=slope), *means]


def move(vectors: tf.Tensor, slope: tf.Tensor, ids: tf.Tensor, *, distance: float) -> tf.Tensor:
    """Return the moves of vectors (batch, time, width), along the slope of their loss."""
    real = tf.cast(ids != PAD, vectors.dtype)[:, :, None]
    slope = slope * real
    steepness = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=[1, 2], keepdims=True))
    tokens = tf.maximum(tf.reduce_sum(real), 1.0)
    length = tf.sqrt(tf.reduce_sum(tf.square(vectors) * real) / tokens)
    return tf.stop_gradient(distance * length * slope / (steepness + TINY))
