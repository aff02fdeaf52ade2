"""Texts are moved to where the network errs more, padding stays, and both forms teach."""

from typing import Any

import numpy as np
import pytest

from training.settings import NetworkSettings

pytestmark = pytest.mark.tensorflow  # which the module imports

SHAPE = NetworkSettings(cell="gru", units=6, embedding=5, dropout=0.0, word_dropout=0.0)
IDS = np.array([[2, 3, 4, 5], [6, 2, 0, 0], [3, 0, 0, 0]], np.int32)
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 1]]


@pytest.fixture(scope="module")
def network() -> Any:
    from training.network.build import build_network

    return build_network(SHAPE, vocabulary=9, labels=2, seed=1)


@pytest.fixture(scope="module")
def loss() -> Any:
    from training.fitting.objective import make_loss

    return make_loss(np.ones(2, np.float32), task="single_label")


def moves(network: Any, loss: Any, *, distance: float) -> tuple[np.ndarray, float, float]:
    """Return how the vectors are moved, and the loss before and after."""
    import tensorflow as tf

    from training.fitting.adversarial import move
    from training.network.build import read

    with tf.GradientTape() as tape:
        vectors = network.get_layer("embedding")(IDS)
        tape.watch(vectors)
        before = loss(TARGETS, read(network, vectors, IDS))
    slope = tape.gradient(before, vectors)
    moved = move(vectors, slope, IDS, distance=distance)
    after = loss(TARGETS, read(network, vectors + moved, IDS))
    return moved.numpy(), float(before), float(after)


def test_the_network_errs_more(network: Any, loss: Any) -> None:
    _, before, after = moves(network, loss, distance=0.3)
    _, _, opposite = moves(network, loss, distance=-0.3)
    assert opposite < before < after


def test_each_text_is_moved_as_far(network: Any, loss: Any) -> None:
    moved, _, _ = moves(network, loss, distance=0.3)
    vectors = network.get_layer("embedding").get_weights()[0][IDS[IDS > 0]]
    length = np.sqrt(np.mean(np.sum(vectors**2, axis=1)))
    np.testing.assert_allclose(np.sqrt((moved**2).sum(axis=(1, 2))), 0.3 * length, rtol=1e-4)


def test_padding_stays(network: Any, loss: Any) -> None:
    moved, _, _ = moves(network, loss, distance=0.3)
    assert not moved[IDS == 0].any()
    assert moved[IDS > 0].any(axis=1).all()


def test_not_moved_it_teaches_what_it_is(network: Any, loss: Any) -> None:
    import tensorflow as tf

    from training.fitting.adversarial import differentiate_both

    value, gradients = differentiate_both(network, IDS, TARGETS, loss=loss, distance=0.0)
    with tf.GradientTape() as tape:
        plain = loss(TARGETS, network(IDS, training=True))
    expected = tape.gradient(plain, network.trainable_variables)
    assert float(value) == pytest.approx(float(plain), rel=1e-6)
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-6
        )


def test_moved_it_teaches_something_else(network: Any, loss: Any) -> None:
    from training.fitting.adversarial import differentiate_both

    near, far = (
        differentiate_both(network, IDS, TARGETS, loss=loss, distance=distance)[1][-1].numpy()
        for distance in (0.0, 1.0)
    )
    assert np.abs(near - far).max() > 1e-3


def test_texts_without_tokens(network: Any, loss: Any) -> None:
    from training.fitting.adversarial import differentiate_both

    ids = np.zeros((3, 1), np.int32)
    value, gradients = differentiate_both(network, ids, TARGETS, loss=loss, distance=0.3)
    assert np.isfinite(float(value))
    assert np.isfinite(gradients[-1].numpy()).all()
