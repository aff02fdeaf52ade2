"""From logits to probabilities, and back to softer ones."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from models.golden import Probabilities
from models.metadata import Task

Logits = NDArray[np.float32]
"""Shape (rows, labels)."""


def to_probabilities(logits: Logits, *, task: Task) -> Probabilities:
    """Return probabilities (rows, labels): softmax for single label, else sigmoid per label."""
    probabilities: Probabilities = (
        softmax(logits, axis=1) if task == "single_label" else expit(logits)
    )
    return probabilities


def temper(probabilities: Probabilities, *, temperature: float, task: Task) -> Probabilities:
    """Return the probabilities for logits divided by `temperature`."""
    if task == "multi_label":
        return expit(logit(probabilities) / temperature)
    tempered: Probabilities = probabilities ** (1 / temperature)
    return tempered / tempered.sum(axis=1, keepdims=True)


def doubt(degrees: Probabilities, *, like: Probabilities, task: Task) -> Probabilities:
    """Return degrees of 0 and 1, softened to the mean doubt of other degrees.

    Args:
        degrees: 0 or 1, shape (rows, labels).
        like: The other degrees, shape (other rows, labels).
        task: Whether labels exclude each other.
    """
    if task == "multi_label":
        doubted = np.minimum(like, 1 - like).mean()
        return np.abs(degrees - doubted)
    doubted = 1 - like.max(axis=1).mean()
    others = doubted / (degrees.shape[1] - 1)
    return np.where(degrees == 1, 1 - doubted, others).astype(np.float32)
