"""Measures one point of a curve: a small network of one cell learns a task at one lag.

Conditions are the same for all cells: width, rate, steps, and sequences. Layers start with Keras's
defaults. The LSTM has a forget bias of 1 (Jozefowicz, Zaremba & Sutskever, "An Empirical
Exploration of Recurrent Network Architectures", ICML 2015). All three have orthogonal recurrent
weights (Saxe, McClelland & Ganguli, "Exact Solutions to the Nonlinear Dynamics of Learning in Deep
Linear Neural Networks", ICLR 2014). The simple cell of the older literature lacks them.

One rate serves all tasks. Accuracy by rate, at a lag of 100, one seed, mean of the three cells:

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
ROUND = 50  # steps between two checks
LEARNING_RATE = 1e-2  # highest
WARMUP_SHARE = 0.05  # of all steps
CHECKED = 512  # sequences of a check
JUDGED = 1_000  # sequences of the accuracy
SOLVED = 0.99  # share of right answers in a check that ends the point

RoundObserver = Callable[[int, float], None]
"""Takes the number of steps and the share of right answers of the check after each round."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of a curve.

    Args:
        task: Name of the task.
        cell: Recurrent cell.
        lag: Steps that the answer had to be remembered over.
        seed: Seed of the first weights and of the training sequences.
        accuracy: Share of right answers for `JUDGED` sequences at this lag, the same for all cells
            and seeds; 0 where the fit failed.
        steps: Number of steps.
        seconds: Time of the steps, of compiling and of judging.
        solved: Whether it ended because nearly all checked sequences were right.
        failed: Whether it ended because the loss was no longer a number.
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
    """Learn a task and return its point, which is reproducible except for the seconds.

    Sets the seed of Keras. Operations must be deterministic already.

    Args:
        task: The task.
        cell: Recurrent cell.
        lag: Steps that the answer has to be remembered over.
        seed: Seed of the first weights and of the training sequences.
        steps: Steps at most.
        watch: Called after each round. Its exceptions end the point without a result.
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
    """Return sequences of a task at one lag, always the same for a purpose."""
    return task.draw(_generator(task.name, purpose, lag), np.full(count, lag), lag)


def _draw_rounds(task: Task, *, lag: int, seed: int, steps: int) -> Iterator[Drawn]:
    """Yield the sequences of each round; they differ by seed and are the same for all cells."""
    random = _generator(task.name, "learn", lag, seed)
    for start in range(0, steps, ROUND):
        count = min(ROUND, steps - start) * BATCH
        yield task.draw(random, draw_lags(random, count=count, longest=lag), lag)


def _generator(*identity: str | int) -> np.random.Generator:
    """Return a generator that is seeded by the identity of its draws."""
    return np.random.default_rng(
        [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in identity]
    )


class _Learner:
    """A network of one recurrent layer and a dense layer on its last state, with its optimizer."""

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
        # Compiled for the only length: about half the time of a loop in TensorFlow.
        self._step = tf.function(self._learn_batch, autograph=False, jit_compile=True)
        read = [tf.TensorSpec(inputs.shape, tf.float32)]
        self._infer = tf.function(self._network, input_signature=read, autograph=False)

    def learn(self, drawn: Drawn) -> float:
        """Take a step with each batch of the sequences; return the loss of the last batch."""
        loss = math.nan
        for start in range(0, len(drawn.answers), BATCH):
            batch = slice(start, start + BATCH)
            loss = self._step(drawn.inputs[batch], drawn.answers[batch])
        return float(loss)

    def judge(self, drawn: Drawn) -> float:
        """Return the share of sequences with a right answer."""
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
