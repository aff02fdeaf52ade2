"""The fused AdamW takes the steps of the one that Keras writes out."""

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow  # which the module imports

START = {"table": np.linspace(-1, 1, 12).reshape(6, 2), "bias": np.array([0.5, -0.5])}


def make_variables() -> list[Any]:
    import keras

    return [keras.Variable(value.astype(np.float32), name=name) for name, value in START.items()]


def make_gradients(step: int) -> list[Any]:
    """Return a gradient of a few rows, one of them twice, and a dense one."""
    import tensorflow as tf

    random = np.random.default_rng(step)
    rows = tf.IndexedSlices(random.normal(size=(3, 2)).astype(np.float32), [1, 4, 1], [6, 2])
    return [rows, tf.constant(random.normal(size=2).astype(np.float32))]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_same_steps_as_keras(decay: float) -> None:
    import keras
    import tensorflow as tf

    from training.fitting.optimizer import EPSILON, LARGEST_NORM, AdamW, make_rate

    rate = make_rate(0.1, steps=9, warmup=2)
    ours, theirs = make_variables(), make_variables()
    fused = AdamW(ours, rate=rate, decay=decay, beta_2=0.99)
    options = {"beta_2": 0.99, "epsilon": EPSILON, "weight_decay": decay}
    plain = keras.optimizers.AdamW(rate, **options)
    plain.build(theirs)
    for step in range(9):
        clipped, norm = tf.clip_by_global_norm(make_gradients(step), LARGEST_NORM)
        assert norm > LARGEST_NORM
        fused.apply(make_gradients(step))
        # Dense ones, for of a row that is there twice Keras adds the squares, not the gradients.
        plain.apply([tf.convert_to_tensor(gradient) for gradient in clipped], theirs)
    for mine, yours in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.numpy(), yours.numpy(), atol=1e-5)


def test_rows_without_gradient_move_on() -> None:
    from training.fitting.optimizer import AdamW

    variables = make_variables()
    optimizer = AdamW(variables, rate=lambda _: 0.1)
    optimizer.apply(make_gradients(0))
    before = variables[0].numpy()
    optimizer.apply([0 * variables[0], variables[1]])
    after = variables[0].numpy()
    assert (after[[1, 4]] != before[[1, 4]]).all()  # by the mean of the gradients so far
    np.testing.assert_array_equal(after[[0, 2, 3, 5]], before[[0, 2, 3, 5]])


def test_it_can_be_saved_and_put_back() -> None:
    from training.fitting.optimizer import AdamW

    one, other = make_variables(), make_variables()
    first, second = AdamW(one, rate=lambda _: 0.1), AdamW(other, rate=lambda _: 0.1)
    first.apply(make_gradients(0))
    for mine, yours in zip(second.variables, first.variables, strict=True):
        mine.assign(yours)
    for mine, yours in zip(other, one, strict=True):
        mine.assign(yours)
    for optimizer in (first, second):
        optimizer.apply(make_gradients(1))
    np.testing.assert_array_equal(one[0].numpy(), other[0].numpy())
