"""Memory tasks: sequences whose answer requires their beginning.

The answer is read from the last state alone, so a network has to carry it to the end. The lag of a
task is the distance. A network is judged at that lag only. In training each sequence has its own
lag, drawn up to that one, because texts have all lengths.

This choice matters. If every sequence has the full lag, a GRU and an LSTM with Keras's first
weights about halve their contents at each step. Their error then says nothing about distant steps:
in recall over 30 steps they reached 15 and 28 % after 600 steps. The simple cell, whose recurrent
weights start orthogonal, reached 100 % after 150. With lags of all lengths, each of the three
learns the short ones first and then longer ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Lags = NDArray[np.int64]
"""Shape (sequences,)."""


class Drawn(NamedTuple):
    """Sequences and their answers.

    Args:
        inputs: float32 of shape (sequences, time, features).
        answers: Shape (sequences,): int32 for a symbol, float32 for a number.
    """

    inputs: NDArray[np.float32]
    answers: NDArray[Any]


@dataclass(frozen=True)
class Symbol:
    """An answer that is one of `count` symbols; the network returns their logits."""

    count: int

    @property
    def outputs(self) -> int:
        """Numbers that the network gives."""
        return self.count

    def right(self, outputs: NDArray[np.float32], answers: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return whether the answer has the largest of the outputs (sequences, count)."""
        right: NDArray[np.bool_] = outputs.argmax(axis=1) == answers
        return right


@dataclass(frozen=True)
class Number:
    """An answer that is a number; outputs within `tolerance` of it are right."""

    tolerance: float

    @property
    def outputs(self) -> int:
        """Numbers that the network gives."""
        return 1

    def right(
        self, outputs: NDArray[np.float32], answers: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Return whether each output (sequences, 1) is within the tolerance."""
        right: NDArray[np.bool_] = np.abs(outputs[:, 0] - answers) < self.tolerance
        return right


@dataclass(frozen=True, kw_only=True)
class Task:
    """A memory task.

    Args:
        name: Name in files and on the command line.
        about: The question in one sentence for readers.
        source: Its source in the literature.
        features: Numbers in a step of a sequence.
        answer: The kind of answer.
        chance: Share of right answers from the best fixed answer.
        lags: Lags of the curve.
        draw: Draws sequences from a generator, the lag of each (sequences,) and the longest lag.
            All have the length that the longest lag needs, and end together.
    """

    name: str
    about: str
    source: str
    features: int
    answer: Symbol | Number
    chance: float
    lags: tuple[int, ...]
    draw: Callable[[np.random.Generator, Lags, int], Drawn]


def draw_lags(random: np.random.Generator, *, count: int, longest: int) -> Lags:
    """Return lags from 1 to the longest; their logarithm is uniform."""
    drawn = np.exp(random.uniform(0.0, np.log(longest + 1.0), count)).astype(np.int64)
    return np.minimum(drawn, longest)  # rounding may exceed it
