from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.engines.native.layout import PRECISIONS, Precision
from service.engines.native.packing import H_RANGE, pack, quantise
from service.engines.native.tables import SHARED
from service.engines.native.weights import Weights
from tests.service.engines.native.made_up import make_weights


@pytest.mark.parametrize("rows", [1, 9, 256, 291, 700, 1_002, 4_096])
def test_no_sum_of_a_column_overflows(rows: int) -> None:
    random = np.random.default_rng(rows)
    even = np.full((rows, 1), 0.3, np.float32)  # the rounding errors have one sign
    shares = np.linspace(0.5, 1.5, 200, dtype=np.float32)
    matrix = np.concatenate([even * shares, random.normal(0, 1, (rows, 50))], axis=1)
    whole, scale = quantise(matrix.astype(np.float32), precision="int16")
    sums = np.abs(whole.astype(np.int64)).sum(axis=0) * int(H_RANGE["int16"])
    assert sums.max() < 2**31
    np.testing.assert_allclose(whole * scale, matrix, atol=scale.max() * 0.51)


def test_no_sum_of_8_bits_overflows() -> None:
    whole, _ = quantise(np.full((4_096, 1), 0.3, np.float32), precision="int8")
    assert np.abs(whole.astype(np.int64)).sum() * 255 < 2**31


@pytest.mark.parametrize("precision", PRECISIONS)
def test_rows_that_pad_a_matrix_change_no_weight(precision: Precision) -> None:
    matrix = np.random.default_rng(0).normal(0, 1, (38, 50)).astype(np.float32)
    padded = np.pad(matrix, ((0, 10), (0, 0)))  # as for other vectors
    whole, scale = quantise(padded, precision=precision)
    expected, expected_scale = quantise(matrix, precision=precision)
    np.testing.assert_array_equal(whole[:38], expected)
    np.testing.assert_array_equal(scale, expected_scale)


def change(weights: Weights, part: str) -> Weights:
    """Return weights of which one part has other values."""
    if part == "embedding":
        return replace(weights, embedding=np.roll(weights.embedding, 1))
    (layer,) = weights.layers
    changed = {**layer.weights, part: np.roll(layer.weights[part], 1)}
    return replace(weights, layers=(replace(layer, weights=changed),))


@pytest.mark.parametrize("part", ["embedding", "kernel", "bias"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_table_is_that_of_its_own_weights(
    precision: Precision, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers share the tables of all versions, also of a stranger's copy with other offsets."""
    monkeypatch.setenv(SHARED, str(tmp_path))
    honest, other = make_weights("gru"), change(make_weights("gru"), part)
    kept = [pack(each, lanes=16, precision=precision) for each in (other, honest, honest)]
    contents = {path.read_bytes() for path in tmp_path.glob("*.table")}
    assert (len(contents), len(kept)) == (2, 3)


def test_the_same_weights_for_other_vectors_have_a_table_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED, str(tmp_path))
    kept = [
        pack(make_weights("gru"), lanes=lanes, precision=precision)
        for precision in PRECISIONS
        for lanes in (16, 32)
    ]
    assert (len(list(tmp_path.glob("*.table"))), len(kept)) == (4, 6)  # of 16 bits and of 32
