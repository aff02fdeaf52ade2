"""Adding: the sum of the two numbers of a sequence that are marked.

A step is a number, uniform from -1 to 1, and a mark, 0 or 1. The first mark is `lag` steps before
the end, and the second is anywhere after it. The state has to hold a value, not a symbol, and
ignore all others.

Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997, experiment
4. They ask for 0.5 + sum / 4 and count an error below 0.04 as right, which is 0.16 of the sum.
Their first mark is among the first ten steps, the second in the first half. Range and tolerance are
the same here. The place of the second mark, and the steps before the first one, are different.
"""

import numpy as np

from training.comparison.tasks.task import Drawn, Lags, Number, Task

TOLERANCE = 4 * 0.04


def draw(random: np.random.Generator, lags: Lags, longest: int) -> Drawn:
    """Return sequences of longest + 1 steps (value, mark), the first mark `lags` before the end."""
    count = len(lags)
    rows = np.arange(count)
    values = random.uniform(-1.0, 1.0, (count, longest + 1)).astype(np.float32)
    marks = np.zeros_like(values)
    marks[rows, longest - lags] = 1.0
    marks[rows, longest - random.integers(0, lags)] = 1.0  # before the first: never the same
    return Drawn(np.stack([values, marks], axis=-1), (values * marks).sum(axis=1))


ADDING = Task(
    name="adding",
    about="Two numbers of a sequence are marked, the first of them so many steps ago; their sum?",
    source="Hochreiter & Schmidhuber 1997, experiment 4",
    features=2,
    answer=Number(TOLERANCE),
    # The sum of two uniform numbers is triangular from -2 to 2; 0 is the best guess.
    chance=TOLERANCE - TOLERANCE**2 / 4,
    lags=(10, 30, 100, 300),
    draw=draw,
)
