"""The pool is one, in whichever form it is computed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.network import pool_tensors
from training.network.pool import RunningPool, join_pool, pool_piece, pool_prefixes

pytestmark = pytest.mark.tensorflow  # which the module imports

UNITS = 3
LENGTHS = [7, 1, 0, 4]


@pytest.fixture
def states() -> np.ndarray:
    """Of texts that are padded on the right, all of them negative in one unit."""
    drawn = np.random.default_rng(1).normal(size=(len(LENGTHS), 7, UNITS)).astype(np.float32)
    drawn[:, :, 0] = -np.abs(drawn[:, :, 0])
    return drawn


@pytest.fixture
def mask() -> np.ndarray:
    return np.arange(7)[None] < np.array(LENGTHS)[:, None]


def pool_whole(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    pooled = RunningPool()(keras.ops.convert_to_tensor(states), mask.astype(np.int32))
    return np.asarray(pooled)


def test_the_pool_of_a_text(states: np.ndarray, mask: np.ndarray) -> None:
    for row, length, found in zip(states, LENGTHS, pool_whole(states, mask), strict=True):
        read = row[:length]
        if not length:
            assert not found.any()
            continue
        parts = [np.maximum(read.max(axis=0), 0), read.mean(axis=0), read[-1]]
        np.testing.assert_allclose(found, np.concatenate(parts), rtol=1e-5)


@pytest.mark.parametrize("cuts", [[3], [1, 2, 6], []])
def test_pieces_come_to_the_whole(cuts: list[int], states: np.ndarray, mask: np.ndarray) -> None:
    carried = {
        tensor.name: tf.fill((len(states), *tensor.shape), tensor.fill)
        for tensor in pool_tensors(UNITS)
    }
    pieces = zip(np.split(states, cuts, axis=1), np.split(mask, cuts, axis=1), strict=True)
    total = np.zeros((len(states), 1))
    for piece, real in pieces:
        carried, read = pool_piece(carried, tf.constant(piece), tf.constant(real))
        total += read.numpy()
    assert set(carried) == {tensor.name for tensor in pool_tensors(UNITS)}
    assert total[:, 0].tolist() == carried["count"].numpy()[:, 0].tolist() == LENGTHS
    last = [
        row[length - 1] if length else 0 * row[0]
        for row, length in zip(states, LENGTHS, strict=True)
    ]
    found = join_pool(carried, last=tf.constant(np.array(last)))
    np.testing.assert_allclose(found, pool_whole(states, mask), rtol=1e-5, atol=1e-6)


def test_prefixes_are_the_pools_of_shorter_texts(states: np.ndarray) -> None:
    found = pool_prefixes(states[0])
    assert found.shape == (7, 3 * UNITS)
    for end in range(1, 8):
        whole = pool_whole(states[:1, :end], np.ones((1, end), bool))
        np.testing.assert_allclose(found[end - 1], whole[0], rtol=1e-5, atol=1e-6)
