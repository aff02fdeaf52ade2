"""The recurrent cells: one record each, with its equations in NumPy, gate by gate.

All differences between cells are in the records of `CELLS`. Two more files compute the cells in
other libraries: `training/network/recurrence.py` in TensorFlow and `models/onnx_layers.py`
in ONNX. They are faster, but do not return the gates.

`x` (inputs,) is a token's vector, `h` (units,) the state before it, `s` the logistic function, and
`*` the product element by element:

simple cell (Elman, "Finding structure in time", Cognitive Science 14, 1990)
    h' = tanh(x W + h U + b)

LSTM (Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9, 1997; with the
forget gate of Gers, Schmidhuber and Cummins, "Learning to forget", Neural Computation 12, 2000)
    i, f, o = s(x W + h U + b), each with weights of its own      input, forget and output gate
    c'      = f * c + i * tanh(x W + h U + b)                     what the cell holds
    h'      = o * tanh(c')                                        what it shows

GRU (Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
translation", EMNLP 2014; the reset gate behind the product, as cuDNN and Keras have it)
    z, r    = s(x W + h U + b)                                    update and reset gate
    h'      = z * h + (1 - z) * tanh(x W + b + r * (h U + b'))

Where the update gate z or the forget gate f is near 1, the state stays as it is. An error on its
way back then passes unchanged. This is why gated cells remember and the simple cell does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
State = tuple[Array, ...]
"""The state tensors of a layer, each (units,), in the order of its cell's `states`."""
Step = Callable[["CellLayer", Array, State], tuple[State, tuple[Array, ...]]]
"""From x W + b and a state to the next state and the gates; further axes may come before."""

CellName = Literal["lstm", "gru", "rnn"]
"""Names of the cells in commands, metadata and files; the keys of `CELLS`, in its order."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The facts of one cell.

    Args:
        name: Name in commands, metadata and files.
        title: Name for people.
        gates: Names of its gates, in the order of `step`.
        keeps: The gate that is a unit's kept share of its content at a token, if any.
        states: Names of the state tensors of a layer; the next layer reads the first.
        weights: Names of the weights of a layer in Keras's order: W is the kernel, U the recurrent.
        biases: Number of biases of each column.
        step: The equations.
    """

    name: CellName
    title: str
    gates: tuple[str, ...]
    keeps: str | None
    states: tuple[str, ...]
    weights: tuple[str, ...] = ("kernel", "recurrent", "bias")
    biases: int = 1
    step: Step

    @property
    def blocks(self) -> int:
        """Columns of weights per unit: one for each gate and one for the candidate."""
        return len(self.gates) + 1

    def multiplications(self, *, inputs: int, units: int) -> int:
        """Return the multiplications of a token in a layer: its cost on any machine."""
        recurrent = units if "recurrent" in self.weights else 0
        return self.blocks * units * (inputs + recurrent)

    def count_weights(self, *, inputs: int, units: int) -> int:
        """Return the number of weights and biases of a layer."""
        return self.multiplications(inputs=inputs, units=units) + self.blocks * units * self.biases

    def kept(self, gates: Mapping[str, Array]) -> Array | None:
        """Return the share that each unit keeps at each token, (time, units); None if unknown."""
        return None if self.keeps is None else gates[self.keeps]


def weight_names(cell: CellName, layer: int) -> list[str]:
    """Return the names of a layer's weights in a version, in the order of the cell's `weights`."""
    return [f"recurrent_{layer}/{part}" for part in CELLS[cell].weights]


def state_names(cell: CellName, layer: int) -> list[str]:
    """Return the names of a layer's state tensors in a version, in the order of `states`."""
    return [f"{state}{layer}" for state in CELLS[cell].states]


@dataclass(frozen=True, eq=False)
class CellLayer:
    """A layer of one cell; its gates lie side by side in the columns, in Keras's order.

    Args:
        cell: The cell.
        weights: Weights by part. The kernel W has the shape (inputs, blocks * units): input,
            forget, candidate and output of an LSTM; update, reset and candidate of a GRU. The
            recurrent U has the shape (units, blocks * units), the bias b (blocks * units,). The
            bias of a GRU is (2, blocks * units), with that of U in the second row.
    """

    cell: CellName
    weights: Mapping[str, Array]

    @classmethod
    def of(cls, cell: CellName, weights: Sequence[Array]) -> "CellLayer":
        """Return the layer with these weights, in the order of the cell's `weights`."""
        return cls(cell, dict(zip(CELLS[cell].weights, weights, strict=True)))

    @property
    def kernel(self) -> Array:
        """W of the equations."""
        return self.weights["kernel"]

    @property
    def recurrent(self) -> Array:
        """U of the equations; a cell without one raises KeyError."""
        return self.weights["recurrent"]

    @property
    def bias(self) -> Array:
        """The biases b."""
        return self.weights["bias"]

    @property
    def units(self) -> int:
        """Numbers in a state tensor."""
        return int(self.kernel.shape[1]) // CELLS[self.cell].blocks


@dataclass(frozen=True, eq=False)
class Trace:
    """States and gates of a layer at each token.

    Args:
        states: Each state tensor after each token, shape (time, units), in the order of `states`.
        gates: Each gate at each token, shape (time, units), by name.
    """

    states: tuple[Array, ...]
    gates: dict[str, Array]


def run_cell(layer: CellLayer, vectors: Array, *, state: Sequence[Array] | None = None) -> Trace:
    """Return the states and gates of a layer that reads vectors.

    Args:
        layer: The layer.
        vectors: The vectors, shape (time, inputs).
        state: State before the first vector, each tensor (units,); None for zero.
    """
    cell, units = CELLS[layer.cell], layer.units
    inputs = vectors @ layer.kernel + (layer.bias[0] if layer.bias.ndim == 2 else layer.bias)
    zero = (np.zeros(units, np.float32),) * len(cell.states)
    current = zero if state is None else tuple(state)
    shape = (len(vectors), units)
    states = tuple(np.empty(shape, np.float32) for _ in cell.states)
    gates = {name: np.empty(shape, np.float32) for name in cell.gates}
    for time, x in enumerate(inputs):
        current, opened = cell.step(layer, x, current)
        for trace, value in zip((*states, *gates.values()), (*current, *opened), strict=True):
            trace[time] = value
    return Trace(states, gates)


def _step_simple(layer: CellLayer, x: Array, state: State) -> tuple[State, tuple[()]]:
    (h,) = state
    return (np.tanh(x + h @ layer.recurrent),), ()


def _step_lstm(
    layer: CellLayer, x: Array, state: State
) -> tuple[State, tuple[Array, Array, Array]]:
    h, c = state
    i, f, candidate, o = np.split(x + h @ layer.recurrent, 4, axis=-1)
    i, f, o = _logistic(i), _logistic(f), _logistic(o)
    c = f * c + i * np.tanh(candidate)
    return (o * np.tanh(c), c), (i, f, o)


def _step_gru(layer: CellLayer, x: Array, state: State) -> tuple[State, tuple[Array, Array]]:
    (h,) = state
    xz, xr, xh = np.split(x, 3, axis=-1)
    hz, hr, hh = np.split(h @ layer.recurrent + layer.bias[1], 3, axis=-1)
    z, r = _logistic(xz + hz), _logistic(xr + hr)
    return (z * h + (1 - z) * np.tanh(xh + r * hh),), (z, r)


def _logistic(values: Array) -> Array:
    """Return 1 / (1 + exp(-v)), computed by tanh without overflow."""
    result: Array = np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + np.float32(1))
    return result


LSTM = Cell(
    name="lstm",
    title="LSTM",
    gates=("input", "forget", "output"),
    keeps="forget",
    states=("h", "c"),
    step=_step_lstm,
)
GRU = Cell(
    name="gru",
    title="GRU",
    gates=("update", "reset"),
    keeps="update",
    states=("h",),
    biases=2,
    step=_step_gru,
)
SIMPLE = Cell(
    name="rnn", title="simple cell", gates=(), keeps=None, states=("h",), step=_step_simple
)

CELLS: dict[CellName, Cell] = {cell.name: cell for cell in (LSTM, GRU, SIMPLE)}
