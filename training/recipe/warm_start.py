"""Starts a training from a known network: a published version, or one taught before any label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.cells import CELLS
from models.tokenizer import CONTINUATION, Tokenizer
from models.versions import WEIGHTS, Version
from training.errors import TrainingError
from training.network.recurrence import ATTRIBUTES
from training.pretrained.network import Pretrained

Weights = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The weights of labels.

    Args:
        labels: The labels.
        kernel: From the pool to their logits, shape (3 * units, labels).
        bias: Shape (labels,).
    """

    labels: tuple[str, ...]
    kernel: Weights
    bias: Weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """The weights that a network starts from.

    Args:
        tokenizer: The tokenizer of the known network.
        embedding: Shape (vocabulary, width).
        layers: The weights of each recurrent layer, as Keras orders them.
        head: Those of its labels; None where it has none.
    """

    tokenizer: Tokenizer
    embedding: Weights
    layers: tuple[tuple[Weights, ...], ...]
    head: Head | None = None

    def give_to(self, network: keras.Model, *, tokenizer: Tokenizer, labels: Sequence[str]) -> None:
        """Set the weights of a network of the same shape; vocabulary and labels may differ."""
        embedding = network.get_layer("embedding")
        embedding.set_weights([self._embed(tokenizer, otherwise=embedding.get_weights()[0])])
        for index, weights in enumerate(self.layers):
            network.get_layer(f"recurrent_{index}").set_weights(list(weights))
        if self.head is not None:
            head = network.get_layer("logits")
            head.set_weights(_head_weights(self.head, labels, otherwise=head.get_weights()))

    def _embed(self, tokenizer: Tokenizer, *, otherwise: Weights) -> Weights:
        """Return the token vectors: known ones, and for new words the mean of their pieces."""
        rows = {token: row for row, token in enumerate(self.tokenizer.tokens)}
        table = otherwise.copy()
        for row, token in enumerate(tokenizer.tokens):
            if token in rows:
                table[row] = self.embedding[rows[token]]
            elif not token.startswith(CONTINUATION):
                pieces = list(self.tokenizer.encode_word(token))
                if pieces:  # a mark that joins characters is no word by itself
                    table[row] = self.embedding[pieces].mean(axis=0)
        return table


def start_of(known: Pretrained) -> Start:
    """Return the weights of a network that was taught before any label."""
    return Start(tokenizer=known.tokenizer, embedding=known.embedding, layers=known.layers)


def _head_weights(head: Head, labels: Sequence[str], *, otherwise: list[Weights]) -> list[Weights]:
    """Return kernel and bias of the labels: known ones keep their columns."""
    kernel, bias = (array.copy() for array in otherwise)
    for column, label in enumerate(labels):
        if label in head.labels:
            known = head.labels.index(label)
            kernel[:, column], bias[column] = head.kernel[:, known], head.bias[known]
    return [kernel, bias]


def read_start(version: Version) -> Start:
    """Return the weights of a version.

    Raises:
        TrainingError: They cannot be read.
    """
    try:
        # TensorFlow names a checkpoint by the common prefix of its files.
        file = tf.train.load_checkpoint(str((version.path / WEIGHTS).with_suffix("")))
        shape = version.metadata.architecture
        names = [ATTRIBUTES[part] for part in CELLS[shape.cell].weights]
        layers = tuple(
            tuple(_read(file, f"recurrent/{index}/cell/{name}") for name in names)
            for index in range(shape.layers)
        )
        return Start(
            tokenizer=version.tokenizer,
            embedding=_read(file, "table"),
            layers=layers,
            head=Head(
                labels=version.metadata.labels,
                kernel=_read(file, "kernel"),
                bias=_read(file, "bias"),
            ),
        )
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise TrainingError(f"the weights of {version.path} cannot be read ({error})") from error


def _read(file: Any, name: str) -> Weights:
    return np.asarray(file.get_tensor(f"{name}/.ATTRIBUTES/VARIABLE_VALUE"), np.float32)
