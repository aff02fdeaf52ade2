"""Teaches the network what a sentence encoder makes of texts, before it sees a label.

The network learns to give the encoder's vector of each text (sequence-level distillation as in
Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, with the cosine of Reimers and
Gurevych, "Making Monolingual Sentence Embeddings Multilingual", EMNLP 2020). Embedding and
recurrent layers then start the training.
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.batching import Row
from training.calibration.probabilities import Logits
from training.errors import TrainingError
from training.fitting.batches import Examples
from training.fitting.fit import fit
from training.fitting.objective import Judge, Objective
from training.fitting.observer import Observer
from training.recipe.language_model import Encoder
from training.settings import FitSettings, TeachSettings
from training.workspace.checkpoint import Checkpoint

HELD = 0.05  # share of the texts that judge each epoch
MOST_HELD = 2_000
FEWEST_TEXTS = 100

Vectors = NDArray[np.float32]


def teach(
    rows: Sequence[Row],
    vectors: Vectors,
    *,
    network: keras.Model,
    settings: TeachSettings,
    checkpoint: Checkpoint,
    observers: Sequence[Observer] = (),
) -> Encoder:
    """Return embedding and layers of a network that gives the vectors of texts.

    Resumes from `checkpoint` if it holds something.

    Args:
        rows: Ids of each text.
        vectors: The encoder's vector of each text, of length 1, shape (texts, width).
        network: The network before it is taught, with an output for each number of a vector.
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
    fit(
        network,
        Examples(ids, vectors[learned]),
        [rows[row][: settings.max_tokens] for row in judging],
        objective=Objective("single_label", _cosine_loss, make_cosine_judge(vectors[judging])),
        settings=FitSettings(
            epochs=settings.epochs,
            patience=settings.epochs,
            batch=settings.batch,
            learning_rate=settings.learning_rate,
            adversarial=0.0,
        ),
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


def _cosine_loss(vectors: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Return the mean of 1 - cosine of the encoder's vectors and the network's."""
    return 1 - tf.reduce_mean(tf.reduce_sum(vectors * tf.math.l2_normalize(given, axis=1), axis=1))


def make_cosine_judge(vectors: Vectors) -> Judge:
    """Return a judge of the network's vectors of texts that it did not learn from."""

    def judge(given: Logits) -> dict[str, float]:
        lengths = np.maximum(np.linalg.norm(given, axis=1), 1e-12)
        cosines = (given * vectors).sum(axis=1) / lengths
        mean = float(cosines.mean())
        noise = float(cosines.std() / math.sqrt(len(cosines)))
        return {"cosine": mean, "log_loss": 1 - mean, "score": mean, "noise": noise}

    return judge
