"""What every source of vectors can do."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.provenance import Provenance


class VectorsError(TrainingError):
    """A source of vectors cannot be found, read or used."""


class VectorSource(Protocol):
    """Gives vectors of words."""

    record: Provenance

    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of words, shape (words, width), and whether each is known."""


def check_finite(vectors: NDArray[np.float32], *, source: str) -> None:
    """Raise VectorsError if any number is none."""
    if not np.isfinite(vectors).all():
        raise VectorsError(f"{source} holds vectors that are no numbers (NaN or infinity)")
