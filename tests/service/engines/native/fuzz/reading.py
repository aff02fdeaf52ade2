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
    """

    probabilities: list[NDArray[np.float32]]
    after: State | None


def read(subject: Subject, batch: Batch) -> Answer:
    """Read texts.

    Raises:
        Fault: The call has changed what it reads.
    """
    with ExactMemory() as memory:
        inputs = _Inputs.of(batch, memory=memory)
        after, probabilities = _make_outputs(subject, batch, memory=memory)
        subject.library.read(
            subject.model.struct, inputs.struct(after=after, probabilities=probabilities)
        )
        inputs.check_unchanged()
        return Answer(
            probabilities=[
                probabilities[start:end].copy() for start, end in pairwise(inputs.look_begin)
            ],
            after=None if after is None else after.copy(),
        )


def refuse(subject: Subject, batch: Batch) -> None:
    """Read texts with an id that is not in the vocabulary.

    Raises:
        Fault: It is not refused, or the call has written something.
    """
    with ExactMemory() as memory:
        inputs = _Inputs.of(batch, memory=memory)
        after, probabilities = _make_outputs(subject, batch, memory=memory)
        struct = inputs.struct(after=after, probabilities=probabilities)
        try:
            subject.library.read(subject.model.struct, struct)
        except ValueError:
            written = [array for array in (after, probabilities) if array is not None]
            if any((array != UNWRITTEN).any() for array in written):
                raise Fault("a call that was refused has written something") from None
        else:
            raise Fault("an id that is not in the vocabulary was not refused")


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

    def struct(self, *, after: NDArray[Any] | None, probabilities: NDArray[Any]) -> TextsStruct:
        return TextsStruct(
            len(self.batch.rows),
            _address(self.ids),
            _address(self.begin),
            _address(self.before),
            _address(after),
            _address(self.looks),
            _address(self.look_begin),
            _address(probabilities),
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


def _make_outputs(
    subject: Subject, batch: Batch, *, memory: ExactMemory
) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    after = None
    if batch.wants_after:
        after = memory.empty((len(batch.rows), subject.state_size), np.float32)
        after[...] = UNWRITTEN
    looks = sum(map(len, batch.looks))
    probabilities = memory.empty((looks, subject.shape.labels), np.float32)
    probabilities[...] = UNWRITTEN
    return after, probabilities


def _join(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *arrays])


def _ends(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, arrays)], dtype=np.int64)


def _address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else int(array.__array_interface__["data"][0])
