"""Changes to the files of a version that its structure suggests."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from models.variables import INDEX
from models.versions import GOLDEN, METADATA, ONNX, TOKENIZER, WEIGHTS

RAW = "\0raw:"  # marks what is written into JSON as it is
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 2**20, 7, 1.5, -0.0, 1e308)
RAW_VALUES = ("1e400", "NaN", "-Infinity", "9" * 5_000, "[" * 3_000 + "]" * 3_000, '"\\ud800"')
TEXTS = ("", "../../../etc/passwd", "/dev/zero", "a\0b", "x" * 70_000, "(a+)+$", "\u202e", "[PAD]")
PATHS = ("../x", "/etc/passwd", "a//b", "./a", "variables/../../x", "a\\b", "assets.extra")


def change_json(path: Path, draw: random.Random) -> None:
    """Change values, names or the size of parts of a JSON file."""
    content = json.loads(path.read_bytes())
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        _change_one(content, draw)
    text = json.dumps(content, ensure_ascii=draw.random() < 0.5)
    for number, value in enumerate(RAW_VALUES):
        text = text.replace(json.dumps(f"{RAW}{number}"), value)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _change_one(content: Any, draw: random.Random) -> None:
    parents = list(_parents(content))
    if not parents:
        return
    parent, key = draw.choice(parents)
    others = [each[place] for each, place in parents]
    value = _hostile_value(parent[key], others, draw)
    if isinstance(parent, dict) and draw.random() < 0.15:
        parent[draw.choice((*PATHS, str(key).upper(), "unknown"))] = parent.pop(key)
    elif draw.random() < 0.1:
        del parent[key]
    else:
        parent[key] = value


def _parents(content: Any) -> Any:
    """Yield each place in a tree of lists and objects: what holds it, and its key."""
    if isinstance(content, dict | list):
        keys = list(content) if isinstance(content, dict) else range(len(content))
        for key in keys:
            yield content, key
            yield from _parents(content[key])


def _hostile_value(value: Any, others: list[Any], draw: random.Random) -> Any:
    kinds: list[Callable[[], Any]] = [
        lambda: draw.choice(NUMBERS),
        lambda: f"{RAW}{draw.randrange(len(RAW_VALUES))}",
        lambda: draw.choice(TEXTS),
        lambda: draw.choice([None, True, [], {}]),
        lambda: copy.deepcopy(draw.choice(others)),
    ]
    if isinstance(value, list):
        kinds += [lambda: value * 2, lambda: value[::-1], lambda: value[: len(value) // 2]] * 2
    if isinstance(value, int | float):
        kinds += [lambda: value + 1, lambda: -value, lambda: value * 1_000_003] * 3
    if isinstance(value, str):
        kinds += [lambda: value[1:], lambda: value * 3, value.swapcase]
    return draw.choice(kinds)()


def change_bytes(path: Path, draw: random.Random) -> None:
    """Flip, cut, repeat or insert bytes."""
    data = bytearray(path.read_bytes())
    for _ in range(draw.choice((1, 1, 2, 8))):
        place = draw.randrange(max(1, len(data)))
        size = draw.choice((1, 2, 4, 8, 64))
        kind = draw.randrange(5)
        if kind == 0:
            del data[place : place + size]
        elif kind == 1:
            data[place : place + size] = draw.randbytes(size)
        elif kind == 2:
            data[place:place] = data[place : place + size]
        elif kind == 3 and data:
            data[place % len(data)] ^= 1 << draw.randrange(8)
        else:
            data[place : place + size] = draw.choice((b"\xff", b"\0", b"\x7f")) * size
    path.write_bytes(data)


def change_floats(path: Path, draw: random.Random) -> None:
    """Write values of no trained network among the weights."""
    data = bytearray(path.read_bytes())
    values = (b"\0\0\xc0\x7f", b"\0\0\x80\xff", b"\xff\xff\x7f\x7f", b"\0\x7c", b"\0\x7e")
    for _ in range(draw.choice((1, 3, 50))):
        value = draw.choice(values)
        place = draw.randrange(max(1, len(data) - 4))
        data[place : place + len(value)] = value
    path.write_bytes(data)


def change_graph(path: Path, draw: random.Random) -> None:
    """Change nodes, tensors and ports of the ONNX graph."""
    model = onnx.load(str(path), load_external_data=False)
    for _ in range(draw.choice((1, 1, 3))):
        draw.choice(GRAPH_CHANGES)(model, draw)
    path.write_bytes(model.SerializeToString())


def _change_node(model: onnx.ModelProto, draw: random.Random) -> None:
    node, other = draw.choice(model.graph.node), draw.choice(model.graph.node)
    kind = draw.randrange(6)
    if kind == 0:
        node.op_type = draw.choice((other.op_type, "Loop", "ConstantOfShape", "Tile", "Expand"))
    elif kind == 1:
        node.domain = draw.choice(("com.microsoft", "evil", "ai.onnx.ml"))
    elif kind == 2 and node.input and other.output:
        node.input[draw.randrange(len(node.input))] = draw.choice(other.output)
    elif kind == 3:
        node.attribute.add(name="axis", type=2, i=draw.choice((-1, 2**62, 7)))
    elif kind == 4:
        model.graph.node.append(other)
    else:
        model.graph.node.remove(node)


def _change_tensor(model: onnx.ModelProto, draw: random.Random) -> None:
    tensor = draw.choice(model.graph.initializer)
    kind = draw.randrange(6)
    if kind == 0 and tensor.dims:
        tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice((0, -1, 2**40, 2**62, 3))
    elif kind == 1:
        tensor.data_type = draw.choice((1, 2, 7, 8, 11, 16, 99))
    elif kind == 2:
        tensor.raw_data = draw.randbytes(len(tensor.raw_data))
    elif kind == 3:
        tensor.data_location = 1
        for key, value in (("location", "../../../etc/passwd"), ("offset", "0"), ("length", "8")):
            tensor.external_data.add(key=key, value=value)
    elif kind == 4:
        for entry in tensor.external_data:
            entry.value = draw.choice(("/dev/zero", "-1", str(2**62), "tokenizer.json", ""))
    else:
        tensor.float_data.extend([float("nan")] * 4)


def _change_model(model: onnx.ModelProto, draw: random.Random) -> None:
    kind = draw.randrange(5)
    if kind == 0:
        model.ir_version = draw.choice((0, 3, 99))
    elif kind == 1:
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    elif kind == 2:
        model.functions.append(
            helper.make_function("evil", "f", [], [], [], [helper.make_opsetid("", 20)])
        )
    elif kind == 3:
        model.metadata_props.add(key="x", value="y" * draw.choice((1, 100_000)))
    else:
        port = draw.choice([*model.graph.input, *model.graph.output])
        port.type.tensor_type.shape.dim.add(dim_value=2**50)


GRAPH_CHANGES = (_change_node, _change_tensor, _change_model)

CHANGES: tuple[tuple[str, Callable[[Path, random.Random], None]], ...] = (
    (METADATA, change_json),
    (METADATA, change_json),
    (METADATA, change_bytes),
    (TOKENIZER, change_json),
    (TOKENIZER, change_bytes),
    (GOLDEN, change_json),
    (GOLDEN, change_bytes),
    (ONNX, change_graph),
    (ONNX, change_bytes),
    (INDEX, change_bytes),
    (WEIGHTS, change_bytes),
    (WEIGHTS, change_floats),
)
