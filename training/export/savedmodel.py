"""Writes the trained network as a SavedModel that needs neither Keras nor Gatewise to run."""

import os
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.cells import state_names
from models.ngrams import MULTIPLIERS, ORDERS, REMEMBERED, WINDOW, spread
from models.tokenizer import PAD
from training.errors import ExportError
from training.export.state import describe_state
from training.network.pool import continue_mean, join_pool, pool_piece
from training.network.recurrence import make_stateful
from training.recipe.classifier import TrainedClassifier
from training.settings import NetworkSettings

Tensors = dict[str, tf.Tensor]


def export_saved_model(classifier: TrainedClassifier, *, folder: Path) -> None:
    """Write `classifier` to `folder` with the signatures `serving_default` and `step`.

    Raises:
        ExportError: The graph contains an operator that needs an accelerator.
    """
    module = ServingModule(classifier)
    tf.saved_model.save(
        module,
        str(folder),
        signatures=module.signatures(),
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )
    assets = folder / "assets"
    if assets.is_dir() and not os.listdir(assets):
        shutil.rmtree(assets)
    refuse_operators(folder, prefix="Cudnn")


class ServingModule(tf.Module):
    """The network with its state made explicit. Holds every weight once."""

    def __init__(self, classifier: TrainedClassifier) -> None:
        super().__init__(name="gatewise")
        network, ngrams = classifier.network, classifier.ngrams
        self._settings = settings = classifier.shape
        self._exclusive = classifier.task == "single_label"
        self._labels = classifier.labels
        self._state = describe_state(classifier)
        table = network.get_layer("embedding").embeddings.numpy()
        self.table = tf.Variable(table.astype(np.float16), trainable=False, name="embedding")
        self.recurrent = [_stateful_twin(network, settings, i) for i in range(settings.layers)]
        kernel, bias = classifier.head
        self.kernel = tf.Variable(kernel, trainable=False, name="kernel")
        self.bias = tf.Variable(bias, trainable=False, name="bias")
        self.ngrams: tf.Variable | None = None
        if ngrams is not None:
            self.ngrams = tf.Variable(ngrams.table, trainable=False, name="ngrams")
            self._ngram_scale = tf.constant(classifier.ngram_scale, tf.float32)

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """Return the traced signatures."""
        ids = tf.TensorSpec((None, None), tf.int32, name="ids")
        state = {
            tensor.name: tf.TensorSpec((None, *tensor.shape), tf.float32, name=tensor.name)
            for tensor in self._state
        }
        return {
            "serving_default": tf.function(self.classify, autograph=False).get_concrete_function(
                ids
            ),
            "step": tf.function(self.step, autograph=False).get_concrete_function(ids, **state),
        }

    def classify(self, ids: tf.Tensor) -> Tensors:
        """Return {"probabilities": (batch, labels)} for ids (batch, time)."""
        batch = tf.shape(ids)[0]
        empty = {
            tensor.name: tf.fill((batch, *tensor.shape), tensor.fill) for tensor in self._state
        }
        return {"probabilities": self.step(ids, **empty)["probabilities"]}

    def step(self, ids: tf.Tensor, **state: tf.Tensor) -> Tensors:
        """Read ids (batch, time) on from `state`; return probabilities and `next_` state."""
        mask = ids != PAD
        sequence = tf.cast(tf.gather(self.table, ids), tf.float32)
        after: Tensors = {}
        for index, layer in enumerate(self.recurrent):
            names = state_names(self._settings.cell, index)
            before = [state[name] for name in names]
            sequence, *last = layer(sequence, mask=mask, initial_state=before, training=False)
            after |= zip(names, last, strict=True)
        pooled, read = pool_piece(state, sequence, mask)
        after |= pooled
        if self.ngrams is not None:
            after |= self._read_ngrams(ids, read, state=state, after=after)
        outputs = {f"next_{name}": value for name, value in after.items()}
        return {"probabilities": self._decide(after)} | outputs

    def _read_ngrams(
        self, ids: tf.Tensor, read: tf.Tensor, *, state: Tensors, after: Tensors
    ) -> Tensors:
        """Return the mean weight of the n-grams so far, and the ids that the next ones need."""
        with_recent = tf.concat([tf.cast(state["recent"], tf.int64), tf.cast(ids, tf.int64)], 1)
        time = tf.shape(ids)[1]
        back = [with_recent[:, REMEMBERED - k : REMEMBERED - k + time] for k in range(ORDERS)]
        sums = [
            tf.add_n(
                [multiplier * piece for multiplier, piece in zip(multipliers, back, strict=False)]
            )
            for multipliers in MULTIPLIERS
        ]
        keys = tf.math.floormod(tf.stack(sums, axis=2), self.ngrams.shape[0])
        roots = tf.cast(tf.gather(self.ngrams, keys), tf.float32)
        counts = _find_new(with_recent, time) & (ids != PAD)[:, :, None]
        counts = tf.cast(counts, tf.float32)[:, :, :, None]
        news = tf.reduce_sum(roots * tf.abs(roots) * counts, axis=[1, 2]) * self._ngram_scale
        last = tf.cast(read, tf.int32) + tf.range(REMEMBERED)[None]  # where the last real ids are
        recent = tf.gather(with_recent, last, batch_dims=1)
        return {
            "ngrams": continue_mean(state["ngrams"], news, read=read, count=after["count"]),
            "recent": tf.cast(recent, tf.float32),
        }

    def _decide(self, state: Tensors) -> tf.Tensor:
        shown, *_ = state_names(self._settings.cell, self._settings.layers - 1)
        logits = join_pool(state, last=state[shown]) @ self.kernel + self.bias
        if self.ngrams is not None:
            logits += spread(state["ngrams"] * tf.sqrt(state["count"]), labels=self._labels)
        return tf.nn.softmax(logits) if self._exclusive else tf.nn.sigmoid(logits)


def _find_new(with_recent: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Return whether n-grams count, those that did not end in the window before.

    Args:
        with_recent: Ids, shape (batch, REMEMBERED + time).
        time: Ids whose n-grams are asked for, the last of them.

    Returns:
        Shape (batch, time, ORDERS).
    """
    ids = tf.cast(with_recent, tf.int32)
    place = tf.range(WINDOW, WINDOW + time + ORDERS - 1)[:, None]
    before = tf.gather(ids, place - tf.range(1, WINDOW + 1), axis=1)
    equal = before == ids[:, WINDOW:, None]  # (batch, ORDERS - 1 + time, WINDOW)
    same = equal[:, ORDERS - 1 :]
    new = [~tf.reduce_any(same, axis=2)]
    for distance in range(1, ORDERS):
        same &= equal[:, ORDERS - 1 - distance : ORDERS - 1 - distance + time]
        new.append(~tf.reduce_any(same, axis=2))
    return tf.stack(new, axis=2)


def _stateful_twin(network: keras.Model, settings: NetworkSettings, index: int) -> keras.Layer:
    """Return Keras's own form of a recurrent layer, with its state, for a CPU without cuDNN."""
    trained = network.get_layer(f"recurrent_{index}")
    twin = make_stateful(settings.cell, settings.units)
    kernel = trained.get_weights()[0]
    twin.build((None, None, kernel.shape[0]))
    twin.set_weights(trained.get_weights())
    return twin


def refuse_operators(folder: Path, *, prefix: str) -> None:
    """Raise ExportError if an operator of the SavedModel is named `prefix`…."""
    graph = tf.saved_model.load(str(folder)).signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    found = sorted({node.op for node in nodes if node.op.startswith(prefix)})
    if found:
        raise ExportError(f"the exported graph needs an accelerator: {', '.join(found)}")
