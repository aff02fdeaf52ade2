"""Reads `model.onnx`, and takes it only if it is the graph of the version with weights in it.

A graph of a stranger could name any file, any operator library and sizes without end, and ONNX
Runtime would go a long way before it noticed. So nothing of the file but its weights is up to who
wrote it. Field numbers: onnx.proto of https://github.com/onnx/onnx.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import VersionCorrupt
from models.limits import LARGEST_ONNX
from models.metadata import WeightRecord
from models.network import Network
from models.onnx_graph import IR_VERSION, OPSET, Graph, Node, Port
from models.onnx_network import write_skeleton
from models.protobuf import Fixed, read_fields
from models.regular_files import read_inside
from models.versions import ONNX, WEIGHTS, read_weight, require_usable

Array = NDArray[np.generic]
Message = dict[str, Any]

DTYPES = {1: "float32", 3: "int8", 6: "int32", 7: "int64", 10: "float16"}
_NUMBERS = {np.dtype(name): number for number, name in DTYPES.items()}
_INT, _INTS = 2, 7  # kinds of attributes
_EXTERNAL = 1  # a tensor's data_location


@dataclass(frozen=True)
class OnnxFile:
    """A file that was checked.

    Args:
        content: Its bytes.
        tables: The tensors that it has in the variables, mapped from there, by name.
    """

    content: bytes
    tables: dict[str, Array]


def read_onnx(folder: Path, network: Network) -> OnnxFile:
    """Return the graph of the version in a folder.

    Raises:
        VersionCorrupt: The file is missing, too large, or anything else than the graph of this
            network.
    """
    path = folder / ONNX
    try:
        content = read_inside(folder, ONNX, limit=LARGEST_ONNX)
        tensors = _check(_parse(content, _MODEL), write_skeleton(network), where=path)
        tables = {name: _read_table(folder, tensor) for name, tensor in tensors.items()}
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise VersionCorrupt(f"{path}: not the graph of a version ({error})") from error
    return OnnxFile(content, tables)


# Messages: the name of each field, what reads it, and whether it may be there several times


def _text(value: int | bytes) -> str:
    return _raw(value).decode()


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("a text stands where a number is expected")
    return value - (1 << 64) if value >> 63 else value


def _raw(value: int | bytes) -> bytes:
    if isinstance(value, int | Fixed):  # which other parsers would pass over
        raise ValueError("a number stands where bytes are expected")
    return value


Field = tuple[str, Callable[[int | bytes], Any], bool]
Schema = dict[int, Field]


def _inner(schema: Schema) -> Callable[[int | bytes], Message]:
    return lambda value: _parse(_raw(value), schema)


def _parse(content: bytes, schema: Schema) -> Message:
    """Return the fields of a message by name.

    Raises:
        ValueError: It has a field that no export writes, or one twice.
        IndexError: It is cut.
    """
    message: Message = {name: [] for name, _, repeated in schema.values() if repeated}
    for number, value in read_fields(content):
        if number not in schema:
            raise ValueError(f"unexpected field {number}")
        name, read, repeated = schema[number]
        if repeated:
            message[name].append(read(value))
        elif name in message:
            raise ValueError(f"{name} is there twice")
        else:
            message[name] = read(value)
    return message


_ATTRIBUTE: Schema = {
    1: ("name", _text, False),
    3: ("int", _number, False),
    8: ("ints", _number, True),
    20: ("type", _number, False),
}
_NODE: Schema = {
    1: ("inputs", _text, True),
    2: ("outputs", _text, True),
    3: ("name", _text, False),
    4: ("operator", _text, False),
    5: ("attributes", _inner(_ATTRIBUTE), True),
}
_ENTRY: Schema = {1: ("key", _text, False), 2: ("value", _text, False)}
_TENSOR: Schema = {
    1: ("shape", _number, True),
    2: ("type", _number, False),
    8: ("name", _text, False),
    9: ("raw", _raw, False),
    13: ("external", _inner(_ENTRY), True),
    14: ("location", _number, False),
}
_SIZE: Schema = {1: ("size", _number, False), 2: ("name", _text, False)}
_SHAPE: Schema = {1: ("sizes", _inner(_SIZE), True)}
_TENSOR_TYPE: Schema = {1: ("type", _number, False), 2: ("shape", _inner(_SHAPE), False)}
_TYPE: Schema = {1: ("tensor", _inner(_TENSOR_TYPE), False)}
_PORT: Schema = {1: ("name", _text, False), 2: ("type", _inner(_TYPE), False)}
_GRAPH: Schema = {
    1: ("nodes", _inner(_NODE), True),
    2: ("name", _text, False),
    5: ("tensors", _inner(_TENSOR), True),
    11: ("inputs", _inner(_PORT), True),
    12: ("outputs", _inner(_PORT), True),
}
_OPSET: Schema = {1: ("domain", _text, False), 2: ("version", _number, False)}
_MODEL: Schema = {
    1: ("ir_version", _number, False),
    2: ("producer", _text, False),
    7: ("graph", _inner(_GRAPH), False),
    8: ("opsets", _inner(_OPSET), True),
}


# Comparisons with the graph that is expected


def _check(model: Message, expected: Graph, *, where: Path) -> dict[str, Message]:
    """Return the tensors outside of the file, if the rest is what is expected and usable."""
    graph = model["graph"]
    _require("ir_version", model["ir_version"], IR_VERSION)
    _require("opset", model["opsets"], [{"domain": "", "version": OPSET}])
    _require("inputs", [_port(each) for each in graph["inputs"]], expected.inputs)
    _require("outputs", [_port(each) for each in graph["outputs"]], expected.outputs)
    _require("nodes", [_node(each) for each in graph["nodes"]], expected.nodes)
    tensors = {tensor["name"]: tensor for tensor in graph["tensors"]}
    _require("number of tensors", len(graph["tensors"]), len(tensors))
    arrays = {**expected.constants, **expected.weights, **expected.tables}
    _require("names of tensors", sorted(tensors), sorted(arrays))
    for name, array in arrays.items():
        outside = name in expected.tables
        _check_tensor(tensors[name], array, outside=outside)
        if name in expected.constants:
            _require(f"tensor {name}", tensors[name]["raw"], array.tobytes())
        elif not outside:
            require_usable(np.frombuffer(tensors[name]["raw"], array.dtype), where=where)
    return {name: tensors[name] for name in expected.tables}


def _require(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ValueError(f"{what} differ from what an export writes")


def _node(message: Message) -> Node:
    attributes = dict(map(_attribute, message["attributes"]))
    _require("attributes", len(message["attributes"]), len(attributes))
    return Node(
        message["name"], message["operator"], message["inputs"], message["outputs"], attributes
    )


def _attribute(message: Message) -> tuple[str, int | list[int]]:
    kind = message["type"]
    _require(
        "kind of an attribute",
        (kind == _INT, kind == _INTS),
        ("int" in message, bool(message["ints"])),
    )
    return message["name"], message["int"] if kind == _INT else message["ints"]


def _port(message: Message) -> Port:
    tensor = message["type"]["tensor"]
    sizes = [next(iter(size.values())) for size in tensor["shape"]["sizes"] if len(size) == 1]
    _require("shape of a port", len(sizes), len(tensor["shape"]["sizes"]))
    return Port(message["name"], np.dtype(DTYPES[tensor["type"]]).type, tuple(sizes))


def _check_tensor(tensor: Message, expected: Array, *, outside: bool) -> None:
    name = tensor["name"]
    _require(f"type of {name}", tensor["type"], _NUMBERS[expected.dtype])
    _require(f"shape of {name}", tuple(tensor["shape"]), expected.shape)
    _require(f"place of {name}", tensor.get("location", 0), _EXTERNAL if outside else 0)
    _require(
        f"place of {name}", ("raw" in tensor, bool(tensor["external"])), (not outside, outside)
    )
    if not outside:
        _require(f"bytes of {name}", len(tensor["raw"]), expected.nbytes)


def _read_table(folder: Path, tensor: Message) -> Array:
    """Return a tensor of the variables, mapped from their file."""
    place = {entry["key"]: entry["value"] for entry in tensor["external"]}
    record = WeightRecord.model_validate(
        {
            "offset": int(place["offset"]),
            "shape": tuple(tensor["shape"]),
            "dtype": DTYPES[tensor["type"]],
        }
    )
    expected = {"location": WEIGHTS, "offset": str(record.offset), "length": str(record.nbytes)}
    _require(f"place of {tensor['name']}", place, expected)
    return read_weight(folder, record)
