"""The three recurrent cells in NumPy, gate by gate: to be read, and to look into a network.

The engines compute the same faster and keep the gates to themselves. With `x` (inputs,) a token's
vector, `h` (units,) the state before it, `s` the logistic function and `*` element by element:

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

Where the update gate z or the forget gate f is near one the state stays as it is, and so does what
an error says of it on its way back: that is why gated cells remember and the simple one does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Kind = Literal["rnn", "lstm", "gru"]
GATES: dict[Kind, tuple[str, ...]] = {
    "rnn": (),
    "lstm": ("input", "forget", "output"),
    "gru": ("update", "reset"),
}


def weight_names(layer: int) -> list[str]:
    """Return what a version calls the weights of a layer, in the order of `CellLayer` and Keras."""
    return [f"recurrent_{layer}/{part}" for part in ("kernel", "recurrent", "bias")]


@dataclass(frozen=True, eq=False)
class CellLayer:
    """A layer of one kind of cell; its gates lie side by side in the columns, as Keras keeps them.

    Args:
        kind: Which equations.
        kernel: W, shape (inputs, gates * units): input, forget, candidate and output of an LSTM;
            update, reset and candidate of a GRU.
        recurrent: U, shape (units, gates * units).
        bias: b, shape (gates * units,); of a GRU (2, gates * units), that of U in the second row.
    """

    kind: Kind
    kernel: Array
    recurrent: Array
    bias: Array

    @property
    def units(self) -> int:
        """Numbers in the state."""
        return int(self.recurrent.shape[0])


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened in a layer while it read.

    Args:
        states: h after each token, shape (time, units).
        cells: c after each token of an LSTM, shape (time, units).
        gates: Each gate at each token, shape (time, units), by name.
    """

    states: Array
    cells: Array | None
    gates: dict[str, Array]


def run_cell(cell: CellLayer, vectors: Array, *, h: Array, c: Array | None = None) -> Trace:
    """Return what happens in a layer that reads vectors (time, inputs) from the state h (and c).

    Args:
        cell: The layer.
        vectors: What it reads.
        h: State before the first vector, shape (units,).
        c: What an LSTM's cells hold before it, shape (units,).
    """
    inputs = vectors @ cell.kernel + (cell.bias[0] if cell.bias.ndim == 2 else cell.bias)
    step = STEPS[cell.kind]
    held = c if c is not None else np.zeros_like(h)
    count, units = len(vectors), cell.units
    states, cells = np.empty((count, units), np.float32), np.empty((count, units), np.float32)
    gates = {name: np.empty((count, units), np.float32) for name in GATES[cell.kind]}
    for time, x in enumerate(inputs):
        h, held, opened = step(cell, x, h, held)
        states[time], cells[time] = h, held
        for name, gate in zip(gates, opened, strict=True):
            gates[name][time] = gate
    return Trace(states, cells if cell.kind == "lstm" else None, gates)


Step = Callable[[CellLayer, Array, Array, Array], tuple[Array, Array, tuple[Array, ...]]]
"""From x W + b, h and c to the next h and c, and the gates."""


def _step_simple(cell: CellLayer, x: Array, h: Array, c: Array) -> tuple[Array, Array, tuple[()]]:
    return np.tanh(x + h @ cell.recurrent), c, ()


def _step_lstm(
    cell: CellLayer, x: Array, h: Array, c: Array
) -> tuple[Array, Array, tuple[Array, Array, Array]]:
    i, f, candidate, o = np.split(x + h @ cell.recurrent, 4)
    i, f, o = _logistic(i), _logistic(f), _logistic(o)
    c = f * c + i * np.tanh(candidate)
    return o * np.tanh(c), c, (i, f, o)


def _step_gru(
    cell: CellLayer, x: Array, h: Array, c: Array
) -> tuple[Array, Array, tuple[Array, Array]]:
    xz, xr, xh = np.split(x, 3)
    hz, hr, hh = np.split(h @ cell.recurrent + cell.bias[1], 3)
    z, r = _logistic(xz + hz), _logistic(xr + hr)
    return z * h + (1 - z) * np.tanh(xh + r * hh), c, (z, r)


STEPS: dict[Kind, Step] = {"rnn": _step_simple, "lstm": _step_lstm, "gru": _step_gru}


def _logistic(values: Array) -> Array:
    """Return 1 / (1 + exp(-v)), which tanh gives without overflow."""
    result: Array = np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + np.float32(1))
    return result
