"""Reads all rows of a dataset: unusable rows are counted, not rejected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from training.data.classes import class_names, is_missing
from training.data.columns import find_columns
from training.data.sources import Source
from training.errors import DataError
from training.inspection.findings import Faults
from training.targets import UNLABELLED

Labels = tuple[str, ...] | None  # classes of a row; None where it has no label


@dataclass(frozen=True)
class RawSplit:
    """Rows of one split, usable or not.

    Args:
        name: Name of the split.
        texts: Text of each row, "" where there is none.
        labels: Class index of each row, shape (rows,); for multi-label 0 or 1 for each class,
            shape (rows, classes). A row without a label is UNLABELLED throughout.
        faults: Unusable rows.
    """

    name: str
    texts: list[str]
    labels: NDArray[np.int32]
    faults: Faults


@dataclass(frozen=True)
class RawData:
    """The labelled splits of a dataset.

    Args:
        text_column: Column of the text.
        label_column: Column of the label.
        classes: Names of the classes of all splits, in the order of their indices.
        splits: The splits, in the order of the source.
        notices: Omissions in words.
    """

    text_column: str
    label_column: str
    classes: tuple[str, ...]
    splits: tuple[RawSplit, ...]
    notices: tuple[str, ...]


def read_rows(source: Source, *, text_column: str | None, label_column: str | None) -> RawData:
    """Return all rows of a source, also those with faults.

    Splits without any label are left out, such as the test split of a competition.

    Raises:
        DataError: There are no rows, or a column is missing or unclear.
    """
    splits = {name: rows for name, rows in source.splits.items() if len(rows) > 0}
    if not splits:
        raise DataError(f"{source.description} has no rows, so there is nothing to inspect")
    first = "train" if "train" in splits else next(iter(splits))
    text, label = find_columns(splits[first], text=text_column, label=label_column)
    cells = {name: _read_labels(rows, label) for name, rows in splits.items()}
    kept = [
        name
        for name, rows in splits.items()
        if name == first or (text in rows.features and cells[name].any)
    ]
    classes = _order_classes(splits[first], label, [cells[name] for name in kept])
    encode = _encode_several if any(cells[name].several for name in kept) else _encode_one
    read = [
        _read_split(
            name,
            _read_cells(splits[name], text),
            cells[name],
            encode(cells[name].labels, classes),
        )
        for name in kept
    ]
    notices = [
        f"split {name!r} has no {text!r} or no {label!r} and is left out"
        for name in splits
        if name not in kept
    ]
    return RawData(text, label, classes, tuple(read), tuple(notices))


@dataclass(frozen=True)
class _LabelCells:
    """The labels of a split by name, the rows with bad ones, and whether there are lists."""

    labels: list[Labels]
    bad: list[int]
    several: bool

    @property
    def any(self) -> bool:
        """Whether any row has a label. An empty list is a label: none of the classes applies."""
        return any(labels is not None for labels in self.labels)


def _read_labels(rows: Dataset, column: str) -> _LabelCells:
    if column not in rows.features:
        return _LabelCells([None] * len(rows), [], several=False)
    names = class_names(rows.features[column])
    labels: list[Labels] = []
    bad: list[int] = []
    values = _read_cells(rows, column)
    for row, value in enumerate(values):
        try:
            labels.append(_name_labels(value, names))
        except ValueError:
            labels.append(None)
            bad.append(row)
    return _LabelCells(labels, bad, any(isinstance(value, list) for value in values))


def _name_labels(value: Any, names: Sequence[str] | None) -> Labels:
    """Return the classes in a cell; raise ValueError if it holds something else."""
    if isinstance(value, list):
        return tuple(_name_class(one, names) for one in value)
    return None if is_missing(value) else (_name_class(value, names),)


def _name_class(value: Any, names: Sequence[str] | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and names is not None and 0 <= value < len(names):
        return names[value]
    if isinstance(value, str) or (isinstance(value, int) and names is None):
        return str(value)
    raise ValueError("no class")


def _order_classes(rows: Dataset, column: str, cells: Iterable[_LabelCells]) -> tuple[str, ...]:
    """Return the declared class names in order, then all others, numbers first."""
    declared = class_names(rows.features[column]) or ()
    used = {name for split in cells for labels in split.labels for name in labels or ()}
    return declared + tuple(sorted(used.difference(declared), key=_sort_key))


def _sort_key(name: str) -> tuple[bool, int, str]:
    number = name.removeprefix("-").isdecimal()
    return (not number, int(name) if number else 0, name)


def _read_split(
    name: str, cells: list[Any], labels: _LabelCells, encoded: NDArray[np.int32]
) -> RawSplit:
    bad = set(labels.bad)
    faults = Faults(
        split=name,
        rows=len(cells),
        empty=_where(cell is None or (isinstance(cell, str) and is_blank(cell)) for cell in cells),
        not_text=_where(not isinstance(cell, str | None) for cell in cells),
        unlabelled=_where(
            label is None and row not in bad for row, label in enumerate(labels.labels)
        ),
        bad_label=tuple(labels.bad),
    )
    texts = [cell if isinstance(cell, str) else "" for cell in cells]
    return RawSplit(name, texts, encoded, faults)


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space."""
    return not text or text.isspace()


def _where(conditions: Iterable[bool]) -> tuple[int, ...]:
    return tuple(row for row, holds in enumerate(conditions) if holds)


def _encode_one(labels: Sequence[Labels], classes: Sequence[str]) -> NDArray[np.int32]:
    index = {name: place for place, name in enumerate(classes)}
    return np.array([index[label[0]] if label else UNLABELLED for label in labels], np.int32)


def _encode_several(labels: Sequence[Labels], classes: Sequence[str]) -> NDArray[np.int32]:
    index = {name: place for place, name in enumerate(classes)}
    encoded = np.zeros((len(labels), len(classes)), np.int32)
    for row, names in enumerate(labels):
        if names is None:
            encoded[row] = UNLABELLED
        else:
            encoded[row, [index[name] for name in names]] = 1
    return encoded


def _read_cells(rows: Dataset, column: str) -> list[Any]:
    try:
        cells: list[Any] = rows[column][:]
    except UnicodeDecodeError:  # the error does not name the row
        only = rows.select_columns(column)
        cells = [_read_cell(only, column, row) for row in range(len(only))]
    return cells


def _read_cell(rows: Dataset, column: str, row: int) -> Any:
    """Return a cell; bytes in place of a text that is not UTF-8."""
    try:
        return rows[row][column]
    except UnicodeDecodeError:
        return b""
