"""An ONNX graph, node by node, as plain data that no package of ONNX is needed for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.metadata import StateTensor

Array = NDArray[np.generic]
Attributes = dict[str, int | list[int]]

OPSET = 20
IR_VERSION = 9  # the oldest that has this opset, so that older runtimes can read the file
BATCH, TIME = "batch", "time"


@dataclass(frozen=True)
class Node:
    """An operator with the names of its inputs and outputs; its own name is `name`."""

    name: str
    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: Attributes


@dataclass(frozen=True)
class Port:
    """An input or output of the graph; a name in its shape stands for any size."""

    name: str
    dtype: type[np.generic]
    shape: tuple[int | str, ...]


class Graph:
    """Collects nodes and tensors and names them.

    Args:
        state: The state tensors: inputs by their names, outputs as `next_<name>`.
        labels: Number of labels.
    """

    def __init__(self, state: Sequence[StateTensor], *, labels: int) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        """Tensors that are part of the graph, the same for any weights."""
        self.weights: dict[str, Array] = {}
        """Tensors that were trained, and are stored in the file."""
        self.tables: dict[str, Array] = {}
        """Tensors that were trained, and lie in the variables of the SavedModel."""
        ids = Port("ids", np.int32, (BATCH, TIME))
        probabilities = Port("probabilities", np.float32, (BATCH, labels))
        self.inputs = [ids, *(_state_port(tensor) for tensor in state)]
        self.outputs = [probabilities, *(_state_port(tensor, prefix="next_") for tensor in state)]

    def add(
        self, operator: str, inputs: list[str], *, name: str = "", **attributes: int | list[int]
    ) -> str:
        """Add a node with one output; return the output's name."""
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(Node(name, operator, inputs, [name], attributes))
        return name

    def add_many(
        self, operator: str, inputs: list[str], *, outputs: int, **attributes: int | list[int]
    ) -> list[str]:
        """Add a node with several outputs; return their names."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        names = [f"{name}_{index}" for index in range(outputs)]
        self.nodes.append(Node(name, operator, inputs, names, attributes))
        return names

    def table(self, name: str, values: Array) -> str:
        """Add a tensor of the variables; return its name."""
        self.tables[name] = values
        return name

    def weight(self, values: Array) -> str:
        """Add a trained tensor; return its name."""
        name = self._next_tensor()
        self.weights[name] = values
        return name

    def constant(self, value: Array | np.generic) -> str:
        """Add a constant; return its name."""
        name = self._next_tensor()
        self.constants[name] = np.asarray(value)
        return name

    def axes(self, *axes: int) -> str:
        """Add a list of axes; return its name."""
        return self.constant(np.array(axes, np.int64))

    def _next_tensor(self) -> str:
        return f"constant_{len(self.constants) + len(self.weights) + len(self.tables)}"


def _state_port(tensor: StateTensor, *, prefix: str = "") -> Port:
    return Port(prefix + tensor.name, np.float32, (BATCH, *tensor.shape))
