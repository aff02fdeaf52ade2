"""Temperature scaling, so that a probability of 0.8 is right in 8 of 10 cases.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
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
    """Return the temperature of least negative log-likelihood, which is convex in its inverse."""
    shrink = (5**0.5 - 1) / 2
    low, high = 1 / HIGHEST, 1 / LOWEST
    for _ in range(ROUNDS):
        left, right = high - shrink * (high - low), low + shrink * (high - low)
        losses = [negative_log_likelihood(logits * scale, labels) for scale in (left, right)]
        if losses[0] < losses[1]:
            high = right
        else:
            low = left
    return float(2 / (low + high))


def negative_log_likelihood(logits: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """Return the mean negative log-likelihood of `labels` under softmax of `logits`."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen))
