"""Reads all rows of a dataset: unusable rows are counted, not rejected."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from models.tables.decoding import find_half
from training.data.classes import describe_joined, merge_names
from training.data.columns import align_columns, choose_columns
from training.data.labels import (
    LabelFormat,
    class_names,
    find_format,
    name_class,
    order_names,
    same_name,
)
from training.data.rows import Rows, TableRows
from training.data.sources import Source
from training.errors import DataError
from training.inspection.findings import Faults
from training.reading import Reading
from training.targets import UNLABELLED

MOST_SHOWN = 8  # rows that cannot be read
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


def read_rows(source: Source, *, reading: Reading) -> RawData:
    """Return all rows of a source, also those with faults.

    Splits without any label are left out, such as the test split of a competition.

    Raises:
        DataError: There are no rows, or a column is missing or unclear.
    """
    splits = {name: rows for name, rows in source.splits.items() if len(rows) > 0}
    if not splits:
        raise DataError(f"{source.description} has no rows, so there is nothing to inspect")
    first = "train" if "train" in splits else next(iter(splits))
    chosen = choose_columns(splits[first], reading)
    aligned = {name: align_columns(rows, chosen, split=name) for name, rows in splits.items()}
    splits = {name: chosen.view(rows) for name, (rows, _) in aligned.items()}
    values = _read_cells(splits[first], chosen.label)
    form = find_format(splits[first], chosen.label, values, separator=reading.split_labels)
    cells = {name: _read_labels(rows, chosen.label, form) for name, rows in splits.items()}
    kept = [
        name
        for name, rows in splits.items()
        if name == first or (chosen.text in rows.features and cells[name].any)
    ]
    if reading.clean_labels:
        cells = _merge(cells)
    declared = form.names or () if not reading.clean_labels else ()
    classes = _order_classes(declared, [cells[name] for name in kept])
    encode = _encode_several if any(cells[name].several for name in kept) else _encode_one
    read = [
        _read_split(
            name,
            _read_cells(splits[name], chosen.text),
            cells[name],
            encode(cells[name].labels, classes),
        )
        for name in kept
    ]
    joined = None if form.several else describe_joined(classes)
    others = [notice for _, notice in aligned.values()]
    notices = [notice for notice in (chosen.notice, form.notice, joined, *others) if notice]
    notices += [notice for rows in source.splits.values() for notice in _list_unreadable(rows)]
    notices += [
        f"split {name!r} has no {chosen.text!r} or no {chosen.label!r} and is left out"
        for name in splits
        if name not in kept
    ]
    return RawData(chosen.text, chosen.label, classes, tuple(read), tuple(notices))


def _list_unreadable(rows: Rows) -> list[str]:
    """Return the rows of a file that could not be read, in words."""
    if not isinstance(rows, TableRows) or not rows.unreadable:
        return []
    shown = "; ".join(f"{one.place}: {one.fault}" for one in rows.unreadable[:MOST_SHOWN])
    more = len(rows.unreadable) - MOST_SHOWN
    return [
        f"{len(rows.unreadable):,} row{'s' * (len(rows.unreadable) > 1)} cannot be read: {shown}"
        + (f"; and {more:,} more" if more > 0 else "")
    ]


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


def _read_labels(rows: Rows, column: str, form: LabelFormat) -> _LabelCells:
    if column not in rows.features:
        return _LabelCells([None] * len(rows), [], several=form.several)
    names = class_names(rows.features[column]) if form.declared else None
    labels: list[Labels] = []
    bad: list[int] = []
    for row, value in enumerate(form.read(_read_cells(rows, column))):
        try:
            labels.append(_name_labels(value, names))
        except ValueError:
            labels.append(None)
            bad.append(row)
    return _LabelCells(labels, bad, form.several)


def _name_labels(value: Any, names: Sequence[str] | None) -> Labels:
    """Return the classes in a cell; raise ValueError if it holds something else."""
    if isinstance(value, list):
        return tuple(_name(one, names) for one in value)
    return None if value is None else (_name(value, names),)


def _name(value: Any, names: Sequence[str] | None) -> str:
    """Return the name of a class; `names` are those of a column that holds their numbers."""
    if names is None:
        name = name_class(value)
        if name is None:
            raise ValueError("no class")
        return name
    if isinstance(value, int | float) and value == int(value) and 0 <= value < len(names):
        return names[int(value)]
    raise ValueError("no class")


def _merge(cells: dict[str, _LabelCells]) -> dict[str, _LabelCells]:
    """Return the cells with one name for all that differ little."""
    counts = Counter(
        name for split in cells.values() for labels in split.labels for name in labels or ()
    )
    merged = merge_names(counts)
    return {
        split: replace(
            found,
            labels=[
                None if labels is None else tuple(merged[same_name(name)] for name in labels)
                for labels in found.labels
            ],
        )
        for split, found in cells.items()
    }


def _order_classes(declared: Sequence[str], cells: Iterable[_LabelCells]) -> tuple[str, ...]:
    """Return the declared class names in order, then all others, numbers first."""
    used = {name for split in cells for labels in split.labels for name in labels or ()}
    return (*declared, *order_names(used.difference(declared)))


def _read_split(
    name: str, cells: list[Any], labels: _LabelCells, encoded: NDArray[np.int32]
) -> RawSplit:
    bad = set(labels.bad)
    faults = Faults(
        split=name,
        rows=len(cells),
        empty=_where(cell is None or (isinstance(cell, str) and is_blank(cell)) for cell in cells),
        not_text=_where(not _is_text(cell) for cell in cells),
        unlabelled=_where(
            label is None and row not in bad for row, label in enumerate(labels.labels)
        ),
        bad_label=tuple(labels.bad),
    )
    texts = [cell if isinstance(cell, str) and _is_text(cell) else "" for cell in cells]
    return RawSplit(name, texts, encoded, faults)


def _is_text(cell: Any) -> bool:
    """Whether a cell is missing, or a text without bytes or halves that are no characters."""
    return cell is None or (isinstance(cell, str) and find_half(cell) is None)


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


def _read_cells(rows: Rows, column: str) -> list[Any]:
    try:
        return list(rows[column][:])
    except UnicodeDecodeError:  # the error does not name the row
        if not isinstance(rows, Dataset):
            raise
        only = rows.select_columns(column)
        return [_read_cell(only, column, row) for row in range(len(only))]


def _read_cell(rows: Dataset, column: str, row: int) -> Any:
    """Return a cell; bytes in place of a text that is not UTF-8."""
    try:
        return rows[row][column]
    except UnicodeDecodeError:
        return b""
