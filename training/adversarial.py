"""Moves texts to where the network errs most, so that it learns not to hang on single words.

The word vectors of a text are moved a little along the gradient of its loss, and the network learns
from the text as it was and as it became (Miyato, Dai and Goodfellow, "Adversarial Training Methods
for Semi-Supervised Text Classification", ICLR 2017).
"""

import keras
import tensorflow as tf

from models.tokenizer import PAD
from training.network import read
from training.objective import Loss

Gradients = list[tf.Tensor | tf.IndexedSlices]
TINY = 1e-12


def differentiate_both(
    network: keras.Model, ids: tf.Tensor, targets: tf.Tensor, *, loss: Loss, distance: float
) -> tuple[tf.Tensor, Gradients]:
    """Return the loss of texts as they are, and the gradients averaged over both forms of them.

    Args:
        network: The network.
        ids: Shape (batch, time).
        targets: Shape (batch, labels).
        loss: What is descended.
        distance: How far a text is moved, all its vectors together, in lengths of a mean vector.
    """
    variables, embed = network.trainable_variables, network.get_layer("embedding")
    seen = network.get_layer("word_dropout")(ids, training=True)
    with tf.GradientTape() as tape:
        vectors = embed(seen)
        tape.watch(vectors)
        value = loss(targets, read(network, vectors, ids))
    slope, *gradients = tape.gradient(value, [vectors, *variables])
    with tf.GradientTape() as tape:
        vectors = embed(seen)
        moved = vectors + move(vectors, slope, ids, distance=distance)
        moved_value = loss(targets, read(network, moved, ids))
    others = tape.gradient(moved_value, variables)
    return value, [_mean(one, other) for one, other in zip(gradients, others, strict=True)]


def move(vectors: tf.Tensor, slope: tf.Tensor, ids: tf.Tensor, *, distance: float) -> tf.Tensor:
    """Return what is added to vectors (batch, time, width) whose loss has this slope."""
    real = tf.cast(ids != PAD, vectors.dtype)[:, :, None]
    slope = slope * real
    steepness = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=[1, 2], keepdims=True))
    tokens = tf.maximum(tf.reduce_sum(real), 1.0)
    length = tf.sqrt(tf.reduce_sum(tf.square(vectors) * real) / tokens)
    return tf.stop_gradient(distance * length * slope / (steepness + TINY))


def _mean(
    one: tf.Tensor | tf.IndexedSlices, other: tf.Tensor | tf.IndexedSlices
) -> tf.Tensor | tf.IndexedSlices:
    if isinstance(one, tf.IndexedSlices):  # of an embedding, where most rows have no gradient
        values = tf.concat([one.values, other.values], axis=0) / 2
        indices = tf.concat([one.indices, other.indices], axis=0)
        return tf.IndexedSlices(values, indices, one.dense_shape)
    return (one + other) / 2
