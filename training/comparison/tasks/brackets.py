"""Brackets: whether each opening bracket is closed.

Half of the strings are well nested; all such strings of a length are equally likely. In the other
half one bracket is reversed, so that they end two levels too high or too low. Only exact counting
to the end solves the task. `lag` is the number of brackets. Shorter strings start later, after
empty steps.

Source: an LSTM learns to count (Gers & Schmidhuber, "LSTM Recurrent Networks Learn Simple
Context-Free and Context-Sensitive Languages", IEEE Transactions on Neural Networks 12, 2001). It
counts without bound, unlike a GRU or a simple cell with their bounded states (Weiss, Goldberg &
Yahav, "On the Practical Computational Power of Finite Precision RNNs for Language Recognition", ACL
2018).
"""

import numpy as np
from numpy.typing import NDArray

from training.comparison.tasks.task import Drawn, Lags, Symbol, Task

OPEN, CLOSE = 1, -1


def draw(random: np.random.Generator, lags: Lags, longest: int) -> Drawn:
    """Return strings (opens, closes) of `longest` steps, `lags` of which are brackets at the end.

    The answer is 1 for a well nested string, else 0. An odd lag counts as the next even one.

    Raises:
        ValueError: `longest` is odd.
    """
    if longest % 2:
        raise ValueError(f"brackets come in pairs, so the longest lag must be even, not {longest}")
    lags = lags + lags % 2
    answers = random.integers(0, 2, len(lags))
    steps = np.zeros((len(lags), longest), np.int64)
    for length in np.unique(lags):
        rows = np.flatnonzero(lags == length)
        steps[rows, longest - length :] = draw_nested(random, count=len(rows), length=int(length))
    broken = np.flatnonzero(answers == 0)
    steps[broken, longest - 1 - random.integers(0, lags[broken])] *= -1
    inputs = np.stack([steps == OPEN, steps == CLOSE], axis=-1)
    return Drawn(inputs.astype(np.float32), answers.astype(np.int32))


def draw_nested(random: np.random.Generator, *, count: int, length: int) -> NDArray[np.int64]:
    """Return well nested strings (count, length) of `OPEN` and `CLOSE`, all equally likely.

    Among the rotations of a string with one extra `CLOSE`, exactly one is a well nested string
    followed by a `CLOSE`. It starts where the depth first reaches its minimum.

    Source: the cycle lemma of Dvoretzky & Motzkin, "A Problem of Arrangements", Duke Mathematical
    Journal 14, 1947.
    """
    pairs = length // 2
    one_too_many = np.repeat([OPEN, CLOSE], [pairs, pairs + 1])
    shuffled = random.permuted(np.tile(one_too_many, (count, 1)), axis=1)
    lowest = shuffled.cumsum(axis=1).argmin(axis=1)
    turned = (lowest[:, None] + 1 + np.arange(length)) % (length + 1)
    return np.take_along_axis(shuffled, turned, axis=1)


BRACKETS = Task(
    name="brackets",
    about="So many brackets, nested at any depth; is each one that opens closed?",
    source="Gers & Schmidhuber 2001; Weiss, Goldberg & Yahav 2018",
    features=2,
    answer=Symbol(2),
    chance=1 / 2,
    lags=(10, 30, 100, 300),
    draw=draw,
)
