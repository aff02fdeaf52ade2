"""The protocol of all engines."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.batching import Ids
from models.golden import Probabilities
from models.metadata import StateTensor

BatchState = dict[str, NDArray[np.float32]]
"""The state tensors of a batch by name, each of shape (batch, *its own shape)."""
TextState = dict[str, NDArray[np.float32]]
"""The state tensors of one text by name."""


class Engine(Protocol):
    """Computes probabilities. Several threads may call it at the same time."""

    @property
    def name(self) -> str:
        """The engine's name in settings, answers and metrics."""

    def predict(self, ids: Ids) -> Probabilities:
        """Return probabilities (batch, labels) of whole texts, ids (batch, time)."""

    def step(self, ids: Ids, state: BatchState) -> tuple[Probabilities, BatchState]:
        """Read ids (batch, time) from `state`; return probabilities and the next state.

        A row of padding does not change its state.
        """


def initial_state(tensors: tuple[StateTensor, ...], *, batch: int) -> BatchState:
    """Return the state of `batch` texts before their first token."""
    return {
        tensor.name: np.full((batch, *tensor.shape), tensor.fill, np.float32) for tensor in tensors
    }
