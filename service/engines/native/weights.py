"""The weights of a version, read where they lie in the SavedModel's variables."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.cells import CellLayer, CellName, weight_names
from models.errors import VersionCorrupt
from models.metadata import WeightRecord
from models.network import HEAD, Network, check_network, check_state
from models.ngrams import NAME, ORDERS
from models.variables import find_variables
from models.versions import Version, read_weight
from service.engines.protocol import EngineUnavailable

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """Everything that a classifier computes with.

    Args:
        cell: The cell of its layers.
        embedding: Vector of each id, shape (vocabulary, inputs), mapped from its file.
        layers: The recurrent layers, from the first on.
        head: Shape (3 * units, labels): of maximum, mean and last state.
        head_bias: Shape (labels,).
        exclusive: Whether a text has exactly one label.
        ngrams: Shape (buckets, columns), int8, mapped from its file; None without n-grams.
        ngram_scale: Amount that an entry of 1 adds to a logit.
    """

    cell: CellName
    embedding: NDArray[np.generic]
    layers: tuple[CellLayer, ...]
    head: Floats
    head_bias: Floats
    exclusive: bool
    ngrams: NDArray[np.generic] | None
    ngram_scale: float

    @classmethod
    def of(cls, version: Version) -> "Weights":
        """Return the weights of a version.

        Raises:
            EngineUnavailable: Its format does not say where they are.
            VersionCorrupt: Its files are damaged.
        """
        metadata = version.metadata
        shape, table = metadata.architecture, metadata.architecture.ngrams
        if not metadata.weights:
            raise EngineUnavailable("its metadata do not say where the weights are")
        if table is not None and (table.scale is None or table.orders != ORDERS):
            raise EngineUnavailable("its metadata do not say what its n-grams are worth")
        variables = find_variables(version.path)
        if missing := set(HEAD) - variables.keys():
            raise EngineUnavailable(f"its variables have no {' and no '.join(sorted(missing))}")
        check_network(metadata)
        check_state(metadata)
        head, head_bias = (_read_head(version, name, variables[name]) for name in HEAD)

        def read(name: str) -> Floats:
            return np.array(version.weight(name), np.float32)

        return cls(
            cell=shape.cell,
            embedding=version.weight("embedding"),
            layers=tuple(
                CellLayer.of(shape.cell, [read(name) for name in weight_names(shape.cell, layer)])
                for layer in range(shape.layers)
            ),
            head=head,
            head_bias=head_bias,
            exclusive=metadata.task == "single_label",
            ngrams=None if table is None else version.weight(NAME),
            ngram_scale=0.0 if table is None else table.scale or 0.0,
        )


def _read_head(version: Version, name: str, record: WeightRecord) -> Floats:
    expected = Network.of(version.metadata).weights[name]
    if record.shape != expected:
        raise VersionCorrupt.mismatch(f"shape of {name}", expected=expected, found=record.shape)
    return np.array(read_weight(version.path, record), np.float32)
