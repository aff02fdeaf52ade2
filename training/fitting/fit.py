"""Fits the network: one loop that can be stopped at any step and taken up again."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from models.batching import Row
from training.console import console
from training.defaults import choose_epochs
from training.errors import Diverged
from training.fitting.adversarial import differentiate_both
from training.fitting.batches import Examples, LengthBatches
from training.fitting.objective import Loss, Objective
from training.fitting.optimizer import AdamW, make_rate
from training.network.build import predict_logits
from training.settings import FitSettings
from training.tracking.progress import FitProgress
from training.tracking.tensorboard import Curves
from training.workspace.checkpoint import Checkpoint
from training.workspace.interrupt import Interrupt

WARMUP_SHARE = 0.05  # of all steps


@dataclass(kw_only=True)
class Course:
    """How far a fit has come; saved in checkpoints.

    Args:
        epoch: Epochs that are complete.
        batch: Batches done of the next one.
        loss: Sum of the losses of those batches.
        seconds: Time of training so far, validation not counted.
        cpu_seconds: Time of all cores together in it.
        history: Figures of each complete epoch, with the seconds until its end.
        best_epoch: The epoch best on validation so far, counted from 1.
        best_score: Its score.
        best_loss: Its log loss on validation.
    """

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = -math.inf
    best_loss: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted network, with the weights of its best epoch, and how it came about.

    Args:
        network: The network.
        planned: Epochs that the learning rate was planned for.
        course: What happened.
        tokens_per_second: Mean speed of training, padding not counted.
        padding: Share of the positions computed that were padding.
    """

    network: keras.Model
    planned: int
    course: Course
    tokens_per_second: float
    padding: float

    def record(self) -> dict[str, float]:
        """Return the figures for the metadata."""
        return {
            "seconds": round(self.course.seconds, 1),
            "tokens_per_second": round(self.tokens_per_second),
            "padding": round(self.padding, 4),
            "planned_epochs": self.planned,
            "epochs": self.course.epoch,
            "best_epoch": self.course.best_epoch,
        }


def fit(
    network: keras.Model,
    train: Examples,
    validation: Sequence[Row],
    *,
    objective: Objective,
    settings: FitSettings,
    seed: int,
    checkpoint: Checkpoint,
    curves: Curves,
) -> Fitted:
    """Fit `network` in place; its weights are those of the epoch best on validation.

    Goes on from `checkpoint` if it holds something.

    Raises:
        Diverged: The loss is no longer a number.
        TrainingError: The checkpoint is of another training.
        Interrupted: Somebody asked to stop; the checkpoint says where.
    """
    batches = LengthBatches(train, size=settings.batch, seed=seed)
    epochs = settings.epochs or choose_epochs(
        len(batches), tokens=train.tokens, task=objective.task
    )
    optimizer = make_optimizer(network, settings, steps=epochs * len(batches))
    step = make_step(network, optimizer, loss=objective.loss, adversarial=settings.adversarial)
    best = _Best(network)
    tracked = {"network": network.variables, "optimizer": optimizer.variables, "best": best.values}
    course = checkpoint.restore(tracked, Course())
    if course.epoch or course.batch:
        place = f"in epoch {course.epoch + 1} after {course.batch:,} steps"
        over = _is_over(course, epochs=epochs, patience=settings.patience)
        console.print(f"resumed {'after the fit, which was complete' if over else place}")
    progress = FitProgress(epochs=epochs, batches=len(batches), tokens=train.tokens)
    with Interrupt() as interrupt, progress, curves:
        while not _is_over(course, epochs=epochs, patience=settings.patience):
            for ids, targets in batches.epoch(course.epoch, start=course.batch):
                started, computing = time.perf_counter(), time.process_time()
                loss_here, norm = map(float, step(ids, targets))
                course.seconds += time.perf_counter() - started
                course.cpu_seconds += time.process_time() - computing
                course.loss += loss_here
                course.batch += 1
                steps = course.epoch * len(batches) + course.batch
                curves.add_step(loss_here, norm=norm, step=steps)
                progress.show_batch(course)
                if interrupt.asked or checkpoint.is_due():
                    checkpoint.save(tracked, course)
                interrupt.leave_if_asked()
            figures = objective.judge(predict_logits(network, validation))
            _end_epoch(course, figures, best=best)
            progress.show_epoch(course)
            curves.add_epoch(course.history[-1], epoch=course.epoch)
            checkpoint.save(tracked, course)
            interrupt.leave_if_asked()
    best.restore()
    return Fitted(
        network=network,
        planned=epochs,
        course=course,
        tokens_per_second=course.epoch * train.tokens / course.seconds,
        padding=sum(map(batches.padding, range(course.epoch))) / course.epoch,
    )


def make_optimizer(network: keras.Model, settings: FitSettings, *, steps: int) -> AdamW:
    """Return AdamW whose rate rises for a short while and then falls along a cosine."""
    warmup = math.ceil(WARMUP_SHARE * steps)
    rate = make_rate(settings.learning_rate, steps=steps, warmup=warmup)
    return AdamW(network.trainable_variables, rate=rate, decay=settings.weight_decay)


def make_step(
    network: keras.Model, optimizer: AdamW, *, loss: Loss, adversarial: float = 0.0
) -> Any:
    """Return a function that learns from ids (batch, time) and targets (batch, labels) once.

    It returns the loss and the norm of its gradient, not clipped.
    `adversarial` is how far texts are moved, as `FitSettings` has it.
    """

    def step(ids: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if adversarial:
            value, gradients = differentiate_both(
                network, ids, targets, loss=loss, distance=adversarial
            )
        else:
            with tf.GradientTape() as tape:
                value = loss(targets, network(ids, training=True))
            gradients = tape.gradient(value, network.trainable_variables)
        return value, optimizer.apply(gradients)

    # Both axes are left open, so that one trace serves all lengths; XLA would compile for each.
    signature = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.float32)]
    return tf.function(step, input_signature=signature, autograph=False, jit_compile=False)


class _Best:
    """The weights of the best epoch so far."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self.values = [tf.Variable(weight, trainable=False) for weight in network.weights]

    def keep(self) -> None:
        """Take the network's weights as the best."""
        for value, weight in zip(self.values, self._network.weights, strict=True):
            value.assign(weight)

    def restore(self) -> None:
        """Give the network the best weights."""
        for value, weight in zip(self.values, self._network.weights, strict=True):
            weight.assign(value)


def _end_epoch(course: Course, figures: dict[str, float], *, best: _Best) -> None:
    """Record an epoch's figures and keep its weights if they are the best."""
    loss = course.loss / course.batch
    if not math.isfinite(loss):
        raise Diverged("the loss is no longer a number; try a lower --learning-rate")
    noise = figures.pop("noise")
    course.history.append({"loss": loss, **figures, "seconds": course.seconds})
    course.epoch, course.batch, course.loss = course.epoch + 1, 0, 0.0
    if _is_better(course, figures, noise=noise):
        course.best_epoch = course.epoch
        course.best_score, course.best_loss = figures["score"], figures["log_loss"]
        best.keep()


def _is_better(course: Course, figures: dict[str, float], *, noise: float) -> bool:
    """Whether an epoch beats the best: where scores differ by chance alone, by its log loss.

    Some hundred rows tell little by a score, which only counts, and much by how likely they are.
    """
    gain = figures["score"] - course.best_score
    return figures["log_loss"] < course.best_loss if abs(gain) <= noise else gain > 0


def _is_over(course: Course, *, epochs: int, patience: int) -> bool:
    """Whether all epochs are complete, or the last ones brought nothing."""
    waited = course.epoch - course.best_epoch >= patience and course.best_epoch > 0
    return waited or course.epoch >= epochs
