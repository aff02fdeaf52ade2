"""What a memory task is: sequences that can only be answered by who remembers their beginning.

The answer is read from the last state alone, so all that is needed of a sequence has to be carried
to its end. The lag of a task says how far. A network is judged at that lag and nothing else, but
while it learns each sequence has a lag of its own, drawn up to that one, as texts are of all
lengths. That is a choice which decides much. Where every sequence has the full lag, a GRU and an
LSTM as Keras starts them halve what they hold, or nearly, at each step, so that their error says
nothing of what was long ago: asked to recall a symbol over 30 steps they got 15 and 28 % right
after 600 steps, and the simple cell, whose recurrent weights start orthogonal, all of them after
150. With lags of all lengths each of the three learns the short ones first and goes on from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Lags = NDArray[np.int64]
"""Shape (sequences,)."""


class Drawn(NamedTuple):
    """Sequences and what is right about them.

    Args:
        inputs: float32 of shape (sequences, time, features).
        answers: Shape (sequences,): int32 of a task that asks for a symbol, else float32.
    """

    inputs: NDArray[np.float32]
    answers: NDArray[Any]


@dataclass(frozen=True)
class Symbol:
    """An answer that is one of `count` symbols; the network gives the logits of each."""

    count: int

    @property
    def outputs(self) -> int:
        """Numbers that the network gives."""
        return self.count

    def right(self, outputs: NDArray[np.float32], answers: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return which outputs (sequences, count) are largest where they should be."""
        right: NDArray[np.bool_] = outputs.argmax(axis=1) == answers
        return right


@dataclass(frozen=True)
class Number:
    """An answer that is a number; one nearer to it than `tolerance` is right."""

    tolerance: float

    @property
    def outputs(self) -> int:
        """Numbers that the network gives."""
        return 1

    def right(
        self, outputs: NDArray[np.float32], answers: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Return which outputs (sequences, 1) are near enough."""
        right: NDArray[np.bool_] = np.abs(outputs[:, 0] - answers) < self.tolerance
        return right


@dataclass(frozen=True, kw_only=True)
class Task:
    """A memory task.

    Args:
        name: In files and on the command line.
        about: One sentence for readers: what is asked.
        source: The literature that it is from.
        features: Numbers of a step of a sequence.
        answer: What is asked for, and when it is right.
        chance: Share of right answers of who has read nothing and gives the best fixed answer.
        lags: Those of the curve.
        draw: From a generator, the lag of each sequence (sequences,) and the longest that there is
            to sequences; all are as long as the longest lag needs and end together.
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
    """Return lags from 1 to the longest, as many short as long ones: their logarithm is uniform."""
    drawn = np.exp(random.uniform(0.0, np.log(longest + 1.0), count)).astype(np.int64)
    return np.minimum(drawn, longest)  # which rounding might have passed
