"""A trained classifier computed once more in double precision, and what rounding does to it.

It is made of the trained weights and of the equations in `models/cells.py` and `models/ngrams.py`.
It shares no code with Keras, with the export or with an engine.

Single precision has no one error: a sharp calibration, long texts and large weights multiply it.
So the network is computed several times more, each time with random errors of the size that single
precision makes at that step (Parker, "Monte Carlo Arithmetic", UCLA CSD-970002, 1997). How far
these move the logits of a text is the rounding error to expect for that text. For a sum of
products the size is a unit of rounding times the sum of their magnitudes, which is at most the
product of the norms (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, chapter 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.batching import Row, pad
from models.cells import CELLS, CellLayer, CellName
from models.metadata import Task
from models.ngrams import ORDERS, find_repeated, hash_ngrams, spread

if TYPE_CHECKING:
    from training.recipe.classifier import TrainedClassifier

UNIT = 2.0**-24  # relative error of one rounding to single precision
DRAWS = 4  # computations with random errors
AT_ONCE = 256  # texts; limits the memory

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceAnswers:
    """The logits of some texts, and what rounding makes of them.

    Args:
        logits: Shape (rows, labels).
        rounding: Error to expect of a logit in single precision, shape (rows,).
        task: Whether labels exclude each other.
    """

    logits: NDArray[np.float64]
    rounding: NDArray[np.float64]
    task: Task


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceClassifier:
    """The weights of a classifier, to be computed with in the precision that they have.

    Args:
        embedding: Shape (vocabulary, width).
        layers: The recurrent layers.
        kernel: From the pool to the logits, shape (3 * units, labels).
        bias: Shape (labels,).
        ngrams: Weights of the n-grams as they add to a logit, shape (buckets, columns), or None.
        task: Whether labels exclude each other.
    """

    embedding: Array
    layers: tuple[CellLayer, ...]
    kernel: Array
    bias: Array
    ngrams: Array | None
    task: Task

    @classmethod
    def of(cls, classifier: "TrainedClassifier") -> Self:
        """Return the reference of a trained classifier; scaling and biases are added up anew."""
        network, shape = classifier.network, classifier.shape
        (embedding,) = network.get_layer("embedding").get_weights()
        layers = (network.get_layer(f"recurrent_{n}").get_weights() for n in range(shape.layers))
        kernel, bias = network.get_layer("logits").get_weights()
        scaling, table = classifier.scaling, classifier.ngrams
        weight, *others = map(float, scaling.weights)
        bias = weight * _double(bias) + _double(scaling.bias)
        ngrams = None
        if table is not None:
            roots = _double(table.table)
            ngrams = others[0] * table.scale * roots * np.abs(roots)
            bias = bias + others[0] * spread(_double(table.bias)[None], labels=table.labels)[0]
        return cls(
            embedding=_double(embedding),
            layers=tuple(_make_layer(shape.cell, weights) for weights in layers),
            kernel=weight * _double(kernel),
            bias=bias,
            ngrams=ngrams,
            task=classifier.task,
        )

    def answer(self, rows: Sequence[Row], *, draws: int = DRAWS) -> ReferenceAnswers:
        """Return the logits of rows of ids, and the rounding error to expect of each row."""
        with threadpool_limits(1):  # products are small: threads wait for each other
            parts = [
                self._compute(rows[start : start + AT_ONCE], _Errors(draws))
                for start in range(0, len(rows), AT_ONCE)
            ]
        exact, *drawn = np.concatenate(parts).transpose(1, 0, 2)
        errors = np.sqrt(np.mean(np.square(drawn - exact), axis=0)) if drawn else exact * 0
        return ReferenceAnswers(logits=exact, rounding=errors.max(axis=1), task=self.task)

    def _compute(self, rows: Sequence[Row], errors: "_Errors") -> Array:
        """Return the logits without errors and with drawn ones, (rows, copies, labels)."""
        lengths = np.maximum(1, [len(row) for row in rows])[:, None].astype(self.kernel.dtype)
        pooled = self._read(rows, lengths, errors)
        logits = pooled @ self.kernel + self.bias
        size = _norms(pooled, axis=1) * _norms(self.kernel) + np.abs(self.bias) + np.abs(logits)
        if self.ngrams is not None:
            added, sizes = self._look_up(rows)
            logits += errors.copy(added)
            size += errors.copy(sizes + np.sqrt(ORDERS * lengths) * np.abs(added))
        return errors.add(logits, size=size).reshape(len(rows), errors.copies, -1)

    def _read(self, rows: Sequence[Row], lengths: Array, errors: "_Errors") -> Array:
        """Return the pool of each copy of texts, shape (rows * copies, 3 * units)."""
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        ids = pad([rows[row] for row in order])
        longest_first = np.array([len(rows[row]) for row in order])
        count = len(rows) * errors.copies
        pool = np.zeros((3, count, self.layers[-1].units), self.kernel.dtype)
        maximum, mean, last = pool
        layers = [_Layer(layer, count=count, errors=errors) for layer in self.layers]
        for time in range(max(map(len, rows))):
            going_on = int(np.count_nonzero(longest_first > time))
            here = slice(going_on * errors.copies)
            shown = errors.copy(self.embedding[ids[:going_on, time]])
            for layer in layers:
                shown = layer.read(shown, here)
            maximum[here] = np.maximum(maximum[here], shown)
            mean[here] += shown
            last[here] = shown
        counts = errors.copy(lengths[order])
        mean /= counts
        mean[:] = errors.add(mean, size=1 + np.sqrt(counts) * np.abs(mean))
        back = np.argsort(order)
        parts = pool.reshape(3, len(rows), errors.copies, -1)[:, back]
        return np.concatenate(parts, axis=2).reshape(count, -1)

    def _look_up(self, rows: Sequence[Row]) -> tuple[Array, Array]:
        """Return what the n-grams add to the logits, and the sum of its magnitudes."""
        found = np.stack([self._look_up_one(np.asarray(row, np.int64)) for row in rows], axis=1)
        added, sizes = (spread(part, labels=len(self.bias)) for part in found)
        return added, np.abs(sizes)

    def _look_up_one(self, ids: NDArray[np.int64]) -> Array:
        padded = np.concatenate([np.zeros(ORDERS - 1, np.int64), ids])
        counts = ~find_repeated(padded, texts=np.zeros(len(ids), np.int64))
        weights = self.ngrams[hash_ngrams(padded, buckets=len(self.ngrams))[counts]]
        root = max(1, len(ids)) ** 0.5
        return np.stack([weights.sum(axis=0), np.abs(weights).sum(axis=0)]) / root


class _Errors:
    """Draws errors of single precision. The copies of a text lie together; the first is exact.

    Args:
        draws: Number of the other copies.
    """

    def __init__(self, draws: int) -> None:
        self.copies = 1 + draws
        self._random = np.random.default_rng(0)

    def copy(self, values: Array) -> Array:
        """Return values (rows, columns) as often as there are copies, (rows * copies, columns)."""
        return np.repeat(values, self.copies, axis=0)

    def add(self, values: Array, *, size: Array) -> Array:
        """Return values (rows * copies, columns) with errors of a unit times `size`."""
        if self.copies == 1:
            return values
        drawn = self._random.standard_normal(values.shape, np.float32)
        drawn[:: self.copies] = 0
        return values + UNIT * size * drawn


class _Layer:
    """A recurrent layer while it reads texts, the longest first.

    Args:
        layer: Its weights.
        count: Number of copies of all texts.
        errors: Draws the errors of each step.
    """

    def __init__(self, layer: CellLayer, *, count: int, errors: _Errors) -> None:
        self._layer, self._errors = layer, errors
        self._cell = CELLS[layer.cell]
        dtype = layer.kernel.dtype
        self._state = [np.zeros((count, layer.units), dtype) for _ in self._cell.states]
        biases = np.atleast_2d(layer.bias)
        self._bias, self._bias_size = biases[0], np.abs(biases).sum(axis=0)
        self._kernel_size, self._recurrent_size = _norms(layer.kernel), _norms(layer.recurrent)

    def read(self, vectors: Array, here: slice) -> Array:
        """Read a vector of each text that goes on; return the states."""
        before = tuple(tensor[here] for tensor in self._state)
        inputs = vectors @ self._layer.kernel + self._bias
        size = _norms(vectors, axis=1) * self._kernel_size + self._bias_size
        size += _norms(before[0], axis=1) * self._recurrent_size
        after, _ = self._cell.step(self._layer, self._errors.add(inputs, size=size), before)
        for tensor, value in zip(self._state, after, strict=True):
            tensor[here] = self._errors.add(value, size=1 + np.abs(value))
        return self._state[0][here]


def _double(values: Array) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)


def _make_layer(cell: CellName, weights: Sequence[Array]) -> CellLayer:
    return CellLayer.of(cell, [_double(array) for array in weights])


def _norms(values: Array, *, axis: int = 0) -> Array:
    """Return the norms along an axis; that of vectors (rows, width) is kept."""
    return np.sqrt(np.sum(np.square(values), axis=axis, keepdims=axis > 0))
