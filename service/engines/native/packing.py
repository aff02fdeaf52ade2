"""Turns the weights of a version into the arrays that the C code reads.

Products are computed with whole numbers: h, in [-1, 1], times 8191 (or 127), and the weights of
each column divided by a scale of its own. The scale is so large that no sum can reach 2^31, so
sums of 16 bits are exact, and the same in any order.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cells import CELLS, CellLayer
from service.engines.native.layout import (
    BYTES,
    LayerStruct,
    MatrixStruct,
    ModelStruct,
    Precision,
)
from service.engines.native.tables import keep_table
from service.engines.native.weights import Weights

ALIGNMENT = 64
H_RANGE: dict[Precision, float] = {"int16": 8191.0, "int8": 127.0, "float32": 1.0}
LARGEST_SUM = 2.0**31  # of 32 bits
ROUNDING = 2.0**12  # what the rounding of a weight adds to a sum at most: half of what h is
CLIPPING = np.linspace(0.6, 1.0, 41)  # of the largest weight of a column, tried for 8 bits
ROWS_AT_ONCE = 128  # of the table

Array = NDArray[np.generic]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass
class PackedModel:
    """A model as C has it, and the arrays that its pointers point into.

    Args:
        lanes: Numbers in a vector of the library.
        precision: Of the products.
    """

    lanes: int
    precision: Precision
    struct: ModelStruct = field(default_factory=ModelStruct)
    _kept: list[Any] = field(default_factory=list)

    def keep(self, array: Array) -> int:
        """Return the address of an aligned copy that lives as long as the model."""
        copy = _aligned(array)
        self._kept.append(copy)
        return copy.ctypes.data

    def hold(self, array: Array) -> int:
        """Return the address of an array that is not copied, and lives as long as the model."""
        self._kept.append(array)
        return array.ctypes.data

    def keep_layers(self, layers: list[LayerStruct]) -> Any:
        """Return an array of layers that lives as long as the model."""
        kept = (LayerStruct * len(layers))(*layers)
        self._kept.append(kept)
        return kept

    @property
    def gates(self) -> tuple[int, int]:
        """Number of layers, and of the gates of each."""
        return self.struct.layers, self.struct.cell - 1

    def width(self, units: int) -> int:
        """Return units padded to whole vectors; of 8 in the head."""
        whole = max(self.lanes, 8)
        return -(-units // whole) * whole


def pack(weights: Weights, *, lanes: int, precision: Precision) -> PackedModel:
    """Return a model for a library whose vectors have so many lanes."""
    model = PackedModel(lanes, precision)
    struct, cell = model.struct, CELLS[weights.cell]
    struct.cell, struct.precision = cell.blocks, BYTES[precision]
    struct.layers, struct.vocabulary = len(weights.layers), len(weights.embedding)
    below: int | None = None
    layers = []
    for layer in weights.layers:
        layers.append(_pack_layer(model, layer, weights, below=below))
        below = layer.units
    struct.layer = model.keep_layers(layers)
    _pack_head(model, weights)
    return model


def _pack_layer(
    model: PackedModel, layer: CellLayer, weights: Weights, *, below: int | None
) -> LayerStruct:
    units, blocks = layer.units, CELLS[layer.cell].blocks
    struct = LayerStruct(units=units, width=model.width(units))
    biases = np.atleast_2d(layer.bias)
    inner = biases[1] if len(biases) > 1 else np.zeros_like(biases[0])
    struct.recurrent = _pack_matrix(model, layer.recurrent, inner, blocks=blocks)
    if below is None:
        _pack_table(model, struct, layer, weights)
    else:
        struct.kernel = _pack_matrix(model, layer.kernel, biases[0], blocks=blocks)
    return struct


def _pack_matrix(model: PackedModel, matrix: Floats, bias: Floats, *, blocks: int) -> MatrixStruct:
    """Return a matrix (rows, blocks * units) and a bias as C has them."""
    units = matrix.shape[1] // blocks
    rows, width = model.width(len(matrix)), model.width(units)
    padded = np.zeros((rows, blocks, width), np.float32)
    padded[: len(matrix), :, :units] = matrix.reshape(len(matrix), blocks, units)
    whole, scale = quantise(padded.reshape(rows, -1), precision=model.precision)
    group = 4 // BYTES[model.precision]
    lanes = model.lanes
    packed = whole.reshape(rows // group, group, blocks, width // lanes, lanes)
    start = np.zeros(blocks * width, np.int32)
    if model.precision == "int8":  # h is stored without a sign, 128 too large
        start = -128 * whole.astype(np.int32).sum(axis=0, dtype=np.int32)
    return MatrixStruct(
        weights=model.keep(packed.transpose(3, 0, 2, 4, 1)),
        start=model.keep(start),
        scale=model.keep((scale / H_RANGE[model.precision]).astype(np.float32)),
        bias=model.keep(pad_columns(bias, blocks=blocks, width=width)),
        rows=rows,
    )


def pad_columns(values: Floats, *, blocks: int, width: int) -> Floats:
    """Return values (…, blocks * units) with zeros behind each block, (…, blocks * width)."""
    *front, columns = values.shape
    units = columns // blocks
    padded = np.zeros((*front, blocks, width), values.dtype)
    padded[..., :units] = values.reshape(*front, blocks, units)
    return padded.reshape(*front, blocks * width)


def quantise(matrix: Floats, *, precision: Precision) -> tuple[Array, Doubles]:
    """Return the whole numbers of a matrix and the scale of each column: their product is it."""
    if precision == "float32":
        return matrix, np.ones(matrix.shape[1])
    exact = np.asarray(matrix, np.float64)
    largest = np.maximum(np.abs(exact).max(axis=0), 1e-30)
    if precision == "int16":
        sums = np.abs(exact).sum(axis=0) * H_RANGE["int16"]
        room = LARGEST_SUM - ROUNDING * np.count_nonzero(exact, axis=0)  # not of padding
        scale = np.maximum(sums / room, largest / 32_767)
        return np.rint(exact / scale).astype(np.int16), scale
    scale = largest / 127 * _best_clipping(exact, largest)
    return np.clip(np.rint(exact / scale), -127, 127).astype(np.int8), scale


def _best_clipping(matrix: Doubles, largest: Doubles) -> Doubles:
    """Return the share of each column's largest weight with the least squared error of 8 bits."""
    best, least = np.ones(len(largest)), np.full(len(largest), np.inf)
    for share in CLIPPING:
        scale = share * largest / 127
        error = np.square(np.clip(np.rint(matrix / scale), -127, 127) * scale - matrix).sum(axis=0)
        better = error < least
        best[better], least[better] = share, error[better]
    return best


def _pack_table(
    model: PackedModel, struct: LayerStruct, layer: CellLayer, weights: Weights
) -> None:
    """Add x W + b of every token, in 16 bits unless the products are exact."""
    exact = model.precision == "float32"
    columns = CELLS[layer.cell].blocks * struct.width
    scale = _table_scale(layer, weights.embedding)
    dtype = np.float32 if exact else np.int16

    def blocks() -> Iterator[Array]:
        for rows in _table_rows(layer, weights.embedding):
            entries = rows if exact else np.rint(rows / scale)
            yield pad_columns(
                entries.astype(dtype), blocks=CELLS[layer.cell].blocks, width=struct.width
            )

    name = _name_table(layer, weights.embedding, width=struct.width, dtype=dtype)
    table = keep_table(name, blocks, shape=(len(weights.embedding), columns), dtype=dtype)
    if table.ctypes.data % ALIGNMENT:  # one that is in memory
        table = _aligned(table)
    struct.table = model.hold(table)
    padded = pad_columns(scale, blocks=CELLS[layer.cell].blocks, width=struct.width)
    struct.table_scale = model.keep(padded)


def _name_table(layer: CellLayer, embedding: Array, *, width: int, dtype: type) -> str:
    """Return a hash of all that decides what is in a table, whichever version it is made for.

    A hash of files would not do: the metadata say where in them the weights lie.
    """
    blocks = CELLS[layer.cell].blocks
    digest = hashlib.sha256(f"{blocks} {width} {np.dtype(dtype)}".encode())
    for array in (embedding, layer.kernel, np.atleast_2d(layer.bias)[0]):
        digest.update(f" {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def _table_scale(layer: CellLayer, embedding: Array) -> Floats:
    """Return what 1 in each column of 16 bits is worth."""
    largest = np.full(layer.kernel.shape[1], 1e-30, np.float32)
    for rows in _table_rows(layer, embedding):
        np.maximum(largest, rows.max(axis=0), out=largest)
        np.maximum(largest, -rows.min(axis=0), out=largest)
    return largest / np.float32(32_767)


def _table_rows(layer: CellLayer, embedding: Array) -> Iterator[Floats]:
    """Yield x W + b of all tokens, some at a time: as much as the second cache holds."""
    bias = np.atleast_2d(layer.bias)[0]
    for start in range(0, len(embedding), ROWS_AT_ONCE):
        part = np.asarray(embedding[start : start + ROWS_AT_ONCE], np.float32)
        rows: Floats = part @ layer.kernel
        rows += bias
        yield rows


def _pack_head(model: PackedModel, weights: Weights) -> None:
    struct, labels = model.struct, len(weights.head_bias)
    units = weights.layers[-1].units
    width = model.width(units)
    head = np.zeros((labels, 3, width), np.float32)  # of maximum, mean and last state
    head[:, :, :units] = weights.head.T.reshape(labels, 3, units)
    struct.labels, struct.exclusive = labels, weights.exclusive
    struct.head, struct.bias = model.keep(head), model.keep(weights.head_bias)
    if weights.ngrams is not None:
        buckets, columns = weights.ngrams.shape
        struct.ngrams = model.hold(weights.ngrams)
        struct.buckets, struct.columns = buckets, columns
        struct.ngram_scale = weights.ngram_scale


def _aligned(array: Array) -> Array:
    """Return a contiguous copy at an address that vectors can be loaded from."""
    memory = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
