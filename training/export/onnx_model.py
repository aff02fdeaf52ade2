"""A graph in the format of ONNX."""

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.onnx_graph import IR_VERSION, OPSET, Graph, Port
from models.versions import WEIGHTS


def make_model(graph: Graph, *, places: Mapping[str, int]) -> onnx.ModelProto:
    """Return the model of a graph.

    Args:
        graph: The graph.
        places: First byte of each of its tables in the variables of the SavedModel.
    """
    return helper.make_model(
        _make_graph(graph, places),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="gatewise",
    )


def _make_graph(graph: Graph, places: Mapping[str, int]) -> onnx.GraphProto:
    inner = {**graph.constants, **graph.weights}
    tables = [_outer_tensor(name, each, place=places[name]) for name, each in graph.tables.items()]
    return helper.make_graph(
        [
            helper.make_node(each.operator, each.inputs, each.outputs, each.name, **each.attributes)
            for each in graph.nodes
        ],
        "gatewise",
        [_make_port(port) for port in graph.inputs],
        [_make_port(port) for port in graph.outputs],
        [*tables, *(_inner_tensor(name, inner[name]) for name in sorted(inner, key=_number))],
    )


def _number(name: str) -> int:
    return int(name.rpartition("_")[2])


def _make_port(port: Port) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return helper.make_tensor_value_info(port.name, kind, port.shape)


def _inner_tensor(name: str, array: NDArray[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array, order="C"), name)


def _outer_tensor(name: str, array: NDArray[np.generic], *, place: int) -> onnx.TensorProto:
    """Return a tensor whose bytes are those that the SavedModel's variables already hold."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor = TensorProto(name=name, data_type=kind, dims=array.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": WEIGHTS, "offset": place, "length": array.nbytes}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor
