"""Reads the program of a SavedModel, without the numbers that TensorFlow puts into names.

Each function that a process traces gets the next number. So a training that is resumed, or that
traces more functions, writes other names for the same program.
"""

import os
import re
from typing import Any

_NUMBERED = re.compile(r'_(\d+)(?="|___)')
_NUMBER = re.compile(r's: "\d+"')  # the name of an argument that has none of its own

Program = tuple[list[str], list[str]]
"""The functions as text, and the lines of all the rest; both sorted."""


def read_program(content: bytes) -> Program:
    """Return the program in the bytes of a saved_model.pb."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString(content)
    numbers = _function_numbers(saved)
    functions = []
    for graph in saved.meta_graphs:
        functions += [_rename(str(f), numbers) for f in graph.graph_def.library.function]
        graph.graph_def.library.ClearField("function")
    return sorted(functions), sorted(_rename(str(saved), numbers).splitlines())


def _function_numbers(saved: Any) -> set[str]:
    names: set[str] = set()
    for graph in saved.meta_graphs:
        names.update(function.signature.name for function in graph.graph_def.library.function)
        names.update(graph.object_graph_def.concrete_functions)
    return {name.rpartition("_")[2] for name in names}


def _rename(text: str, numbers: set[str]) -> str:
    """Return text without these numbers at the ends of names, and without names of digits."""

    def shorten(match: re.Match[str]) -> str:
        return "" if match[1] in numbers else match[0]

    return _NUMBER.sub('s: "NUMBER"', _NUMBERED.sub(shorten, text))
