"""One call of the library, with every array in memory of exactly its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.engines.native.layout import TextsStruct
from tests.service.engines.native.fuzz.batches import Batch, State
from tests.service.engines.native.fuzz.memory import ExactMemory
from tests.service.engines.native.fuzz.subjects import Subject

UNWRITTEN = -12_345.0
"""What outputs hold before a call. No probability is negative."""


class Fault(AssertionError):
    """The library did what it must not do."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a call wrote.

    Args:
        probabilities: Of each text, (looks, labels).
        after: State after each text, (texts, state); None if it was not wanted.
        gates: Openings of each text, (ids, layers, gates); None if they were not wanted.
    """

    probabilities: list[NDArray[np.float32]]
    after: State | None
    gates: list[NDArray[np.float32]] | None


def read(subject: Subject, batch: Batch) -> Answer:
    """Read texts.

    Raises:
        Fault: The call has changed what it reads.
    """
    with ExactMemory() as memory:
        inputs = _Inputs.of(batch, memory=memory)
        outputs = _Outputs.make(subject, batch, memory=memory)
        subject.library.read(subject.model.struct, inputs.struct(outputs))
        inputs.check_unchanged()
        return Answer(
            probabilities=_part(outputs.probabilities, inputs.look_begin),
            after=None if outputs.after is None else outputs.after.copy(),
            gates=None if outputs.gates is None else _part(outputs.gates, inputs.begin),
        )


def refuse(subject: Subject, batch: Batch) -> None:
    """Read texts with an id that is not in the vocabulary.

    Raises:
        Fault: It is not refused, or the call has written something.
    """
    with ExactMemory() as memory:
        inputs = _Inputs.of(batch, memory=memory)
        outputs = _Outputs.make(subject, batch, memory=memory)
        try:
            subject.library.read(subject.model.struct, inputs.struct(outputs))
        except ValueError:
            if outputs.written:
                raise Fault("a call that was refused has written something") from None
        else:
            raise Fault("an id that is not in the vocabulary was not refused")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Outputs:
    probabilities: NDArray[np.float32]
    after: NDArray[np.float32] | None
    gates: NDArray[np.float32] | None

    @classmethod
    def make(cls, subject: Subject, batch: Batch, *, memory: ExactMemory) -> "_Outputs":
        def empty(*shape: int) -> NDArray[np.float32]:
            array = memory.empty(shape, np.float32)
            array[...] = UNWRITTEN
            return array

        return cls(
            probabilities=empty(sum(map(len, batch.looks)), subject.shape.labels),
            after=empty(len(batch.rows), subject.state_size) if batch.wants_after else None,
            gates=empty(batch.tokens, *subject.model.gates) if batch.wants_gates else None,
        )

    @property
    def written(self) -> bool:
        arrays = (self.probabilities, self.after, self.gates)
        return any((array != UNWRITTEN).any() for array in arrays if array is not None)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Inputs:
    batch: Batch
    ids: NDArray[np.int32]
    begin: NDArray[np.int64]
    before: State | None
    looks: NDArray[np.int64]
    look_begin: NDArray[np.int64]

    @classmethod
    def of(cls, batch: Batch, *, memory: ExactMemory) -> "_Inputs":
        return cls(
            batch=batch,
            ids=memory.copy(_join(batch.rows, np.int32)),
            begin=memory.copy(_ends(batch.rows)),
            before=None if batch.before is None else memory.copy(batch.before),
            looks=memory.copy(_join(batch.looks, np.int64)),
            look_begin=memory.copy(_ends(batch.looks)),
        )

    def struct(self, outputs: _Outputs) -> TextsStruct:
        return TextsStruct(
            len(self.batch.rows),
            _address(self.ids),
            _address(self.begin),
            _address(self.before),
            _address(outputs.after),
            _address(self.looks),
            _address(self.look_begin),
            _address(outputs.probabilities),
            _address(outputs.gates),
        )

    def check_unchanged(self) -> None:
        pairs: list[tuple[NDArray[Any], NDArray[Any]]] = [
            (self.ids, _join(self.batch.rows, np.int32)),
            (self.begin, _ends(self.batch.rows)),
            (self.looks, _join(self.batch.looks, np.int64)),
            (self.look_begin, _ends(self.batch.looks)),
        ]
        if self.before is not None and self.batch.before is not None:
            pairs.append((self.before, self.batch.before))
        for now, given in pairs:
            if now.tobytes() != given.tobytes():
                raise Fault("a call has changed what it reads")


def _part(array: NDArray[np.float32], ends: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    return [array[start:end].copy() for start, end in pairwise(ends)]


def _join(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *arrays])


def _ends(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, arrays)], dtype=np.int64)


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else int(array.__array_interface__["data"][0])
