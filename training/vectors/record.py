"""What a source of word vectors says of itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError


class VectorsError(TrainingError):
    """A source of vectors cannot be found, read or used."""


@dataclass(frozen=True, kw_only=True)
class VectorRecord:
    """Where vectors come from.

    Args:
        name: File, folder or Hub id; a path is cut to its last part.
        revision: Commit at the Hub; None for local files.
        sha256: Hash of all files that decide the vectors.
        license: As the source names it; None where it names none.
    """

    name: str
    revision: str | None
    sha256: str
    license: str | None

    @property
    def title(self) -> str:
        """Its name, with its licence if it names one."""
        return f"{self.name} ({self.license})" if self.license else self.name


class VectorSource(Protocol):
    """Gives vectors of words."""

    record: VectorRecord

    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of words, shape (words, width), and whether each is known."""


def check_finite(vectors: NDArray[np.float32], *, source: str) -> None:
    """Raise VectorsError if any number is none."""
    if not np.isfinite(vectors).all():
        raise VectorsError(f"{source} holds vectors that are no numbers (NaN or infinity)")
