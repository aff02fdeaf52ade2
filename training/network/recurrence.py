"""Recurrent layers that train fast on a CPU: Keras's weights and equations in own loops.

TensorFlow differentiates Keras's loop operation by operation. The backward pass here is written out
(backpropagation through time: Werbos, "Backpropagation through time: what it does and how to do
it", Proceedings of the IEEE 78, 1990). The gradients of the weights are one large product after the
loop in place of a small one in each step. A batch is read as two halves at the same time, because
the rows of one step are too few for two cores. Equations and orders of gates: `models/cells.py`.

Tensors in this file have time first: (time, batch, …).
"""

import weakref
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import keras
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from models.cells import CELLS, Cell, CellName

HALVES = 2
sigmoid_slope = tf.raw_ops.SigmoidGrad  # y, dy -> dy * y * (1 - y)
tanh_slope = tf.raw_ops.TanhGrad  # y, dy -> dy * (1 - y * y)

Tensors = tuple[tf.Tensor, ...]
Arrays = tuple[tf.TensorArray, ...]


class Equations(Protocol):
    """One step of a layer and its derivative; every tensor is (batch, gates * units) or narrower.

    A state is the tensors that a step hands to the next; the first is the output of the layer.
    """

    kept: int  # tensors that `forward` keeps for `backward`

    def forward(self, x: tf.Tensor, product: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        """Return the next state and the tensors for `backward`, from x W and h U with biases."""

    def backward(
        self, kept: Tensors, state: Tensors, slopes: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor | None]]:
        """Return the slopes of x W, of h U, and of the state apart from its part in h U.

        Args:
            kept: The tensors that `forward` kept.
            state: The state before the step.
            slopes: Slopes of the state after it.
        """


class SimpleCell:
    """tanh of the sum."""

    kept = 1

    def forward(self, x: tf.Tensor, product: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        """As `Equations`."""
        h = tf.tanh(x + product)
        return (h,), (h,)

    def backward(
        self, kept: Tensors, state: Tensors, slopes: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor | None]]:
        """As `Equations`."""
        d_sum = tanh_slope(y=kept[0], dy=slopes[0])
        return d_sum, d_sum, [None]


class GruCell:
    """Update gate z, reset gate r behind the product."""

    kept = 3

    def forward(self, x: tf.Tensor, product: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        """As `Equations`."""
        (h,) = state
        x_gates, x_candidate = _cut(x, 2, 1)
        gates, recalled = _cut(product, 2, 1)
        gates = tf.sigmoid(x_gates + gates)
        z, r = _cut(gates, 1, 1)
        candidate = tf.tanh(x_candidate + r * recalled)
        return (candidate + z * (h - candidate),), (gates, candidate, recalled)

    def backward(
        self, kept: Tensors, state: Tensors, slopes: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor | None]]:
        """As `Equations`."""
        gates, candidate, recalled = kept
        (h,), (d_after,) = state, slopes
        z, r = _cut(gates, 1, 1)
        d_kept = d_after * z
        d_candidate = tanh_slope(y=candidate, dy=d_after - d_kept)
        d_gates = tf.concat([d_after * (h - candidate), d_candidate * recalled], axis=1)
        d_gates = sigmoid_slope(y=gates, dy=d_gates)
        d_x = tf.concat([d_gates, d_candidate], axis=1)
        return d_x, tf.concat([d_gates, d_candidate * r], axis=1), [d_kept]


class LstmCell:
    """Input gate i, forget gate f, candidate, output gate o."""

    kept = 4

    def forward(self, x: tf.Tensor, product: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        """As `Equations`."""
        _, c = state
        i_f, candidate, o = _cut(x + product, 2, 1, 1)
        i_f, candidate, o = tf.sigmoid(i_f), tf.tanh(candidate), tf.sigmoid(o)
        i, f = _cut(i_f, 1, 1)
        c = f * c + i * candidate
        shown = tf.tanh(c)
        return (o * shown, c), (i_f, candidate, o, shown)

    def backward(
        self, kept: Tensors, state: Tensors, slopes: Tensors
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor | None]]:
        """As `Equations`."""
        i_f, candidate, o, shown = kept
        (_, c), (d_h, d_c) = state, slopes
        i, f = _cut(i_f, 1, 1)
        d_c += tanh_slope(y=shown, dy=d_h * o)
        d_i_f = sigmoid_slope(y=i_f, dy=tf.concat([d_c * candidate, d_c * c], axis=1))
        d_candidate = tanh_slope(y=candidate, dy=d_c * i)
        d_sum = tf.concat([d_i_f, d_candidate, sigmoid_slope(y=o, dy=d_h * shown)], axis=1)
        return d_sum, d_sum, [None, d_c * f]


def _cut(gates: tf.Tensor, *widths: int) -> list[tf.Tensor]:
    """Return the columns in pieces of the given widths, in units of the layer."""
    units = gates.shape[1] // sum(widths)
    return tf.split(gates, [units * width for width in widths], axis=1)


def run_cell(
    equations: Equations,
    x: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor,
    before: Sequence[tf.Tensor],
) -> Tensors:
    """Return the outputs of each step, (time, batch, units), and the state after the last.

    Args:
        equations: The equations of the cell.
        x: x W with its bias, shape (time, batch, gates * units), at least one step.
        kernel: U, shape (units, gates * units).
        bias: Bias of h U, shape (gates * units,).
        before: The state before the first step, each tensor (batch, units).
    """

    @tf.custom_gradient
    def read(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, *before: tf.Tensor) -> object:
        kept, after = _read_on(equations, x, kernel, bias, before)
        held = kept[0].stack()
        shown = tf.concat([held[1:], after[0][None]], axis=0)

        def differentiate(d_shown: tf.Tensor, *d_after: tf.Tensor) -> Tensors:
            d_x, d_product, d_before = _read_back(equations, kept, kernel, d_shown, d_after)
            flat = tf.reshape(d_product, (-1, kernel.shape[1]))
            d_kernel = tf.matmul(tf.reshape(held, (-1, kernel.shape[0])), flat, transpose_a=True)
            return d_x, d_kernel, tf.reduce_sum(flat, axis=0), *d_before

        return (shown, *after), differentiate

    result: Tensors = read(x, kernel, bias, *before)
    if not tf.executing_eagerly():
        _tie_gradient_to_graph(result[0])
    return result


def _tie_gradient_to_graph(output: tf.Tensor) -> None:
    """Let the custom gradient of a traced output live as long as its graph, and no longer.

    TensorFlow registers it for the life of the process, and it holds the graph with all variables
    that this captures: the memory of each network would never be given back.
    """
    registered = gradient_registry._registry
    name = output.op.get_attr("_gradient_op_type").decode()
    gradient = registered[name]["type"]
    output.graph.add_to_collection("custom_gradients", gradient)
    held = weakref.ref(gradient)

    def differentiate(op: tf.Operation, *slopes: tf.Tensor) -> object:
        return held()(op, *slopes)

    registered[name]["type"] = differentiate
    weakref.finalize(output.graph, registered.pop, name, None)


def _read_on(
    equations: Equations, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, before: Tensors
) -> tuple[Arrays, Tensors]:
    """Return the state before each step, the tensors that each step kept, and the last state."""
    time = tf.shape(x)[0]

    def step(number: tf.Tensor, state: Tensors, arrays: Arrays) -> tuple[tf.Tensor, object, object]:
        product = tf.nn.bias_add(tf.matmul(state[0], kernel), bias)
        after, kept = equations.forward(x[number], product, state)
        return number + 1, after, _write(arrays, number, (*state, *kept))

    start = (tf.constant(0), before, _arrays(len(before) + equations.kept, time))
    _, after, arrays = tf.while_loop(lambda number, *_: number < time, step, start)
    return arrays, after


def _read_back(
    equations: Equations,
    kept: Arrays,
    kernel: tf.Tensor,
    d_shown: tf.Tensor,
    d_after: Tensors,
) -> tuple[tf.Tensor, tf.Tensor, Tensors]:
    """Return the slopes of x W and h U, (time, batch, gates * units), and of the first state."""
    time, across = tf.shape(d_shown)[0], tf.transpose(kernel)

    def step(
        number: tf.Tensor, slopes: Tensors, arrays: Arrays
    ) -> tuple[tf.Tensor, object, object]:
        values = tuple(array.read(number) for array in kept)
        state, values = values[: len(slopes)], values[len(slopes) :]
        slopes = (slopes[0] + d_shown[number], *slopes[1:])
        d_x, d_product, (direct, *others) = equations.backward(values, state, slopes)
        d_h = tf.matmul(d_product, across)
        d_h = d_h if direct is None else d_h + direct
        return number - 1, (d_h, *others), _write(arrays, number, (d_x, d_product))

    start = (time - 1, d_after, _arrays(2, time))
    _, d_before, (d_x, d_product) = tf.while_loop(lambda number, *_: number >= 0, step, start)
    return d_x.stack(), d_product.stack(), d_before


def _arrays(count: int, time: tf.Tensor) -> Arrays:
    return tuple(tf.TensorArray(tf.float32, time, clear_after_read=False) for _ in range(count))


def _write(arrays: Arrays, number: tf.Tensor, values: Tensors) -> Arrays:
    pairs = zip(arrays, values, strict=True)
    return tuple(array.write(number, value) for array, value in pairs)


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU; there Keras's layers run in one kernel (cuDNN)."""
    return bool(tf.config.list_physical_devices("GPU"))


class _InHalves:
    """The loop of a Keras layer, replaced. Texts are padded on the right, not masked.

    Each subclass is one cell in TensorFlow.

    Args:
        record: The record of the cell.
        equations: Its step and the derivative.
        keras_layer: Keras's layer, better where XLA compiles and where no gradient is needed.
        portable: Options that let Keras's layer run on a CPU too.
    """

    record: Cell
    equations: Equations
    keras_layer: type[keras.layers.Layer]
    portable: ClassVar[Mapping[str, bool]] = {}

    def call(self, sequences, initial_state=None, training=False):
        """Return the states (batch, time, units) of sequences (batch, time, width).

        Without `return_sequences` returns the last state only. With `return_state` adds all tensors
        of the last state. `initial_state` has the form of these.
        """
        if has_gpu():
            return super().call(sequences, initial_state=initial_state, training=training)
        if initial_state is None:
            zero = tf.zeros((tf.shape(sequences)[0], self.units))
            initial_state = (zero,) * len(self.record.states)
        count = tf.shape(sequences)[0]
        sizes = [count // HALVES, count - count // HALVES]
        split = [tf.split(tensor, sizes) for tensor in (sequences, *initial_state)]
        halves = [self._read(*half) for half in zip(*split, strict=True)]
        states, *last = (tf.concat(pair, axis=0) for pair in zip(*halves, strict=True))
        shown = states if self.return_sequences else last[0]
        return (shown, *last) if self.return_state else shown

    def _read(self, sequences: tf.Tensor, *before: tf.Tensor) -> Tensors:
        cell = self.cell
        kernel, bias = map(tf.convert_to_tensor, (cell.kernel, cell.bias))
        of_x, of_h = tf.unstack(bias) if len(bias.shape) == 2 else (tf.zeros_like(bias), bias)
        across = tf.transpose(sequences, (1, 0, 2))
        x = tf.tensordot(across, kernel, axes=1) + of_x
        recurrent = tf.convert_to_tensor(cell.recurrent_kernel)
        shown, *last = run_cell(self.equations, x, recurrent, of_h, before)
        return tf.transpose(shown, (1, 0, 2)), *last


class SimpleRNN(_InHalves, keras.layers.SimpleRNN):
    """Keras's layer with a faster loop."""

    record = CELLS["rnn"]
    equations = SimpleCell()
    keras_layer = keras.layers.SimpleRNN


class GRU(_InHalves, keras.layers.GRU):
    """Keras's layer with a faster loop."""

    record = CELLS["gru"]
    equations = GruCell()
    keras_layer = keras.layers.GRU
    portable: ClassVar = {"use_cudnn": False}


class LSTM(_InHalves, keras.layers.LSTM):
    """Keras's layer with a faster loop."""

    record = CELLS["lstm"]
    equations = LstmCell()
    keras_layer = keras.layers.LSTM
    portable: ClassVar = {"use_cudnn": False}


LAYERS: dict[CellName, type[_InHalves]] = {
    layer.record.name: layer for layer in (LSTM, GRU, SimpleRNN)
}
KERAS_LAYERS: dict[CellName, type[keras.layers.Layer]] = {
    cell: layer.keras_layer for cell, layer in LAYERS.items()
}
ATTRIBUTES = {"kernel": "kernel", "recurrent": "recurrent_kernel", "bias": "bias"}
"""Attributes of the weights in a Keras cell, by part."""


def make_stateful(cell: CellName, units: int) -> keras.layers.Layer:
    """Return Keras's own layer of a cell; it returns its state and runs on a CPU."""
    options = {"return_sequences": True, "return_state": True, **LAYERS[cell].portable}
    return KERAS_LAYERS[cell](units, **options)
