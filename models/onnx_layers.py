"""Writes a recurrent layer in ONNX, with one writer for each cell.

Gate orders and equations of the fused operators: LSTM, GRU and RNN of the ONNX specification
(https://onnx.ai/onnx/operators/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.cells import CellName
from models.onnx_graph import Graph

Weights = Sequence[NDArray[np.float32]]


class Writer(Protocol):
    """Adds a layer of one cell to a graph."""

    def __call__(
        self, graph: Graph, sequence: str, lengths: str, *, weights: Weights, names: Sequence[str]
    ) -> str:
        """Add the layer and its next state, as `next_<name>`; return the name of its output.

        Args:
            graph: The graph to extend.
            sequence: Name of the input, shape (time, batch, inputs).
            lengths: Name of the numbers of real tokens of each row, int32 (batch,).
            weights: Weights in Keras's form.
            names: Names of the state tensors before, each (batch, units).

        Returns:
            The name of the states (time, batch, units), 0 at padding.
        """


@dataclass(frozen=True, kw_only=True)
class Fused:
    """Writes a layer as the fused ONNX operator of its cell.

    Args:
        operator: Name of the operator.
        order: Place in Keras of each block of columns of the operator.
        options: Attributes of the operator.
    """

    operator: str
    order: tuple[int, ...]
    options: Mapping[str, int] = field(default_factory=dict)

    def __call__(
        self, graph: Graph, sequence: str, lengths: str, *, weights: Weights, names: Sequence[str]
    ) -> str:
        """As `Writer`."""
        before = [graph.add("Unsqueeze", [name, graph.axes(0)]) for name in names]
        arrays = self._arrange(weights)
        states, *last = graph.add_many(
            self.operator,
            [sequence, *map(graph.weight, arrays), lengths, *before],
            outputs=1 + len(names),
            hidden_size=int(arrays[1].shape[2]),
            **self.options,
        )
        # The fused operator loses the state of a row without tokens; these nodes keep it.
        some = graph.add("Greater", [lengths, graph.constant(np.int32(0))])
        some = graph.add("Unsqueeze", [some, graph.axes(1)])
        for name, value in zip(names, last, strict=True):
            after = graph.add("Squeeze", [value, graph.axes(0)])
            graph.add("Where", [some, after, name], name=f"next_{name}")
        return graph.add("Squeeze", [states, graph.axes(1)])

    def _arrange(self, weights: Weights) -> list[NDArray[np.float32]]:
        """Return W, R and B of the operator from a Keras layer's three weights.

        Keras keeps the gates in columns, (inputs, gates * units). ONNX keeps them in rows,
        (1, gates * units, inputs), and both biases one after the other, (1, 2 * gates * units).
        """
        kernel, recurrent, bias = weights
        biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        kernel, recurrent, biases = map(self._reorder, (kernel, recurrent, biases))
        return [kernel.T[None], recurrent.T[None], biases.reshape(1, -1)]

    def _reorder(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        blocks = np.split(columns, len(self.order), axis=-1)
        return np.concatenate([blocks[place] for place in self.order], axis=-1)


WRITERS: dict[CellName, Writer] = {
    # Keras: input, forget, candidate, output; ONNX: input, output, forget, candidate.
    "lstm": Fused(operator="LSTM", order=(0, 3, 1, 2)),
    # Both: update, reset, candidate.
    "gru": Fused(operator="GRU", order=(0, 1, 2), options={"linear_before_reset": 1}),
    "rnn": Fused(operator="RNN", order=(0,)),
}
