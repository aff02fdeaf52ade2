"""Teaches the network what others make of texts, before it sees a label.

The network learns to give a sentence encoder's vector of each text (sequence-level distillation as
in Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, with the cosine of Reimers
and Gurevych, "Making Monolingual Sentence Embeddings Multilingual", EMNLP 2020). It may also learn
a classifier's probabilities of the same texts. Embedding and recurrent layers then start the
training.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import log_expit

from models.batching import Row
from models.golden import Probabilities
from training.calibration.probabilities import Logits
from training.errors import TrainingError
from training.fitting.batches import Examples
from training.fitting.fit import fit
from training.fitting.objective import Judge, Loss, Objective
from training.fitting.observer import Observer
from training.recipe.language_model import Encoder
from training.settings import FitSettings, TeachSettings
from training.workspace.checkpoint import Checkpoint

HELD = 0.05  # share of the texts that judge each epoch
MOST_HELD = 2_000
FEWEST_TEXTS = 100
VERDICTS = 1.0  # weight of the loss of a verdict beside that of a vector

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the network is to give of each text.

    Args:
        vectors: The encoder's vectors, of length 1, shape (texts, width).
        verdicts: A classifier's probabilities, shape (texts, labels); None without a classifier.
    """

    vectors: Vectors
    verdicts: Probabilities | None = None

    @property
    def targets(self) -> NDArray[np.float32]:
        """The numbers that the network learns of each text, shape (texts, outputs)."""
        given = [self.vectors] if self.verdicts is None else [self.vectors, self.verdicts]
        return np.concatenate(given, axis=1).astype(np.float32)


def teach(
    rows: Sequence[Row],
    lesson: Lesson,
    *,
    network: keras.Model,
    settings: TeachSettings,
    checkpoint: Checkpoint,
    observers: Sequence[Observer] = (),
) -> Encoder:
    """Return embedding and layers of a network that has learned a lesson.

    Resumes from `checkpoint` if it holds something.

    Args:
        rows: Ids of each text.
        lesson: What it is to give of each.
        network: The network before it is taught, with an output for each target of the lesson.
        settings: How it is taught.
        checkpoint: Where the fit is kept.
        observers: Hear of every step and epoch.

    Raises:
        TrainingError: There are too few texts, or the loss is no longer a number.
        Interrupted: A signal asked for the end; the checkpoint is saved.
    """
    used = np.array([row for row, ids in enumerate(rows) if len(ids) > 0], np.int64)
    if len(used) < FEWEST_TEXTS:
        raise TrainingError(
            f"--encoder has {len(used):,} texts to teach with, and needs {FEWEST_TEXTS} at least; "
            "name more with --unlabeled"
        )
    random = np.random.default_rng(settings.seed)
    shuffled = random.permutation(used)
    held = min(MOST_HELD, math.ceil(HELD * len(used)))
    judging, learned = np.sort(shuffled[:held]), np.sort(shuffled[held:])
    ids = [np.asarray(rows[row][: settings.max_tokens], np.int32) for row in learned]
    targets, width = lesson.targets, lesson.vectors.shape[1]
    fit(
        network,
        Examples(ids, targets[learned]),
        [rows[row][: settings.max_tokens] for row in judging],
        objective=Objective(
            "single_label",
            make_loss(width, judges=lesson.verdicts is not None),
            make_judge(targets[judging], width),
        ),
        settings=fit_settings(settings),
        seed=settings.seed,
        checkpoint=checkpoint,
        observers=observers,
    )
    recurrent = (layer for layer in network.layers if layer.name.startswith("recurrent_"))
    return Encoder(
        network.get_layer("embedding").get_weights()[0],
        tuple(tuple(layer.get_weights()) for layer in recurrent),
        perplexity=math.nan,
    )


def fit_settings(settings: TeachSettings) -> FitSettings:
    """Return how a network is fitted to a lesson."""
    return FitSettings(
        epochs=settings.epochs,
        patience=settings.epochs,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        adversarial=0.0,
    )


def make_loss(width: int, *, judges: bool) -> Loss:
    """Return the loss of targets: 1 - cosine of vectors, and mean cross-entropy of verdicts.

    Args:
        width: Numbers of a vector, which are the first of the targets.
        judges: Whether verdicts follow. The shape of a batch does not say it while the function is
            traced.
    """

    def loss(targets: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
        vectors = tf.math.l2_normalize(given[:, :width], axis=1)
        apart = 1 - tf.reduce_mean(tf.reduce_sum(targets[:, :width] * vectors, axis=1))
        if not judges:
            return apart
        wrong = tf.nn.sigmoid_cross_entropy_with_logits(targets[:, width:], given[:, width:])
        return apart + VERDICTS * tf.reduce_mean(wrong)

    return loss


def make_judge(targets: NDArray[np.float32], width: int) -> Judge:
    """Return a judge of what the network gives of texts that it did not learn from."""
    vectors, verdicts = targets[:, :width], targets[:, width:]

    def judge(given: Logits) -> dict[str, float]:
        lengths = np.maximum(np.linalg.norm(given[:, :width], axis=1), 1e-12)
        losses = 1 - (given[:, :width] * vectors).sum(axis=1) / lengths
        figures = {"cosine": 1 - float(losses.mean())}
        if verdicts.size:
            found = given[:, width:]
            wrong = -verdicts * log_expit(found) - (1 - verdicts) * log_expit(-found)
            figures["agreement"] = float(((found > 0) == (verdicts > 0.5)).mean())
            losses = losses + VERDICTS * wrong.mean(axis=1)
        loss = float(losses.mean())
        noise = float(losses.std() / math.sqrt(len(losses)))
        return figures | {"log_loss": loss, "score": -loss, "noise": noise}

    return judge
