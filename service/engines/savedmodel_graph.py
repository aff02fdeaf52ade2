"""Refuses a SavedModel whose graph could do more than compute.

TensorFlow runs any graph: its operators read and write files, and some run Python. Only operators
that an export writes are taken here. This does not bound memory and time, and TensorFlow itself
may end the process on a damaged graph; see docs/security.md. Field numbers: the .proto files of
https://github.com/tensorflow/tensorflow, in tensorflow/core/protobuf and tensorflow/core/framework.
"""

from collections.abc import Iterator
from pathlib import Path

from models.errors import VersionCorrupt
from models.limits import LARGEST_GRAPH
from models.protobuf import read_fields
from models.regular_files import read_inside
from models.versions import SAVED_MODEL

COMPUTING = frozenset(
    {
        "Abs",
        "AddN",
        "AddV2",
        "Any",
        "AssignVariableOp",
        "BiasAdd",
        "BroadcastTo",
        "Cast",
        "ConcatV2",
        "Const",
        "DisableCopyOnRead",
        "Equal",
        "ExpandDims",
        "Fill",
        "FloorMod",
        "GatherV2",
        "Identity",
        "Less",
        "LogicalAnd",
        "LogicalNot",
        "MatMul",
        "Max",
        "Maximum",
        "Mul",
        "NoOp",
        "NotEqual",
        "Pack",
        "Placeholder",
        "Range",
        "ReadVariableOp",
        "RealDiv",
        "Reshape",
        "ResourceGather",
        "Select",
        "SelectV2",
        "Shape",
        "Sigmoid",
        "Softmax",
        "Split",
        "Sqrt",
        "Squeeze",
        "StatefulPartitionedCall",
        "StridedSlice",
        "Sub",
        "Sum",
        "Tanh",
        "TensorListFromTensor",
        "TensorListGetItem",
        "TensorListReserve",
        "TensorListSetItem",
        "TensorListStack",
        "Tile",
        "Transpose",
        "VarHandleOp",
        "VarIsInitializedOp",
        "While",
        "ZerosLike",
    }
)
"""Operators of a network."""
SAVING = frozenset(
    {
        "MergeV2Checkpoints",
        "RestoreV2",
        "SaveV2",
        "ShardedFilename",
        "StaticRegexFullMatch",
        "StringJoin",
    }
)
"""Operators that TensorFlow adds to save the variables; nothing that computes may use them."""
SAVERS = b"__inference__traced_"
"""How the names of the functions with these operators begin."""
OTHER_FORMS = ("saved_model.cpb", "saved_model.pbtxt")
"""Files that TensorFlow would read in place of the graph."""

_META_GRAPHS, _GRAPH, _OBJECTS = 2, 2, 7  # of SavedModel and MetaGraphDef
_NODES, _LIBRARY, _FUNCTIONS = 1, 2, 1  # of GraphDef and FunctionDefLibrary
_SIGNATURE, _NAME, _FUNCTION_NODES, _OPERATOR = 1, 1, 3, 2  # of FunctionDef, OpDef and NodeDef


def check_graph(folder: Path) -> None:
    """Check the graph of the version in a folder.

    Raises:
        VersionCorrupt: It holds what no export writes, or is damaged.
    """
    path = folder / SAVED_MODEL
    if found := [name for name in OTHER_FORMS if (folder / name).exists()]:
        raise VersionCorrupt.mismatch(folder, expected=f"{SAVED_MODEL} alone", found=found[0])
    try:
        content = read_inside(folder, SAVED_MODEL, limit=LARGEST_GRAPH)
        graphs = list(_find(content, _META_GRAPHS))
        unknown = sorted(name for graph in graphs for name in _unknown_operators(graph))
    except (ValueError, IndexError, OSError) as error:
        raise VersionCorrupt(f"{path}: not the graph of a version ({error})") from error
    if not graphs:
        unknown = ["no graph"]
    if unknown:
        raise VersionCorrupt.mismatch(
            path, expected="the operators of a network", found=unknown[0][:80]
        )


def _unknown_operators(graph: bytes) -> Iterator[str]:
    """Yield what a graph holds that it must not."""
    objects = list(_find(graph, _OBJECTS))
    if not objects:
        yield "a graph of TensorFlow 1, which would be run at once"
    if any(SAVERS in each for each in objects):
        yield "a signature that saves or restores"
    for node in _find(graph, _GRAPH, _NODES):
        yield from _operators(node) - COMPUTING
    for function in _find(graph, _GRAPH, _LIBRARY, _FUNCTIONS):
        yield from _unknown_in_function(function)


def _unknown_in_function(function: bytes) -> Iterator[str]:
    names = list(_find(function, _SIGNATURE, _NAME))
    saves = all(name.startswith(SAVERS) for name in names)
    if not saves and SAVERS in function:
        yield "a function that saves or restores"
    allowed = COMPUTING | SAVING if saves else COMPUTING
    for node in _find(function, _FUNCTION_NODES):
        yield from _operators(node) - allowed


def _operators(node: bytes) -> set[str]:
    return {operator.decode() for operator in _find(node, _OPERATOR)}


def _find(message: bytes, *path: int) -> Iterator[bytes]:
    """Yield the messages or texts at a path of field numbers."""
    first, *rest = path
    for number, value in read_fields(message):
        if number == first:
            if isinstance(value, int):
                raise ValueError(f"field {number} is a number")
            yield from _find(value, *rest) if rest else (value,)
