"""Chooses the rows to label next: uncertain ones that are unlike each other.

This is BADGE (Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds",
ICLR 2020): each text stands for the gradient that its likeliest label would give the last layer.
The gradient is long where the network is unsure. Rows are drawn as k-means++ draws centres, far
from those that are drawn already (Arthur and Vassilvitskii, SODA 2007).
"""

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from models.metadata import Task

Floats = NDArray[np.float64]


def choose_rows(
    pools: NDArray[np.float32],
    probabilities: Probabilities,
    *,
    task: Task,
    count: int,
    seed: int,
) -> NDArray[np.int64]:
    """Return the rows to label, in the order in which they were drawn.

    Args:
        pools: What the network makes of each text, shape (texts, width).
        probabilities: Of each label, shape (texts, labels).
        task: Whether labels exclude each other.
        count: Rows to choose; all where there are fewer.
        seed: Decides the draws.
    """
    doubts = _find_doubts(probabilities, task=task)
    lengths = _square(doubts) * _square(pools)
    random = np.random.default_rng(seed)
    chosen = [int(np.argmax(lengths))]
    distances = _distances(doubts, pools, lengths, chosen[0])
    while len(chosen) < min(count, len(pools)):
        distances[chosen] = 0
        total = distances.sum()
        if total > 0:
            chosen.append(int(random.choice(len(pools), p=distances / total)))
        else:  # the rest is like what is chosen
            rest = np.setdiff1d(np.arange(len(pools)), chosen)
            chosen.append(int(rest[np.argmax(lengths[rest])]))
        distances = np.minimum(distances, _distances(doubts, pools, lengths, chosen[-1]))
    return np.array(chosen, np.int64)


def _square(vectors: NDArray[np.float32]) -> Floats:
    """Return the squared length of each vector."""
    return np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)


def _find_doubts(probabilities: Probabilities, *, task: Task) -> NDArray[np.float32]:
    """Return the probabilities less what the likeliest decision would be, (texts, labels)."""
    doubts = probabilities.astype(np.float32)
    if task == "single_label":
        doubts[np.arange(len(doubts)), doubts.argmax(axis=1)] -= 1
        return doubts
    return doubts - (doubts > 0.5).astype(np.float32)


def _distances(
    doubts: NDArray[np.float32], states: NDArray[np.float32], lengths: Floats, row: int
) -> Floats:
    """Return the squared distance of each gradient from that of a row.

    A gradient is the outer product of doubt and state, so products of gradients are products of
    the products of their factors.
    """
    products = (doubts @ doubts[row]) * (states @ states[row])
    return np.maximum(lengths + lengths[row] - 2 * products, 0.0)
