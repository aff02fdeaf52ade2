"""What every kind of file becomes: rows with their place in the file."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from models.errors import GatewiseError

EMPTY = "the row is empty"
REPEATED = "the line is the header again"
Values = Mapping[str, Any]
"""The values of a row by column."""


class TableError(GatewiseError):
    """A file cannot be read as a table; the message says where and why."""


class Row(NamedTuple):
    """One row of a file.

    Args:
        place: Number of its first line in the file, or its own among all rows, from 1.
        values: Its values; those that were found where it has a fault.
        fault: Why it cannot be used; None for a proper row.
    """

    place: int
    values: Values
    fault: str | None = None


class Batch(NamedTuple):
    """Rows in order.

    Args:
        rows: The rows.
        native: The same rows in the form of their format, where that keeps more of them.
    """

    rows: Sequence[Row]
    native: Any = None


class Table(ABC):
    """An open file of rows, which can be read any number of times.

    Attributes:
        unit: What the place of a row counts: "line" or "row".
        typed: Whether values have types; else each is the text that stands in the file.
        size: Number of its rows; None where only reading tells.
        notes: Choices that were made for the user, in words.
    """

    unit = "row"
    typed = True
    size: int | None = None

    def __init__(self) -> None:
        self.notes: list[str] = []

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in order."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield all rows."""

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all rows, at most `size` at a time."""
        rows = self.rows()
        while batch := list(islice(rows, size)):
            yield Batch(batch)


def list_places(places: Sequence[int], *, unit: str, most: int = 8) -> str:
    """Return places in words: "lines 3, 7 and 12 more"."""
    shown = ", ".join(f"{place:,}" for place in places[:most])
    more = f" and {len(places) - most:,} more" if len(places) > most else ""
    return f"{unit}{'s' * (len(places) > 1)} {shown}{more}"


def name_apart(header: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns; one that is there already gets a number."""
    names: list[str] = []
    for name in header:
        number, free = 1, name
        while free in names:
            number += 1
            free = f"{name}.{number}"
        names.append(free)
    return tuple(names)


def describe_repeated(header: Sequence[str]) -> str | None:
    """Return in words that columns have the same name; None where all differ."""
    repeated = next((name for name in header if name.strip() and header.count(name) > 1), None)
    if repeated is None:
        return None
    count = header.count(repeated)
    return f"{count} columns have the name {repeated!r}; the second is read as '{repeated}.2'"


def look_up(values: Values, column: str) -> Any:
    """Return the value of a column; "example.text" is "text" in the object in "example".

    Raises:
        KeyError: There is no such column.
    """
    if column in values:
        return values[column]
    found: Any = values
    for name in column.split("."):
        if not isinstance(found, Mapping):
            raise KeyError(column)
        found = found[name]
    return found


def may_hold(columns: Sequence[str], column: str) -> bool:
    """Whether a column is there, or may be in an object in one of the columns."""
    return column in columns or ("." in column and column.partition(".")[0] in columns)
