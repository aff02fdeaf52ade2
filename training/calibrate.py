"""Temperature scaling, so that a probability of 0.8 is right in 8 of 10 cases.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. Targets are softened as
in Platt, "Probabilistic Outputs for Support Vector Machines", 1999, so that a few rows, all of them
right, are no reason to be certain.
"""

import keras
import numpy as np
from numpy.typing import NDArray

from training.batches import Examples
from training.network import predict_logits

LOWEST, HIGHEST = 0.05, 20.0
ROUNDS = 60  # of golden-section search; each shrinks the interval by 0.62


def calibrate(network: keras.Model, validation: Examples) -> float:
    """Divide the network's logits by the temperature that fits validation best; return it.

    The division is folded into the last layer, so the network costs no more than before.
    """
    temperature = find_temperature(predict_logits(network, validation.ids), validation.labels)
    layer = network.get_layer("logits")
    layer.set_weights([weight / temperature for weight in layer.get_weights()])
    return temperature


def find_temperature(logits: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Return the temperature of least cross-entropy, which is convex in its inverse.

    Args:
        logits: Shape (rows, labels).
        labels: The class of each row, shape (rows,).
    """
    shrink = (5**0.5 - 1) / 2
    low, high = 1 / HIGHEST, 1 / LOWEST
    for _ in range(ROUNDS):
        left, right = high - shrink * (high - low), low + shrink * (high - low)
        if cross_entropy(logits * left, labels) < cross_entropy(logits * right, labels):
            high = right
        else:
            low = left
    return float(2 / (low + high))


def cross_entropy(logits: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Return the mean cross-entropy, in nats, of softmax of `logits` and the softened labels.

    Each label's class gets 1 - 1 / (rows + 2), the other classes share the rest.
    """
    rows, classes = logits.shape
    rest = 1 / (rows + 2)
    shifted = logits - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(rows), labels]
    wrong = (shifted.sum(axis=1) - right) / (classes - 1)
    normalizer = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(normalizer - (1 - rest) * right - rest * wrong))
