"""The protocol of all engines."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.errors import GatewiseError
from models.golden import Probabilities
from models.metadata import StateTensor
from models.tokenizer import Tokenizer

BatchState = dict[str, NDArray[np.float32]]
"""The state tensors of a batch by name, each of shape (batch, *its own shape)."""
TextState = dict[str, NDArray[np.float32]]
"""The state tensors of one text by name."""


Openings = NDArray[np.float32]
"""Mean opening of each gate at each id, by layer, (ids, layers, gates)."""


class EngineUnavailable(GatewiseError):
    """The engine is not installed here, or does not know this kind of version; another may."""


class Engine(Protocol):
    """Computes probabilities. Several threads may call it at the same time."""

    @property
    def name(self) -> str:
        """The engine's name in settings, answers and metrics."""

    @property
    def tolerance(self) -> float:
        """Largest error of a golden probability that its arithmetic explains."""

    def predict(self, rows: Sequence[Row]) -> Probabilities:
        """Return probabilities (texts, labels) of whole texts of ids; one may be empty."""

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        """Read ids of each text on from `state`; return probabilities and the next state."""


@runtime_checkable
class RaggedEngine(Engine, Protocol):
    """Reads texts of unlike length in one call without padding, and looks at them midway.

    Other engines pad texts to the longest, and take a call for each look.
    """

    def look(
        self, rows: Sequence[Row], state: BatchState | None, looks: Sequence[Sequence[int]]
    ) -> tuple[list[Probabilities], BatchState]:
        """Read ids of each text on from `state`, and look at each text several times.

        Args:
            rows: Ids of each text.
            state: State of the texts before; None at their starts.
            looks: For each text the numbers of these ids, rising, after which to look.

        Returns:
            The probabilities (looks, labels) of each text, and the state after all ids.
        """


@runtime_checkable
class GateEngine(Protocol):
    """Shows how far the gates open. Several threads may call it at the same time."""

    def open_gates(self, ids: Row, state: TextState | None) -> Openings:
        """Return the openings while ids are read on from a state; None is that of the start."""


@runtime_checkable
class EncodingEngine(Protocol):
    """Turns texts into ids faster than a tokenizer does."""

    def make_encoder(self, tokenizer: Tokenizer) -> Callable[[str], Row]:
        """Return what gives the ids of a text, the same as the tokenizer's."""


def initial_state(tensors: tuple[StateTensor, ...], *, batch: int) -> BatchState:
    """Return the state of `batch` texts before their first token."""
    return {
        tensor.name: np.full((batch, *tensor.shape), tensor.fill, np.float32) for tensor in tensors
    }
