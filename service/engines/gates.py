"""The opening of a network's gates at each token, computed in NumPy from its weights.

For engines that do not show their gates.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.cells import CellLayer, run_cell, state_names, weight_names
from models.versions import Version
from service.engines.protocol import Openings, TextState
from service.errors import NoWeights


class Layers:
    """The recurrent layers of a version.

    Args:
        embedding: Vector of each id, shape (vocabulary, width).
        cells: The layers; the first one reads the vectors.
    """

    def __init__(self, embedding: NDArray[np.generic], cells: Sequence[CellLayer]) -> None:
        self._embedding = embedding
        self._cells = cells

    @classmethod
    def of(cls, version: Version) -> "Layers":
        """Return the layers of a version.

        Raises:
            NoWeights: Its metadata have no places of weights.
        """
        if not version.metadata.weights:
            raise NoWeights(version.reference)
        shape = version.metadata.architecture
        cells = [
            CellLayer.of(
                shape.cell, [_weight(version, name) for name in weight_names(shape.cell, layer)]
            )
            for layer in range(shape.layers)
        ]
        return cls(version.weight("embedding"), cells)

    def open_gates(self, ids: Row, state: TextState | None) -> Openings:
        """See GateEngine."""
        return self.read(ids, state)[1]

    def read(self, ids: Row, state: TextState | None) -> tuple[TextState, Openings]:
        """Return the layers' states after ids, and the openings of the gates.

        Args:
            ids: The ids to read.
            state: State of the text before, in the form of an engine; None at the start.
        """
        sequence = np.asarray(self._embedding[np.asarray(ids, np.int32)], np.float32)
        after: TextState = {}
        openings = []
        for number, cell in enumerate(self._cells):
            names = state_names(cell.cell, number)
            before = [self._before(name, cell, state) for name in names]
            trace = run_cell(cell, sequence, state=before)
            sequence = trace.states[0]
            last = (states[-1] for states in trace.states) if len(sequence) else before
            after |= zip(names, last, strict=True)
            openings.append(_means(trace.gates, len(sequence)))
        return after, np.stack(openings, axis=1)

    @staticmethod
    def _before(name: str, cell: CellLayer, state: TextState | None) -> np.ndarray:
        zero = np.zeros(cell.units, np.float32)
        return zero if state is None else state.get(name, zero)


def _weight(version: Version, name: str) -> NDArray[np.float32]:
    # A copy: the weight may start at any byte of its file, and each product would copy it again.
    return np.array(version.weight(name), np.float32)


def _means(gates: dict[str, np.ndarray], count: int) -> NDArray[np.float32]:
    """Return the mean over units of each gate at each token, (count, gates)."""
    means = [gate.mean(axis=1) for gate in gates.values()]
    return np.stack(means, axis=1) if means else np.empty((count, 0), np.float32)
