"""Runs a version in C: cells, n-grams, pool and head, from ids to probabilities."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.golden import TOLERANCE, Probabilities
from models.metadata import StateTensor
from models.versions import Version
from service.engines.native.layout import Precision, TextsStruct
from service.engines.native.library import Library, find_library
from service.engines.native.packing import PackedModel, pack
from service.engines.native.weights import Weights
from service.engines.protocol import BatchState

TOLERANCES: dict[Precision, float] = {"int16": 5e-4, "int8": 2e-2, "float32": TOLERANCE}

States = NDArray[np.float32]
"""Shape (texts, numbers of all state tensors), the tensors in the order of the metadata."""


class NativeEngine:
    """The weights of a version, packed for a library.

    A call computes in the thread that makes it. Texts of a call are read together, whatever their
    lengths, and each gets the same bits alone, in company, and cut into pieces.

    Args:
        model: The packed weights.
        library: What computes.
        state: The state tensors of the version's metadata.
    """

    name = "native"

    def __init__(
        self, model: PackedModel, *, library: Library, state: tuple[StateTensor, ...]
    ) -> None:
        self.tolerance = TOLERANCES[model.precision]
        self._model = model
        self._library = library
        self._state = state
        sizes = [int(np.prod(tensor.shape)) for tensor in state]
        self._places = [
            slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)
        ]
        self._state_size = sum(sizes)

    @classmethod
    def load(
        cls, version: Version, *, precision: Precision = "int16", library: Library | None = None
    ) -> "NativeEngine":
        """Return the engine of a version.

        Raises:
            EngineUnavailable: There is no library, or the version is of another kind.
            VersionCorrupt: The files of the version are damaged.
        """
        library = library or find_library()
        model = pack(Weights.of(version), lanes=library.lanes, precision=precision)
        return cls(model, library=library, state=version.metadata.state)

    def predict(self, rows: Sequence[Row]) -> Probabilities:
        """See Engine."""
        return self._read(rows, before=None, after=None)

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        """See Engine."""
        before = np.empty((len(rows), self._state_size), np.float32)
        for tensor, place in zip(self._state, self._places, strict=True):
            before[:, place] = state[tensor.name].reshape(len(rows), -1)
        after = np.empty_like(before)
        probabilities = self._read(rows, before=before, after=after)
        return probabilities, {
            tensor.name: after[:, place].reshape(-1, *tensor.shape)
            for tensor, place in zip(self._state, self._places, strict=True)
        }

    def _read(
        self, rows: Sequence[Row], *, before: States | None, after: States | None
    ) -> Probabilities:
        """Read texts to their ends; `after` is written."""
        count = len(rows)
        ids = np.concatenate([np.asarray(row, np.int32) for row in rows])
        looks = np.fromiter(map(len, rows), np.int64, count)
        begin = np.zeros(count + 1, np.int64)
        np.cumsum(looks, out=begin[1:])
        look_begin = np.arange(count + 1)
        probabilities = np.empty((count, self._model.struct.labels), np.float32)
        texts = TextsStruct(
            count,
            _address(ids),
            _address(begin),
            None if before is None else _address(before),
            None if after is None else _address(after),
            _address(looks),
            _address(look_begin),
            _address(probabilities),
        )
        self._library.read(self._model.struct, texts)
        return probabilities


def _address(array: NDArray[np.generic]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
