"""Classifiers at random, packed into memory without a byte to spare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import accumulate
from typing import Literal, TypeVar, get_args
from unittest.mock import patch

import numpy as np

from models.cells import CellLayer, CellName
from models.metadata import StateTensor
from service.engines.native import packing
from service.engines.native.layout import PRECISIONS, Precision
from service.engines.native.library import Library
from service.engines.native.packing import PackedModel, pack
from service.engines.native.tables import Blocks, Table
from service.engines.native.weights import Weights
from tests.service.engines.native.fuzz.memory import ExactMemory
from tests.service.engines.native.made_up import VOCABULARY, make_weights, tensors_of

MOST_LAYERS, MOST_UNITS, MOST_LABELS = 3, 70, 30
WIDE_UNITS = (100, 700)
WIDE_SHARE = 0.02  # of the classifiers; they take long

Item = TypeVar("Item")
Kind = Literal["usual", "strong", "even"]
"""Weights as in `made_up`; so large that states saturate; or the same in all rows of a column,
which gives the largest sums that there can be."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is drawn of a classifier; the seed is that of its weights."""

    cell: CellName
    units: tuple[int, ...]
    labels: int
    exclusive: bool
    ngrams: bool
    precision: Precision
    vocabulary: int
    kind: Kind
    seed: int

    @classmethod
    def draw(cls, random: np.random.Generator) -> "Shape":
        """Return a shape; most are small."""
        units = 1 + (MOST_UNITS * random.random(random.integers(1, MOST_LAYERS + 1)) ** 2)
        if random.random() < WIDE_SHARE:
            units[random.integers(len(units))] = random.integers(*WIDE_UNITS)
        return cls(
            cell=choose(random, get_args(CellName)),
            units=tuple(map(int, units)),
            labels=int(random.integers(1, MOST_LABELS + 1)) if random.random() < 0.7 else 2,
            exclusive=random.random() < 0.5,
            ngrams=random.random() < 0.6,
            precision=choose(random, PRECISIONS),
            vocabulary=VOCABULARY if random.random() < 0.8 else int(random.integers(2, VOCABULARY)),
            kind=choose(random, ("usual", "usual", *get_args(Kind))),
            seed=int(random.integers(2**31)),
        )

    @property
    def is_wide(self) -> bool:
        """Whether a token takes long."""
        return max(self.units) > MOST_UNITS + 1

    def make(self) -> Weights:
        """Return the weights."""
        made = make_weights(
            self.cell,
            units=self.units,
            labels=self.labels,
            exclusive=self.exclusive,
            ngrams=self.ngrams,
            seed=self.seed,
        )
        embedding = made.embedding[: self.vocabulary]
        layers = tuple(_change(layer, kind=self.kind) for layer in made.layers)
        return replace(made, embedding=embedding, layers=layers)


def choose(random: np.random.Generator, items: Sequence[Item]) -> Item:
    """Return one of several things."""
    return items[int(random.integers(len(items)))]


def _change(layer: CellLayer, *, kind: Kind) -> CellLayer:
    changed = dict(layer.weights)
    if kind == "strong":
        changed["recurrent"] = layer.recurrent * np.float32(50)
    if kind == "even":
        changed |= {
            part: np.broadcast_to(layer.weights[part][:1], layer.weights[part].shape)
            for part in ("kernel", "recurrent")
        }
    return CellLayer(layer.cell, changed)


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A classifier as the library reads it.

    Args:
        shape: What was drawn.
        weights: Its weights.
        model: The weights as they are packed.
        library: What computes.
        tensors: The tensors of its state.
    """

    shape: Shape
    weights: Weights
    model: PackedModel
    library: Library
    tensors: tuple[StateTensor, ...]

    @classmethod
    def make(cls, shape: Shape, *, library: Library, memory: ExactMemory) -> "Subject":
        """Return the classifier of a shape, whose arrays lie in `memory`."""
        weights = shape.make()
        if weights.ngrams is not None:
            weights = replace(weights, ngrams=memory.copy(weights.ngrams))
        with (
            patch.object(packing, "_aligned", memory.copy_aligned),
            patch.object(packing, "keep_table", partial(_keep_table, memory)),
        ):
            model = pack(weights, lanes=library.lanes, precision=shape.precision)
        return cls(
            shape=shape,
            weights=weights,
            model=model,
            library=library,
            tensors=tensors_of(weights),
        )

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each tensor is in a state, by name."""
        sizes = [tensor.shape[0] for tensor in self.tensors]
        return {
            tensor.name: slice(end - size, end)
            for tensor, size, end in zip(self.tensors, sizes, accumulate(sizes), strict=True)
        }

    @cached_property
    def state_size(self) -> int:
        """Numbers in a state."""
        return sum(tensor.shape[0] for tensor in self.tensors)


def _keep_table(
    memory: ExactMemory, _: str, blocks: Blocks, *, shape: tuple[int, int], dtype: type
) -> Table:
    """Return a table as `keep_table` does, but in memory: a file would be mapped in whole pages."""
    table = memory.empty(shape, dtype, alignment=packing.ALIGNMENT)
    table[...] = np.concatenate(list(blocks()))
    return table
