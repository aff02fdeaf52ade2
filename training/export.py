"""Writes the trained network as a SavedModel that needs neither Keras nor Gatewise to run."""

import os
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.metadata import StateTensor
from models.tokenizer import PAD
from training.errors import ExportError
from training.network import LAYERS
from training.settings import NetworkSettings

Tensors = dict[str, tf.Tensor]


def state_tensors(settings: NetworkSettings) -> tuple[StateTensor, ...]:
    """Return what a network remembers of a text: its layers' states and its running pool."""
    recurrent = [
        StateTensor(name=name, shape=(settings.units,), fill=0.0)
        for index in range(settings.layers)
        for name in layer_states(settings, index)
    ]
    pool = [
        StateTensor(name="maximum", shape=(settings.units,), fill=0.0),
        StateTensor(name="mean", shape=(settings.units,), fill=0.0),
        StateTensor(name="count", shape=(1,), fill=0.0),
    ]
    return (*recurrent, *pool)


def layer_states(settings: NetworkSettings, index: int) -> list[str]:
    """Return the names of one recurrent layer's state tensors."""
    return [f"h{index}", f"c{index}"] if settings.cell == "lstm" else [f"h{index}"]


def round_embedding(network: keras.Model) -> None:
    """Round the embedding to the 16 bits of the export, so that the network is what is served."""
    table = network.get_layer("embedding").embeddings
    table.assign(table.numpy().astype(np.float16).astype(np.float32))


def export_saved_model(network: keras.Model, settings: NetworkSettings, *, folder: Path) -> None:
    """Write `network` to `folder` with the signatures `serving_default` and `step`.

    Raises:
        ExportError: The graph contains an operator that needs an accelerator.
    """
    module = ServingModule(network, settings)
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

    def __init__(self, network: keras.Model, settings: NetworkSettings) -> None:
        super().__init__(name="gatewise")
        self._settings = settings
        table = network.get_layer("embedding").embeddings.numpy()
        self.table = tf.Variable(table.astype(np.float16), trainable=False, name="embedding")
        self.recurrent = [_stateful_twin(network, settings, i) for i in range(settings.layers)]
        kernel, bias = network.get_layer("logits").get_weights()
        self.kernel = tf.Variable(kernel, trainable=False, name="kernel")
        self.bias = tf.Variable(bias, trainable=False, name="bias")

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """Return the traced signatures."""
        ids = tf.TensorSpec((None, None), tf.int32, name="ids")
        state = {
            tensor.name: tf.TensorSpec((None, *tensor.shape), tf.float32, name=tensor.name)
            for tensor in state_tensors(self._settings)
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
            tensor.name: tf.fill((batch, *tensor.shape), tensor.fill)
            for tensor in state_tensors(self._settings)
        }
        return {"probabilities": self.step(ids, **empty)["probabilities"]}

    def step(self, ids: tf.Tensor, **state: tf.Tensor) -> Tensors:
        """Read ids (batch, time) on from `state`; return probabilities and `next_` state."""
        mask = ids != PAD
        sequence = tf.cast(tf.gather(self.table, ids), tf.float32)
        after: Tensors = {}
        for index, layer in enumerate(self.recurrent):
            names = layer_states(self._settings, index)
            before = [state[name] for name in names]
            sequence, *last = layer(sequence, mask=mask, initial_state=before, training=False)
            after |= zip(names, last, strict=True)
        weights = tf.cast(mask, tf.float32)[:, :, None]
        sequence *= weights
        after["maximum"] = tf.maximum(state["maximum"], tf.reduce_max(sequence, axis=1))
        read = tf.reduce_sum(weights, axis=1)
        after["count"] = state["count"] + read
        # The mean is carried, not the sum, whose 32 bits would swallow the states of a long text.
        news = tf.reduce_sum(sequence, axis=1) - read * state["mean"]
        after["mean"] = state["mean"] + news / tf.maximum(after["count"], 1.0)
        outputs = {f"next_{name}": value for name, value in after.items()}
        return {"probabilities": self._decide(after)} | outputs

    def _decide(self, state: Tensors) -> tf.Tensor:
        last = state[f"h{self._settings.layers - 1}"]
        pooled = tf.concat([state["maximum"], state["mean"], last], axis=-1)
        return tf.nn.softmax(pooled @ self.kernel + self.bias)


def _stateful_twin(network: keras.Model, settings: NetworkSettings, index: int) -> keras.Layer:
    """Return a copy of a recurrent layer that also returns its state, for a CPU without cuDNN."""
    trained = network.get_layer(f"recurrent_{index}")
    portable = {} if settings.cell == "rnn" else {"use_cudnn": False}
    twin = LAYERS[settings.cell](
        settings.units, return_sequences=True, return_state=True, **portable
    )
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
