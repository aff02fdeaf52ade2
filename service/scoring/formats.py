"""Files of rows, read and written some rows at a time: CSV, JSON lines, Parquet.

The columns of a row are kept; the answers follow in new columns.
"""

import csv
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

from models.errors import GatewiseError

Columns = dict[str, type]
"""The added columns and the types of their values: str, float or list (of str)."""
Added = dict[str, Any]
"""The added values of one row, by column; None for an empty one."""


class FormatError(GatewiseError):
    """A file cannot be read, or cannot be written in this format."""


class BadRow(Exception):
    """A row, or the text in it, cannot be read; other rows can."""


JsonRow = dict[str, Any] | BadRow
FileRow = TypeVar("FileRow")


class Format(ABC):
    """One kind of file.

    Args:
        column: Name of the column that holds the text; None if there is only one.
    """

    def __init__(self, column: str | None) -> None:
        self.column = column

    @abstractmethod
    def batches(self, source: IO[bytes], *, rows: int) -> Iterator[Sequence[Any]]:
        """Yield the rows of a file, at most `rows` at a time."""

    @abstractmethod
    def texts(self, batch: Sequence[Any]) -> list[Any]:
        """Return the value of each row's text column, or a BadRow in its place."""

    @abstractmethod
    def write(
        self, batch: Sequence[Any], answers: Sequence[Added], target: Path, *, columns: Columns
    ) -> None:
        """Write rows with their answers to a new file.

        Raises:
            FormatError: A row already has a column of that name.
        """

    @abstractmethod
    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """Write the rows of several files, one file after the other."""

    def _check(self, there: Sequence[str], new: Columns) -> None:
        """Raise FormatError if an answer would replace a column."""
        if taken := sorted(set(there) & set(new)):
            raise FormatError(f"there is a column {taken[0]!r} already; give another --prefix")

    def _find(self, there: Sequence[str]) -> str:
        """Return the name of the text column.

        Raises:
            FormatError: It is missing, or not named among several.
        """
        listed = ", ".join(map(repr, there)) or "none"
        if self.column is not None and self.column not in there:
            raise FormatError(f"no column {self.column!r}; there are: {listed}")
        if self.column is None and len(there) != 1 and "text" not in there:
            raise FormatError(f"name the column of the text with --text-column, one of: {listed}")
        return self.column or ("text" if "text" in there else there[0])


class Csv(Format):
    """Comma-separated values with a header, UTF-8."""

    def __init__(self, column: str | None) -> None:
        super().__init__(column)
        self._header: list[str] = []

    def batches(self, source: IO[bytes], *, rows: int) -> Iterator[Sequence[list[str]]]:
        """See Format."""
        lines = (line.decode("utf-8-sig", errors="surrogateescape") for line in source)
        reader = csv.reader(lines)
        self._header = next(reader, [])
        self._index = self._header.index(self._find(self._header))
        csv.field_size_limit(2**31 - 1)
        yield from _group((row for row in reader if row), rows)

    def texts(self, batch: Sequence[list[str]]) -> list[Any]:
        """See Format."""
        width = len(self._header)
        return [
            row[self._index]
            if len(row) == width
            else BadRow(f"{len(row)} fields, where the header has {width}")
            for row in batch
        ]

    def write(
        self,
        batch: Sequence[list[str]],
        answers: Sequence[Added],
        target: Path,
        *,
        columns: Columns,
    ) -> None:
        """See Format."""
        self._check(self._header, columns)
        width = len(self._header)
        with target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*self._header, *columns])
            for row, answer in zip(batch, answers, strict=True):
                kept = (row + [""] * width)[:width]
                writer.writerow([*kept, *map(_to_field, answer.values())])

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """See Format."""
        for number, part in enumerate(parts):
            with part.open("rb") as file:
                if number > 0:
                    next(csv.reader(line.decode(errors="surrogateescape") for line in file), None)
                shutil.copyfileobj(file, target)


class JsonLines(Format):
    """One JSON object per line."""

    def batches(self, source: IO[bytes], *, rows: int) -> Iterator[Sequence[JsonRow]]:
        """See Format."""
        yield from _group((_parse(line) for line in source if line.strip()), rows)

    def texts(self, batch: Sequence[JsonRow]) -> list[Any]:
        """See Format."""
        return [self._text(row) for row in batch]

    def _text(self, row: JsonRow) -> Any:
        if isinstance(row, BadRow):
            return row
        try:
            return row[self._find(list(row))]
        except FormatError as error:
            return BadRow(str(error))

    def write(
        self, batch: Sequence[JsonRow], answers: Sequence[Added], target: Path, *, columns: Columns
    ) -> None:
        """See Format."""
        with target.open("w", encoding="utf-8") as file:
            for row, answer in zip(batch, answers, strict=True):
                kept = {} if isinstance(row, BadRow) else row
                self._check(list(kept), columns)
                file.write(json.dumps(kept | answer) + "\n")

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """See Format."""
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, target)


class Parquet(Format):
    """Apache Parquet; needs pyarrow."""

    def batches(self, source: IO[bytes], *, rows: int) -> Iterator[Any]:
        """See Format."""
        file = _parquet().ParquetFile(source)
        self._name = self._find(file.schema_arrow.names)
        yield from (batch for batch in file.iter_batches(batch_size=rows) if len(batch))

    def texts(self, batch: Any) -> list[Any]:
        """See Format."""
        found: list[Any] = batch.column(self._name).to_pylist()
        return found

    def write(
        self, batch: Any, answers: Sequence[Added], target: Path, *, columns: Columns
    ) -> None:
        """See Format."""
        import pyarrow

        kinds = {
            str: pyarrow.string(),
            float: pyarrow.float64(),
            list: pyarrow.list_(pyarrow.string()),
        }
        self._check(batch.schema.names, columns)
        table = pyarrow.Table.from_batches([batch])
        for name, kind in columns.items():
            values = pyarrow.array([answer[name] for answer in answers], kinds[kind])
            table = table.append_column(name, values)
        _parquet().write_table(table, target)

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """See Format."""
        parquet = _parquet()
        with parquet.ParquetWriter(target, parquet.read_schema(parts[0])) as writer:
            for part in parts:
                writer.write_table(parquet.read_table(part))


def _to_field(value: Any) -> str:
    """Return a value for a CSV file: lists as JSON, "" for None."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _group(rows: Iterator[FileRow], size: int) -> Iterator[list[FileRow]]:
    """Yield rows, `size` at a time."""
    while batch := list(islice(rows, size)):
        yield batch


def _parse(line: bytes) -> JsonRow:
    try:
        row = json.loads(line)
    except ValueError as error:  # also for bytes that are not UTF-8
        return BadRow(f"not JSON: {error}")
    return row if isinstance(row, dict) else BadRow("not a JSON object")


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise FormatError("Parquet needs pyarrow: pip install 'gatewise[parquet]'") from None
    return pyarrow.parquet


FORMATS: dict[str, type[Format]] = {"csv": Csv, "jsonl": JsonLines, "parquet": Parquet}
