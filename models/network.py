"""The network of a version, as its metadata describe it: shapes of its weights, and its state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from models.cells import CELLS, CellName, state_names, weight_names
from models.errors import VersionCorrupt
from models.metadata import Metadata, StateTensor
from models.ngrams import NAME, REMEMBERED, REMEMBERED_BEFORE

Shape = tuple[int, ...]
HEAD = ("kernel", "bias")
"""Names of the weights between pool and logits."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What decides the shapes of a network.

    Args:
        cell: The cell of its layers.
        layers: Number of recurrent layers.
        units: Width of each layer's state.
        embedding: Width of a token's vector.
        vocabulary: Number of tokens.
        labels: Number of labels.
        exclusive: Whether a text has exactly one label.
        buckets: Rows of the table of n-grams; 0 without one.
        columns: Columns of that table.
        remembered: Tokens whose n-grams are remembered; with REMEMBERED_BEFORE each one counts.
    """

    cell: CellName
    layers: int
    units: int
    embedding: int
    vocabulary: int
    labels: int
    exclusive: bool
    buckets: int = 0
    columns: int = 0
    remembered: int = REMEMBERED

    @classmethod
    def of(cls, metadata: Metadata) -> Self:
        """Return the network of a version."""
        sizes = metadata.architecture
        table = sizes.ngrams
        recent = [tensor.shape for tensor in metadata.state if tensor.name == "recent"]
        counts_every = recent == [(REMEMBERED_BEFORE,)] and metadata.format_version in (2, 3)
        return cls(
            cell=sizes.cell,
            layers=sizes.layers,
            units=sizes.units,
            embedding=sizes.embedding,
            vocabulary=sizes.vocabulary,
            labels=len(metadata.labels),
            exclusive=metadata.task == "single_label",
            buckets=0 if table is None else table.buckets,
            columns=0 if table is None else table.columns,
            remembered=REMEMBERED_BEFORE if counts_every else REMEMBERED,
        )

    @property
    def state(self) -> tuple[StateTensor, ...]:
        """What is remembered of a text: layers' states, running pool, and n-grams if any."""
        shapes: dict[str, Shape] = {
            name: (self.units,)
            for layer in range(self.layers)
            for name in state_names(self.cell, layer)
        }
        ngrams = {"ngrams": (self.columns,), "recent": (self.remembered,)} if self.buckets else {}
        return (*_zeros(shapes), *pool_tensors(self.units), *_zeros(ngrams))

    @property
    def weights(self) -> dict[str, Shape]:
        """The shape of each weight by its name, those of the layers in Keras's layout."""
        shapes: dict[str, Shape] = {"embedding": (self.vocabulary, self.embedding)}
        cell = CELLS[self.cell]
        columns = cell.blocks * self.units
        bias = (columns,) if cell.biases == 1 else (cell.biases, columns)
        for layer in range(self.layers):
            inputs = self.units if layer else self.embedding
            parts = {"kernel": (inputs, columns), "recurrent": (self.units, columns), "bias": bias}
            names = weight_names(self.cell, layer)
            shapes |= zip(names, (parts[part] for part in cell.weights), strict=True)
        shapes |= zip(HEAD, ((3 * self.units, self.labels), (self.labels,)), strict=True)
        if self.buckets:
            shapes[NAME] = (self.buckets, self.columns)
        return shapes


def pool_tensors(units: int) -> tuple[StateTensor, ...]:
    """Return what the running pool carries from one piece of a text to the next."""
    return _zeros({"maximum": (units,), "mean": (units,), "count": (1,)})


def _zeros(shapes: Mapping[str, Shape]) -> tuple[StateTensor, ...]:
    """Return state tensors that are 0 before the first token."""
    return tuple(StateTensor(name=name, shape=shape, fill=0.0) for name, shape in shapes.items())


def check_network(metadata: Metadata) -> None:
    """Check that the weights have the shapes of the network that the metadata describe.

    Raises:
        VersionCorrupt: They have not, so whoever computes would read beside them.
    """
    network = Network.of(metadata)
    if network.buckets and network.columns not in {network.labels, 1 if network.labels == 2 else 0}:
        raise VersionCorrupt.mismatch(
            "columns of the n-gram table", expected=network.labels, found=network.columns
        )
    for name, record in metadata.weights.items():
        expected = network.weights.get(name)
        if record.shape != expected:
            raise VersionCorrupt.mismatch(
                f"shape of the weight {name[:40]!r}", expected=expected, found=record.shape
            )


def check_state(metadata: Metadata) -> None:
    """Check that the state is that of the network.

    Raises:
        VersionCorrupt: It is not, so whoever computes would write beside it.
    """
    network = Network.of(metadata)
    if metadata.state != network.state:
        raise VersionCorrupt.mismatch(
            "state", expected=_names(network.state), found=_names(metadata.state[:20])
        )


def _names(state: tuple[StateTensor, ...]) -> str:
    return ", ".join(f"{tensor.name[:20]}{list(tensor.shape)}" for tensor in state)
