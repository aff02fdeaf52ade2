"""Classifiers with weights at random, and what they should answer by the equations in NumPy."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.cells import CELLS, CellLayer, CellName, run_cell
from models.metadata import StateTensor
from models.ngrams import ORDERS, find_repeated, hash_ngrams, spread
from service.engines.native.engine import NativeEngine
from service.engines.native.layout import Precision
from service.engines.native.library import Library
from service.engines.native.packing import pack
from service.engines.native.weights import Weights

VOCABULARY, EMBEDDING, BUCKETS = 60, 7, 1_009


def make_weights(
    cell: CellName,
    *,
    units: Sequence[int] = (12,),
    labels: int = 2,
    exclusive: bool = True,
    ngrams: bool = True,
    seed: int = 0,
) -> Weights:
    """Return a classifier whose layers have so many units, from the first on."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return random.normal(0, 0.6 / np.sqrt(shape[0]), shape).astype(np.float32)

    blocks, biases = CELLS[cell].blocks, CELLS[cell].biases
    layers = [
        CellLayer.of(
            cell,
            [
                draw(inputs, blocks * outputs),
                draw(outputs, blocks * outputs),
                draw(biases, blocks * outputs)[0 if biases == 1 else slice(None)],
            ],
        )
        for inputs, outputs in pairwise((EMBEDDING, *units))
    ]
    columns = 1 if exclusive and labels == 2 else labels
    table = random.integers(-127, 128, (BUCKETS, columns)).astype(np.int8)
    return Weights(
        cell=cell,
        embedding=random.normal(0, 1, (VOCABULARY, EMBEDDING)).astype(np.float16),
        layers=tuple(layers),
        head=draw(3 * units[-1], labels),
        head_bias=draw(labels),
        exclusive=exclusive,
        ngrams=table if ngrams else None,
        ngram_scale=5e-5,
    )


def make_engine(
    weights: Weights, *, library: Library, precision: Precision = "float32"
) -> NativeEngine:
    model = pack(weights, lanes=library.lanes, precision=precision)
    return NativeEngine(model, library=library, state=tensors_of(weights))


def tensors_of(weights: Weights) -> tuple[StateTensor, ...]:
    """Return the state tensors as an export records them."""
    shapes: dict[str, int] = {}
    for number, layer in enumerate(weights.layers):
        shapes |= {f"{name}{number}": layer.units for name in CELLS[weights.cell].states}
    last = weights.layers[-1].units
    shapes |= {"maximum": last, "mean": last, "count": 1}
    if weights.ngrams is not None:
        shapes |= {"ngrams": weights.ngrams.shape[1], "recent": 130}
    return tuple(StateTensor(name=name, shape=(n,), fill=0.0) for name, n in shapes.items())


def expect(weights: Weights, row: Sequence[int]) -> np.ndarray:
    """Return the probabilities of a text, by the equations of models/cells.py."""
    sequence = np.asarray(weights.embedding[np.asarray(row, np.int64)], np.float32)
    for layer in weights.layers:
        sequence = run_cell(layer, sequence).states[0]
    pool = np.zeros(3 * weights.layers[-1].units, np.float32)
    if len(row):
        maximum = np.maximum(sequence.max(axis=0), 0)
        pool = np.concatenate([maximum, sequence.mean(axis=0), sequence[-1]])
    logits = pool @ weights.head + weights.head_bias
    if weights.ngrams is not None and len(row):
        logits = logits + _look_up(weights, np.asarray(row, np.int64))
    odds = np.exp(logits - logits.max()) if weights.exclusive else 1 / (1 + np.exp(-logits))
    return odds / odds.sum() if weights.exclusive else odds


def _look_up(weights: Weights, ids: np.ndarray) -> np.ndarray:
    padded = np.concatenate([np.zeros(ORDERS - 1, np.int64), ids])
    counts = ~find_repeated(padded, texts=np.zeros(len(ids), np.int64))
    roots = weights.ngrams[hash_ngrams(padded, buckets=BUCKETS)[counts]].astype(np.float64)
    sums = weights.ngram_scale * (roots * np.abs(roots)).sum(axis=0) / np.sqrt(len(ids))
    return spread(sums[None], labels=len(weights.head_bias))[0]


def draw_rows(seed: int, *, texts: int = 23, longest: int = 150) -> list[np.ndarray]:
    """Return texts of unlike length, one of them empty; words come again."""
    random = np.random.default_rng(seed)
    lengths = [0, 1, *random.integers(1, longest, texts - 2)]
    return [random.integers(1, VOCABULARY, length).astype(np.int32) for length in lengths]
