import numpy as np
import pytest

from service.engines.native.layout import PRECISIONS, Precision
from service.engines.native.packing import H_RANGE, quantise


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
