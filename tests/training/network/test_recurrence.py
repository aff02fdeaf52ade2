"""Our recurrent layers compute what Keras's own do, and so do their gradients."""

import gc
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from models.cells import CELLS
from training.network import recurrence

pytestmark = pytest.mark.tensorflow  # which the module imports

WIDTH, UNITS = 5, 6


@pytest.fixture(params=CELLS)
def twins(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """Keras's layer and ours, of the same weights, none of them zero."""
    options = {"return_sequences": True, "return_state": True}
    theirs, ours = (
        layers[request.param](UNITS, **options)
        for layers in (recurrence.KERAS_LAYERS, recurrence.LAYERS)
    )
    random = np.random.default_rng(1)
    for layer in (theirs, ours):
        layer.build((None, None, WIDTH))
    theirs.set_weights([random.normal(0, 0.5, weight.shape) for weight in theirs.weights])
    ours.set_weights(theirs.get_weights())
    return theirs, ours


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "time"), [(1, 1), (1, 4), (2, 1), (5, 7)])
def test_states_and_gradients_are_those_of_keras(
    twins: tuple[Any, Any], batch: int, time: int
) -> None:
    random = np.random.default_rng(2)
    sequences = random.normal(size=(batch, time, WIDTH)).astype(np.float32)
    before = _states(twins[0], batch, random)
    theirs, ours = (_differentiate(layer, sequences, before) for layer in twins)
    assert len(theirs) == len(ours)
    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_each_cell_has_the_layer_of_keras_and_ours() -> None:
    own = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
    assert own == recurrence.KERAS_LAYERS
    assert list(recurrence.LAYERS) == list(CELLS)
    for cell, layer in recurrence.LAYERS.items():
        assert issubclass(layer, own[cell])


def test_a_text_starts_from_the_zero_state(twins: tuple[Any, Any]) -> None:
    sequences = np.random.default_rng(3).normal(size=(4, 3, WIDTH)).astype(np.float32)
    theirs, ours = (layer(sequences)[0] for layer in twins)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_pieces_with_the_state_carried_give_the_whole(twins: tuple[Any, Any]) -> None:
    _, layer = twins
    sequences = np.random.default_rng(4).normal(size=(3, 9, WIDTH)).astype(np.float32)
    whole, *_ = layer(sequences)
    first, *state = layer(sequences[:, :4])
    second, *_ = layer(sequences[:, 4:], initial_state=state)
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, rtol=1e-5, atol=1e-6)


def test_without_sequences_the_last_state_is_shown(twins: tuple[Any, Any]) -> None:
    sequences = np.random.default_rng(7).normal(size=(3, 5, WIDTH)).astype(np.float32)
    for layer in twins:
        layer.return_sequences = False
    (expected, *_), (found, *_) = (layer(sequences) for layer in twins)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_same_gradients_come_again(twins: tuple[Any, Any]) -> None:
    _, layer = twins
    random = np.random.default_rng(5)
    sequences = random.normal(size=(32, 20, WIDTH)).astype(np.float32)
    before = _states(layer, 32, random)
    first, second = (_differentiate(layer, sequences, before) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_traced_gradient_ends_with_its_graph(twins: tuple[Any, Any]) -> None:
    _, layer = twins
    sequences = np.zeros((2, 3, WIDTH), np.float32)
    gc.collect()
    before = set(gradient_registry.list())
    _differentiate(layer, sequences, _states(layer, 2, np.random.default_rng(8)))
    gc.collect()
    assert set(gradient_registry.list()) == before


def test_a_gradient_from_outside_of_a_trace(twins: tuple[Any, Any]) -> None:
    _, layer = twins
    sequences = tf.constant(np.random.default_rng(9).normal(size=(3, 5, WIDTH)), tf.float32)
    slopes = []
    for run in (layer, tf.function(layer, autograph=False)):
        with tf.GradientTape() as tape:
            tape.watch(sequences)
            value = tf.reduce_sum(tf.sin(run(sequences)[0]))
        gc.collect()
        slopes.append(tape.gradient(value, sequences).numpy())
    np.testing.assert_allclose(*slopes, rtol=1e-5, atol=1e-6)


def test_a_gpu_runs_the_loop_of_keras(
    twins: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = twins
    sequences = np.random.default_rng(6).normal(size=(2, 3, WIDTH)).astype(np.float32)
    monkeypatch.setattr(recurrence, "has_gpu", lambda: True)
    monkeypatch.setattr(recurrence, "run_cell", None)  # whoever calls it fails
    for expected, found in zip(theirs(sequences), ours(sequences), strict=True):
        np.testing.assert_array_equal(found, expected)


def _states(layer: Any, batch: int, random: np.random.Generator) -> list[Any]:
    sizes = np.atleast_1d(layer.cell.state_size)
    return [random.normal(size=(batch, size)).astype(np.float32) for size in sizes]


def _differentiate(layer: Any, sequences: Any, before: list[Any]) -> list[Any]:
    """Return everything that the layer gives, and the slopes of everything that it takes."""
    inputs = [tf.constant(sequences), *map(tf.constant, before)]

    @tf.function(autograph=False)
    def run(*inputs: tf.Tensor) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs[0], initial_state=list(inputs[1:]))
            weighed = [tf.reduce_sum(tf.sin(k * out)) for k, out in enumerate(outputs, start=1)]
            value = tf.add_n(weighed)
        return outputs, tape.gradient(value, [*inputs, *(w.value for w in layer.weights)])

    return [array.numpy() for found in run(*inputs) for array in found]
