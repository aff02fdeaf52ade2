"""Runs a version in C: cells, n-grams, pool and head, from ids to probabilities."""

from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.golden import TOLERANCE, Probabilities
from models.metadata import StateTensor
from models.tokenizer import Tokenizer
from models.versions import Version
from service.engines.native.layout import Precision, TextsStruct, address_of
from service.engines.native.library import Library, find_library
from service.engines.native.packing import PackedModel, pack
from service.engines.native.weights import Weights
from service.engines.native.words import Encoder
from service.engines.protocol import BatchState, Openings, TextState

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
        return self._read(rows, _ends(rows), before=None, after=None)

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        """See Engine."""
        before = self._join(state, texts=len(rows))
        after = np.empty_like(before)
        probabilities = self._read(rows, _ends(rows), before=before, after=after)
        return probabilities, self._split(after)

    def look(
        self, rows: Sequence[Row], state: BatchState | None, looks: Sequence[Sequence[int]]
    ) -> tuple[list[Probabilities], BatchState]:
        """See RaggedEngine."""
        before = None if state is None else self._join(state, texts=len(rows))
        after = np.empty((len(rows), self._state_size), np.float32)
        probabilities = self._read(rows, looks, before=before, after=after)
        ends = list(accumulate(map(len, looks)))
        return np.split(probabilities, ends[:-1]), self._split(after)

    def open_gates(self, ids: Row, state: TextState | None) -> Openings:
        """See GateEngine."""
        before = None
        if state is not None:
            alone = {tensor.name: state[tensor.name][None] for tensor in self._state}
            before = self._join(alone, texts=1)
        openings = np.empty((len(ids), *self._model.gates), np.float32)
        self._read([ids], [()], before=before, after=None, openings=openings)
        return openings

    def make_encoder(self, tokenizer: Tokenizer) -> Callable[[str], Row]:
        """See EncodingEngine."""
        return Encoder(tokenizer, library=self._library).encode

    def _join(self, state: BatchState, *, texts: int) -> States:
        joined = np.empty((texts, self._state_size), np.float32)
        for tensor, place in zip(self._state, self._places, strict=True):
            joined[:, place] = state[tensor.name].reshape(texts, -1)
        return joined

    def _split(self, joined: States) -> BatchState:
        return {
            tensor.name: joined[:, place].reshape(-1, *tensor.shape)
            for tensor, place in zip(self._state, self._places, strict=True)
        }

    def _read(
        self,
        rows: Sequence[Row],
        looks: Sequence[Sequence[int]],
        *,
        before: States | None,
        after: States | None,
        openings: Openings | None = None,
    ) -> Probabilities:
        """Return the probabilities at all looks, one text after the other; write the others."""
        ids = np.concatenate([np.asarray(row, np.int32) for row in rows])
        wanted = np.concatenate([np.asarray(each, np.int64) for each in looks])
        begin, look_begin = _begin(rows), _begin(looks)
        probabilities = np.empty((len(wanted), self._model.struct.labels), np.float32)
        texts = TextsStruct(
            len(rows),
            address_of(ids),
            address_of(begin),
            None if before is None else address_of(before),
            None if after is None else address_of(after),
            address_of(wanted),
            address_of(look_begin),
            address_of(probabilities),
            None if openings is None else address_of(openings),
        )
        self._library.read(self._model.struct, texts)
        return probabilities


def _ends(rows: Sequence[Row]) -> list[tuple[int]]:
    """Return the looks for the ends of texts alone."""
    return [(len(row),) for row in rows]


def _begin(parts: Sequence[Row]) -> NDArray[np.int64]:
    """Return where each part begins among all, and where the last ends, (parts + 1,)."""
    return np.array([0, *accumulate(map(len, parts))], np.int64)
