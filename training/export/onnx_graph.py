"""Builds an ONNX graph, node by node."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.metadata import StateTensor


class Graph:
    """Collects nodes and constants and names them.

    Args:
        state: The state tensors: inputs by their names, outputs as `next_<name>`.
    """

    def __init__(self, state: Sequence[StateTensor]) -> None:
        self.state = state
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], *, name: str = "", **attributes: object) -> str:
        """Add a node with one output; return the output's name."""
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def add_many(
        self, operator: str, inputs: list[str], *, outputs: int, **attributes: object
    ) -> list[str]:
        """Add a node with several outputs; return their names."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        names = [f"{name}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, **attributes))
        return names

    def constant(self, value: NDArray[np.generic] | np.generic) -> str:
        """Add a constant; return its name."""
        name = f"constant_{len(self.initializers)}"
        array = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def axes(self, *axes: int) -> str:
        """Add a list of axes; return its name."""
        return self.constant(np.array(axes, np.int64))

    def build(self, *, labels: int) -> onnx.GraphProto:
        """Return the graph with its inputs and outputs."""
        ids = helper.make_tensor_value_info("ids", TensorProto.INT32, ["batch", "time"])
        probabilities = helper.make_tensor_value_info(
            "probabilities", TensorProto.FLOAT, ["batch", labels]
        )
        return helper.make_graph(
            self.nodes,
            "gatewise",
            [ids, *(_state_info(tensor) for tensor in self.state)],
            [probabilities, *(_state_info(tensor, prefix="next_") for tensor in self.state)],
            self.initializers,
        )


def _state_info(tensor: StateTensor, *, prefix: str = "") -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(
        prefix + tensor.name, TensorProto.FLOAT, ["batch", *tensor.shape]
    )
