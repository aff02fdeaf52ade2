"""Fits the network: one loop that can stop at any step and resume there."""

import math
import time
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from models.batching import Row
from training.defaults import choose_steps
from training.errors import Diverged
from training.fitting.adversarial import differentiate_both
from training.fitting.batches import Examples, LengthBatches
from training.fitting.course import Course, Fitted
from training.fitting.objective import Loss, Objective
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer, Observers
from training.fitting.optimizer import AdamW, make_rate
from training.network.build import predict_logits
from training.settings import FitSettings
from training.workspace.checkpoint import Checkpoint
from training.workspace.interrupt import Interrupt

WARMUP_SHARE = 0.05  # of all steps


def fit(
    network: keras.Model,
    train: Examples,
    validation: Sequence[Row],
    *,
    objective: Objective,
    settings: FitSettings,
    seed: int,
    checkpoint: Checkpoint,
    observers: Sequence[Observer] = (),
) -> Fitted:
    """Fit `network` in place; leave the weights of the best epoch on validation.

    Resumes from `checkpoint` if it holds something. `observers` get every step and epoch in
    order, before these are saved. Where one says that the time is up, the epoch ends with that
    step, and the fit with the epoch.

    Raises:
        Diverged: The loss is no longer a number.
        TrainingError: The checkpoint is of another training.
        Interrupted: A signal asked for the end; the checkpoint is saved.
    """
    tokens = train.tokens
    size, epochs = choose_steps(settings, rows=len(train), tokens=tokens, task=objective.task)
    batches = LengthBatches(train, size=size, seed=seed)
    optimizer = make_optimizer(network, settings, steps=epochs * len(batches))
    step = make_step(network, optimizer, loss=objective.loss, adversarial=settings.adversarial)
    best = _Best(network)
    tracked = {"network": network.variables, "optimizer": optimizer.variables, "best": best.values}
    course = checkpoint.restore(tracked, Course())
    observer = Observers(observers)
    plan = FitPlan(
        epochs=epochs,
        batches=len(batches),
        done_epochs=course.epoch,
        done_batches=course.batch,
        over=_is_over(course, epochs=epochs, patience=settings.patience),
    )
    with Interrupt() as interrupt, observer.observing(plan):
        while not _is_over(course, epochs=epochs, patience=settings.patience):
            for ids, targets in batches.epoch(course.epoch, start=course.batch):
                started, computing = time.perf_counter(), time.process_time()
                loss_here, norm = map(float, step(ids, targets))
                course.seconds += time.perf_counter() - started
                course.cpu_seconds += time.process_time() - computing
                course.loss += loss_here
                course.batch += 1
                observer.add_step(_step(course, plan, loss=loss_here, norm=norm, tokens=tokens))
                if interrupt.asked or checkpoint.is_due():
                    checkpoint.save(tracked, course)
                interrupt.leave_if_asked()
                if observer.is_time_up():
                    course.unread, course.ended = 1 - course.batch / len(batches), True
                    break
            figures = objective.judge(predict_logits(network, validation))
            _end_epoch(course, figures, best=best)
            observer.add_epoch(_epoch(course, plan, tokens=tokens))
            checkpoint.save(tracked, course)
            interrupt.leave_if_asked()
    best.restore()
    return Fitted(
        network=network,
        planned=epochs,
        course=course,
        tokens_per_second=(course.epoch - course.unread) * tokens / course.seconds,
        padding=sum(map(batches.padding, range(course.epoch))) / course.epoch,
    )


def make_optimizer(network: keras.Model, settings: FitSettings, *, steps: int) -> AdamW:
    """Return AdamW with a rate that rises during a warm-up and then falls along a cosine."""
    warmup = math.ceil(WARMUP_SHARE * steps)
    rate = make_rate(settings.learning_rate, steps=steps, warmup=warmup)
    return AdamW(network.trainable_variables, rate=rate, decay=settings.weight_decay)


def make_step(
    network: keras.Model, optimizer: AdamW, *, loss: Loss, adversarial: float = 0.0
) -> Any:
    """Return a function that learns from ids (batch, time) and targets (batch, labels) once.

    It returns the loss and the norm of its gradient before clipping. `adversarial` is the distance
    that texts are moved, see `FitSettings`.
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

    # Both axes are open: one trace serves all lengths. XLA would compile for each length.
    signature = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None, None), tf.float32)]
    return tf.function(step, input_signature=signature, autograph=False, jit_compile=False)


class _Best:
    """The weights of the best epoch so far."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self.values = [tf.Variable(weight, trainable=False) for weight in network.weights]

    def keep(self) -> None:
        """Keep the network's weights as the best."""
        for value, weight in zip(self.values, self._network.weights, strict=True):
            value.assign(weight)

    def restore(self) -> None:
        """Give the network the best weights."""
        for value, weight in zip(self.values, self._network.weights, strict=True):
            weight.assign(value)


def _step(course: Course, plan: FitPlan, *, loss: float, norm: float, tokens: int) -> FitStep:
    """Return the last step; `tokens` is the number in an epoch."""
    return FitStep(
        number=course.epoch * plan.batches + course.batch,
        epoch=course.epoch + 1,
        batch=course.batch,
        loss=loss,
        mean_loss=course.loss / course.batch,
        norm=norm,
        tokens_per_second=_speed(course, plan, tokens=tokens),
    )


def _epoch(course: Course, plan: FitPlan, *, tokens: int) -> FitEpoch:
    """Return the epoch that is now complete; `tokens` is the number in an epoch."""
    return FitEpoch(
        number=course.epoch,
        figures=course.history[-1],
        tokens_per_second=_speed(course, plan, tokens=tokens),
    )


def _speed(course: Course, plan: FitPlan, *, tokens: int) -> float:
    """Return the mean tokens per second so far, validation not counted."""
    epochs = course.epoch + course.batch / plan.batches
    return epochs * tokens / max(course.seconds, 1e-9)


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
    """Whether an epoch beats the best one: by its score, or by log loss within the score's noise.

    On a few hundred rows the log loss separates epochs better than a score, which only counts rows.
    """
    gain = figures["score"] - course.best_score
    return figures["log_loss"] < course.best_loss if abs(gain) <= noise else gain > 0


def _is_over(course: Course, *, epochs: int, patience: int) -> bool:
    """Whether all epochs are complete, the time is up, or `patience` epochs brought no gain."""
    waited = course.epoch - course.best_epoch >= patience and course.best_epoch > 0
    return waited or course.ended or course.epoch >= epochs
