"""The parts that all contestants share: the tokenizer, and TensorFlow with the SavedModel."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.serving.contestants.names import VERSION
from models.tokenizer import Tokenizer


class SavedModel:
    """Texts in, labels and scores out."""

    def __init__(self) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(1)  # each has one core
        tf.config.threading.set_inter_op_parallelism_threads(1)
        folder = Path(os.environ[VERSION])
        self._tokenizer = Tokenizer.load(folder / "assets.extra" / "tokenizer.json")
        self._loaded = tf.saved_model.load(str(folder))
        self._run = self._loaded.signatures["serving_default"]
        self.classify([""])

    def classify(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return label and score of each text, from one padded batch."""
        rows = self._tokenizer.encode_batch(texts)
        ids = np.zeros((len(rows), max(1, *map(len, rows), 1)), np.int32)
        for place, row in zip(ids, rows, strict=True):
            place[: len(row)] = row
        probabilities = self._run(ids=tf.constant(ids))["probabilities"].numpy()
        return [
            {"label": ("neg", "pos")[int(row.argmax())], "score": float(row.max())}
            for row in probabilities
        ]
