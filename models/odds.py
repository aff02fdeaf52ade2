"""Log-odds, in which contributions add up."""

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from models.metadata import Task

LEAST = 1e-12  # of a probability; what a 32-bit float rounds to nothing is not impossible


def log_odds(probabilities: Probabilities, label: int, *, task: Task) -> NDArray[np.float64]:
    """Return ln(p / (1 - p)) of one label, shape (rows,).

    Where labels exclude each other 1 - p is the sum of the others, which keeps its digits where p
    is rounded to 1.

    Args:
        probabilities: Shape (rows, labels).
        label: Which.
        task: Whether labels exclude each other.
    """
    wanted = probabilities[:, label].astype(np.float64)
    others = 1 - wanted
    if task == "single_label":
        others = np.delete(probabilities, label, axis=1).astype(np.float64).sum(axis=1)
    return log_ratio(wanted, others)


def log_ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln(one / other) of probabilities, finite where they are 0."""
    ratio: NDArray[np.float64] = np.log(np.maximum(one, LEAST)) - np.log(np.maximum(other, LEAST))
    return ratio
