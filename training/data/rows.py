"""The rows of a split, however they were read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from datasets import Dataset, Json, LargeList, List, Value

from models.tables.rows import EMPTY, REPEATED, Table, list_places, look_up

BATCH = 10_000
_WHOLE = re.compile(r"[-+]?\d+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_TRUTHS = {"true", "false"}


class Rows(Protocol):
    """Rows by column: those of a `datasets.Dataset`, or of a table."""

    @property
    def features(self) -> Mapping[str, Any]:
        """What each column holds, in the types of `datasets`."""

    def __len__(self) -> int: ...

    def __getitem__(self, column: str, /) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Unreadable:
    """A row of a file that could not be read.

    Args:
        place: Its place in words.
        fault: What is wrong with it.
    """

    place: str
    fault: str


@dataclass(frozen=True)
class TableRows:
    """The rows of one or several files, as values of Python.

    Args:
        columns: The values of each column, None where there is none.
        places: Place of each row in words: the file, and how its rows are counted.
        unreadable: Rows that are not among them because they could not be read.
        notes: Choices that were made, and rows that were left out, in words.
        typed: Whether values have types; else each is the text that stands in the file.
    """

    columns: dict[str, list[Any]]
    places: Sequence[tuple[str, int]]
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()
    typed: bool = field(default=True, kw_only=True)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.places)

    def __getitem__(self, column: str) -> list[Any]:
        """Return the values of a column."""
        return self.columns[column]

    @cached_property
    def features(self) -> Mapping[str, Any]:
        """What each column looks like, by its values."""
        describe = _describe_values if self.typed else _describe_texts
        return {name: describe(values) for name, values in self.columns.items()}

    def place(self, row: int) -> str:
        """Return the place of a row in words."""
        where, number = self.places[row]
        return f"{where} {number:,}"

    @classmethod
    def join(cls, parts: Sequence["TableRows"]) -> "TableRows":
        """Return the rows of several files; a column that one of them lacks is None there."""
        if len(parts) == 1:
            return parts[0]
        names = dict.fromkeys(name for part in parts for name in part.columns)
        columns = {
            name: [v for part in parts for v in part.columns.get(name, [None] * len(part))]
            for name in names
        }
        return cls(
            columns,
            [place for part in parts for place in part.places],
            tuple(fault for part in parts for fault in part.unreadable),
            tuple(note for part in parts for note in part.notes),
            typed=any(part.typed for part in parts),
        )


def read_table(table: Table, *, name: str) -> TableRows:
    """Return the rows of a table. Empty rows and further headers are left out, and said to be."""
    columns: dict[str, list[Any]] = {}
    places: list[tuple[str, int]] = []
    empty: list[int] = []
    repeated: list[int] = []
    unreadable: list[Unreadable] = []
    where = f"{name}, {table.unit}"
    for batch in table.batches(BATCH):
        for row in batch.rows:
            if row.fault == EMPTY:
                empty.append(row.place)
            elif row.fault == REPEATED:
                repeated.append(row.place)
            elif row.fault is not None:
                unreadable.append(Unreadable(f"{where} {row.place:,}", row.fault))
            else:
                values = row.values if table.typed else _without_empty(row.values)
                _append(columns, values, count=len(places))
                places.append((where, row.place))
    notes = list(table.notes)
    if empty:
        are = "an empty row is" if len(empty) == 1 else f"{len(empty):,} empty rows are"
        notes.append(f"{name}: {are} left out: {list_places(empty, unit=table.unit)}")
    if repeated:
        lines = list_places(repeated, unit=table.unit)
        notes.append(f"{name}: the header is there again and left out: {lines}")
    for values in columns.values():
        values.extend([None] * (len(places) - len(values)))
    return TableRows(columns, places, tuple(unreadable), tuple(notes), typed=table.typed)


def reach_columns(rows: Rows, names: Iterable[str | None]) -> Rows:
    """Return rows with columns for the names that reach into objects, such as "example.text"."""
    for name in names:
        if name is None or "." not in name or name in rows.features:
            continue
        root = name.partition(".")[0]
        if root not in rows.features:
            continue
        if isinstance(rows, Dataset):
            rows = rows.flatten() if isinstance(rows.features[root], dict) else rows
        elif isinstance(rows, TableRows):
            values = [_reach({root: value}, name) for value in rows.columns[root]]
            if any(value is not None for value in values):
                rows = replace(rows, columns={**rows.columns, name: values})
    return rows


def _reach(values: Mapping[str, Any], name: str) -> Any:
    try:
        return look_up(values, name)
    except KeyError:
        return None


def is_list(feature: object) -> bool:
    """Whether a column holds lists."""
    return isinstance(feature, List | LargeList)


def describe_place(rows: Rows, row: int) -> str:
    """Return the place of a row in words, with how it is counted."""
    if isinstance(rows, TableRows):
        return rows.place(row)
    return f"row {row} (counted from 0)"


def _append(columns: dict[str, list[Any]], values: Mapping[str, Any], *, count: int) -> None:
    for name, value in values.items():
        column = columns.get(name)
        if column is None:
            column = columns[name] = []
        if len(column) < count:
            column.extend([None] * (count - len(column)))
        column.append(value)


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with None for what is empty in a file without types."""
    return {name: value or None for name, value in values.items()}


def _describe_texts(values: Iterable[Any]) -> Any:
    """Return what a column of a file without types looks like."""
    given = [value for value in values if value is not None]
    if given and all(map(_WHOLE.fullmatch, given)):
        return Value("int64")
    if given and all(map(_NUMBER.fullmatch, given)):
        return Value("float64")
    if given and all(value.lower() in _TRUTHS for value in given):
        return Value("bool")
    return Value("string")


def _describe_values(values: Iterable[Any]) -> Any:
    """Return what a column of a file with types holds; Json() for a mixture."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {list}:
        return List(Json())
    if kinds <= {int, float} and kinds:
        return Value("float64" if float in kinds else "int64")
    one = {str: "string", bool: "bool"}
    return Value(one[next(iter(kinds))]) if len(kinds) == 1 and kinds <= one.keys() else Json()
