"""Measures one point of a curve: a small network of one cell learns a task at one lag.

Conditions are the same for all cells: width, rate, steps, and the very sequences. Layers start as
Keras has them: the LSTM with a forget bias of 1 (Jozefowicz, Zaremba & Sutskever, "An Empirical
Exploration of Recurrent Network Architectures", ICML 2015), and all three with orthogonal recurrent
weights (Saxe, McClelland & Ganguli, "Exact Solutions to the Nonlinear Dynamics of Learning in Deep
Linear Neural Networks", ICLR 2014), without which the simple cell of the older literature began.

One rate serves all tasks. Of those tried at the lag of 100 with one seed, mean of the three cells:

            recall   adding   brackets
    3e-3      0.83     0.44       0.66
    1e-2      1.00     0.61       0.66
    2e-2      0.97     0.52       0.83      a GRU gains most; an LSTM loses in adding
"""

import math
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from training.comparison.tasks.task import Drawn, Number, Symbol, Task, draw_lags
from training.fitting.optimizer import AdamW, make_rate
from training.network.recurrence import KERAS_LAYERS
from training.settings import Cell

UNITS = 32
BATCH = 32
STEPS = 1_000  # at most
ROUND = 50  # steps from one check to the next
LEARNING_RATE = 1e-2  # highest
WARMUP_SHARE = 0.05  # of all steps
CHECKED = 512  # sequences that say whether to stop
JUDGED = 1_000  # sequences that the accuracy is of
SOLVED = 0.99  # right of those checked

RoundObserver = Callable[[int, float], None]
"""Told after each round the steps taken and the share right of the sequences checked."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of a curve.

    Args:
        task: Name of the task.
        cell: Recurrent cell.
        lag: Steps over which something had to be remembered.
        seed: Of the first weights and of what was learned from.
        accuracy: Share right of `JUDGED` sequences at this lag, the same for all cells and seeds;
            0 where the fit failed.
        steps: Steps taken.
        seconds: Time they took, with that of compiling and judging.
        solved: Whether it stopped because nearly all sequences checked were right.
        failed: Whether it stopped because the loss was no longer a number.
    """

    task: str
    cell: Cell
    lag: int
    seed: int
    accuracy: float
    steps: int
    seconds: float
    solved: bool
    failed: bool


def run_point(
    task: Task,
    *,
    cell: Cell,
    lag: int,
    seed: int,
    steps: int = STEPS,
    watch: RoundObserver = lambda steps, accuracy: None,
) -> Point:
    """Learn a task and return how well it went, the same each time but for the seconds.

    Sets the seed of Keras; operations have to be deterministic already.

    Args:
        task: The task.
        cell: Recurrent cell.
        lag: Steps over which something has to be remembered.
        seed: Of the first weights and of what is learned from.
        steps: Steps at most.
        watch: Called after each round; what it raises ends the point, and nothing is kept.
    """
    started = time.perf_counter()
    learner = _Learner(task, cell=cell, seed=seed, steps=steps)
    checked = draw_fixed(task, "check", count=CHECKED, lag=lag)
    taken, solved, failed = 0, False, False
    for drawn in _draw_rounds(task, lag=lag, seed=seed, steps=steps):
        failed = not math.isfinite(learner.learn(drawn))
        taken += len(drawn.answers) // BATCH
        accuracy = learner.judge(checked)
        solved = accuracy >= SOLVED and not failed
        watch(taken, accuracy)
        if solved or failed:
            break
    judged = draw_fixed(task, "test", count=JUDGED, lag=lag)
    return Point(
        task=task.name,
        cell=cell,
        lag=lag,
        seed=seed,
        accuracy=0.0 if failed else learner.judge(judged),
        steps=taken,
        seconds=round(time.perf_counter() - started, 1),
        solved=solved,
        failed=failed,
    )


def draw_fixed(task: Task, purpose: str, *, count: int, lag: int) -> Drawn:
    """Return sequences of a task, all at one lag, that are always the same for a purpose."""
    return task.draw(_generator(task.name, purpose, lag), np.full(count, lag), lag)


def _draw_rounds(task: Task, *, lag: int, seed: int, steps: int) -> Iterator[Drawn]:
    """Yield the sequences of each round of steps: other ones for each seed, the same for cells."""
    random = _generator(task.name, "learn", lag, seed)
    for start in range(0, steps, ROUND):
        count = min(ROUND, steps - start) * BATCH
        yield task.draw(random, draw_lags(random, count=count, longest=lag), lag)


def _generator(*identity: str | int) -> np.random.Generator:
    """Return a generator whose draws follow from what they are for."""
    return np.random.default_rng(
        [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in identity]
    )


class _Learner:
    """A network of one layer, whose last state a dense layer reads, and how it learns."""

    def __init__(self, task: Task, *, cell: Cell, seed: int, steps: int) -> None:
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((None, task.features))
        states = KERAS_LAYERS[cell](UNITS)(inputs)
        self._network = keras.Model(inputs, keras.layers.Dense(task.answer.outputs)(states))
        self._answer = task.answer
        self._optimizer = AdamW(
            self._network.trainable_variables,
            rate=make_rate(LEARNING_RATE, steps=steps, warmup=math.ceil(WARMUP_SHARE * steps)),
        )
        # Compiled for the one length that there is: about half the time of a loop in TensorFlow.
        self._step = tf.function(self._learn_batch, autograph=False, jit_compile=True)
        read = [tf.TensorSpec(inputs.shape, tf.float32)]
        self._infer = tf.function(self._network, input_signature=read, autograph=False)

    def learn(self, drawn: Drawn) -> float:
        """Take a step with each batch of the sequences and return the last one's loss."""
        loss = math.nan
        for start in range(0, len(drawn.answers), BATCH):
            batch = slice(start, start + BATCH)
            loss = self._step(drawn.inputs[batch], drawn.answers[batch])
        return float(loss)

    def judge(self, drawn: Drawn) -> float:
        """Return the share of the sequences that are answered right."""
        outputs = self._infer(drawn.inputs).numpy()
        return float(self._answer.right(outputs, drawn.answers).mean())

    def _learn_batch(self, inputs: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = _loss(self._network(inputs, training=True), answers, answer=self._answer)
        self._optimizer.apply(tape.gradient(loss, self._network.trainable_variables))
        return loss


def _loss(outputs: tf.Tensor, answers: tf.Tensor, *, answer: Symbol | Number) -> tf.Tensor:
    """Return the mean loss of outputs (sequences, outputs): log loss or squared error."""
    if isinstance(answer, Symbol):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=answers, logits=outputs)
    else:
        losses = tf.square(outputs[:, 0] - answers)
    return tf.reduce_mean(losses)
