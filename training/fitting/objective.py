"""The objective of a fit: the loss to minimize, and the figure that chooses the best epoch."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.metadata import Task
from training.calibration.metrics import Score, measure
from training.calibration.probabilities import Logits
from training.calibration.scaling import calibrate
from training.settings import ClassWeight
from training.targets import Targets, count_classes

UNEQUAL = 1.5  # rows of the largest class per row of the smallest; above it accuracy misleads
Judge = Callable[[Logits], dict[str, float]]
"""Returns figures of validation logits (rows, labels). Among them are `score`, to choose by, and
`noise`, the standard error of the score."""
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Mean loss of targets (batch, labels) and logits (batch, labels)."""


@dataclass(frozen=True)
class Objective:
    """The objective of a fit."""

    task: Task
    loss: Loss
    judge: Judge


def choose_score(targets: Targets, *, labels: int) -> Score:
    """Return the score to choose by: macro-F1 for unequal classes or multi-label, else accuracy."""
    counts = count_classes(targets, classes=labels)
    counts = counts[counts > 0]
    unequal = targets.ndim == 2 or counts.max() > UNEQUAL * counts.min()
    return "macro_f1" if unequal else "accuracy"


def weigh_classes(targets: Targets, *, labels: int, kind: ClassWeight) -> NDArray[np.float32]:
    """Return the weight of each label's rows in the loss, shape (labels,).

    With one label per row the mean weight over the rows is 1. With several, a weight is that of a
    label's presence relative to its absence.
    """
    counts = np.maximum(1, count_classes(targets, classes=labels))
    if kind == "none":
        return np.ones(labels, np.float32)
    if targets.ndim == 2:
        inverse = (len(targets) - counts) / counts
    else:
        inverse = len(targets) / (labels * counts)
    weights = np.maximum(inverse if kind == "balanced" else np.sqrt(inverse), 1e-3)
    if targets.ndim == 1:
        weights /= weights[targets].mean()
    return weights.astype(np.float32)


def make_loss(weights: NDArray[np.float32], *, task: Task) -> Loss:
    """Return the mean cross-entropy of a batch; independent labels are summed."""
    scale = tf.constant(weights)

    def exclusive(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        losses = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(losses * tf.linalg.matvec(targets, scale))

    def independent(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        losses = tf.nn.weighted_cross_entropy_with_logits(targets, logits, pos_weight=scale)
        return tf.reduce_mean(tf.reduce_sum(losses, axis=1))

    return exclusive if task == "single_label" else independent


def make_judge(
    targets: Targets, *, task: Task, score: Score, ngram_logits: Logits | None, biased: bool = True
) -> Judge:
    """Return a judge of the network's validation logits, joined to those of the n-grams.

    It calibrates them first, and so judges the classifier that would be published now, but gives
    the likeliest label: whether a rule for rare ones is worth it may change from epoch to epoch.
    """

    def judge(logits: Logits) -> dict[str, float]:
        halves = [logits] if ngram_logits is None else [logits, ngram_logits]
        found = calibrate(halves, targets, task=task, score="accuracy", biased=biased)
        figures = measure(found.probabilities, targets, rule=found.rule)
        chance = figures[score]
        noise = math.sqrt(chance * (1 - chance) / figures.pop("rows"))
        return figures | {"score": chance, "noise": noise}

    return judge
