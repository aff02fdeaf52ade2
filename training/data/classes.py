"""Finds the classes of a label column, and turns its values into targets."""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import ClassLabel, LargeList, List

from models.metadata import Task
from training.errors import DataError
from training.targets import UNLABELLED, Targets

LONGEST_SHOWN = 60  # characters of a value in an error


@dataclass(frozen=True)
class Classes:
    """Names of the classes, and the index of each known value of the label column.

    With several labels per row, the values are the entries of the column's lists.
    """

    task: Task
    names: tuple[str, ...]
    index: dict[Any, int]

    def is_missing(self, value: Any) -> bool:
        """Whether a row has no label. An empty list is a label: none of the classes applies."""
        return value is None if self.task == "multi_label" else is_missing(value)

    def knows(self, value: Any) -> bool:
        """Whether a value holds known classes only."""
        if self.task == "single_label":
            return isinstance(value, Hashable) and value in self.index
        return isinstance(value, list) and all(
            isinstance(item, Hashable) and item in self.index for item in value
        )

    def encode(self, values: Sequence[Any]) -> Targets:
        """Return the targets of known values."""
        if self.task == "single_label":
            return np.array([self.index[value] for value in values], np.int32)
        targets = np.zeros((len(values), len(self.names)), np.int32)
        for row, value in enumerate(values):
            targets[row, [self.index[item] for item in value]] = 1
        return targets


def is_list(feature: object) -> bool:
    """Whether a column holds lists, and so several labels per row."""
    return isinstance(feature, List | LargeList)


def class_names(feature: object) -> tuple[str, ...] | None:
    """Return the class names in the type of a label column; None where it has none."""
    inner = feature.feature if is_list(feature) else feature
    return tuple(inner.names) if isinstance(inner, ClassLabel) else None


def find_classes(feature: object, values: Iterable[Any], *, column: str) -> Classes:
    """Return the classes of a label column: from its type, or else from its values in train.

    Raises:
        DataError: A value cannot name a class.
    """
    task: Task = "multi_label" if is_list(feature) else "single_label"
    names = class_names(feature)
    if names is not None:
        return Classes(task, names, {i: i for i in range(len(names))})
    found = set()
    for row, value in enumerate(values):
        for item in (value or []) if task == "multi_label" else [value]:
            if task == "multi_label" or not is_missing(item):
                _check_label(item, column=column, row=row)
                found.add(item)
    ordered = sorted(found, key=lambda value: (isinstance(value, str), value))
    return Classes(task, tuple(map(_class_name, ordered)), {v: i for i, v in enumerate(ordered)})


def is_missing(value: Any) -> bool:
    """Whether a value of a single-label column is no label."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == UNLABELLED or (isinstance(value, float) and math.isnan(value))


def shorten(value: Any) -> str:
    """Return a value in a short form for an error."""
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 1] + "…"


def _check_label(value: Any, *, column: str, row: int) -> None:
    """Raise DataError unless a value can name a class."""
    if isinstance(value, str | int) or (isinstance(value, float) and value.is_integer()):
        return
    raise DataError(
        f"column {column!r} holds {shorten(value)} in row {row} (counted from 0) "
        "of split 'train'; a label is a name or an integer"
    )


def _class_name(value: str | int | float) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(int(value))
