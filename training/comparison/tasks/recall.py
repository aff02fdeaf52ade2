"""Delayed recall: name the symbol before a number of distractors.

A sequence consists of random distractors and one symbol, `lag` steps before the end. Three bits of
a state are enough, but they must survive every following step.

Source: with this task Bengio, Simard & Frasconi, "Learning Long-Term Dependencies with Gradient
Descent is Difficult", IEEE Transactions on Neural Networks 5, 1994, show that errors vanish in a
state that latches. Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997,
experiment 2, use symbols and random distractors. Here are eight symbols and eight distractors, and
in training the symbol comes anywhere.
"""

import numpy as np

from training.comparison.tasks.task import Drawn, Lags, Symbol, Task

SYMBOLS = 8
DISTRACTORS = 8


def draw(random: np.random.Generator, lags: Lags, longest: int) -> Drawn:
    """Return sequences of longest + 1 symbols, one-hot, with the asked symbol `lags` ago."""
    count = len(lags)
    symbols = random.integers(SYMBOLS, SYMBOLS + DISTRACTORS, (count, longest + 1))
    answers = random.integers(0, SYMBOLS, count)
    symbols[np.arange(count), longest - lags] = answers
    return Drawn(np.eye(SYMBOLS + DISTRACTORS, dtype=np.float32)[symbols], answers.astype(np.int32))


RECALL = Task(
    name="recall",
    about="One of eight symbols is shown, then so many distracting ones; which was it?",
    source="Bengio, Simard & Frasconi 1994; Hochreiter & Schmidhuber 1997, experiment 2",
    features=SYMBOLS + DISTRACTORS,
    answer=Symbol(SYMBOLS),
    chance=1 / SYMBOLS,
    lags=(10, 30, 100, 300),
    draw=draw,
)
