"""Writes rows with their answers, in every kind of file that can be read.

A part of the rows is written at a time, without what stands around them. The parts are then joined.
"""

import codecs
import csv
import gzip
import io
import json
import math
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from models.errors import GatewiseError
from models.tables.decoding import is_byte
from models.tables.kinds import Kind
from models.tables.parquet import import_parquet
from models.tables.plain import LABEL
from models.tables.rows import Batch, Row, look_up

Columns = dict[str, type]
"""The added columns and the types of their values: str, float, list (of str) or dict (by label)."""
HALVES = "gatewise.halves"
"""How characters that UTF-8 does not have are written: see `_encode_halves`."""
Added = dict[str, Any]
"""The added values of one row, by column; None for an empty one."""


class FormatError(GatewiseError):
    """Rows cannot be written with these columns, or in this format."""


class Writer(ABC):
    """Writes one kind of file.

    Args:
        there: Columns of the rows; None where each row has its own.
        columns: The added columns.

    Raises:
        FormatError: A column of an added name is there already.
    """

    def __init__(self, there: Sequence[str] | None, *, columns: Columns) -> None:
        self.there = there
        self.columns = columns
        self._check(there or ())

    @abstractmethod
    def write(self, batch: Batch, answers: Sequence[Added], target: Path) -> None:
        """Write rows with their answers to a new file, as one part."""

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """Write the rows of several parts, one part after the other."""
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, target)

    def _check(self, there: Sequence[str]) -> None:
        """Raise FormatError if an answer would replace a column."""
        if taken := sorted(set(there) & set(self.columns)):
            raise FormatError(f"there is a column {taken[0]!r} already; give another --prefix")

    def _merge(self, row: Row, answer: Added) -> dict[str, Any]:
        self._check(list(row.values))
        return {**row.values, **answer}


class DelimitedWriter(Writer):
    """Fields between separators, under a header."""

    def __init__(
        self, there: Sequence[str] | None, *, columns: Columns, separator: str = ","
    ) -> None:
        super().__init__(there, columns=columns)
        self._names = list(there or ())
        self._separator = separator

    def write(self, batch: Batch, answers: Sequence[Added], target: Path) -> None:
        """See Writer."""
        with _open_text(target) as file:
            writer = self._start(file)
            for row, answer in zip(batch.rows, answers, strict=True):
                kept = [_to_field(row.values.get(name)) for name in self._names]
                writer([*kept, *map(_to_field, answer.values())])

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """See Writer."""
        header = io.StringIO()
        self._start(header)([*self._names, *self.columns])
        target.write(header.getvalue().encode(errors=HALVES))
        super().join(parts, target)

    def _start(self, file: Any) -> Callable[[Sequence[str]], object]:
        r"""Return what writes a row. Before Python 3.13 `csv` leaves a lone "\r" unquoted."""
        start = partial(csv.writer, file, delimiter=self._separator, lineterminator="\n")
        usual, quoted = start(), start(quoting=csv.QUOTE_ALL)

        def write(fields: Sequence[str]) -> None:
            returns = any("\r" in field for field in fields)
            (quoted if returns else usual).writerow(fields)

        return write


class JsonLinesWriter(Writer):
    """One JSON object per line."""

    def write(self, batch: Batch, answers: Sequence[Added], target: Path) -> None:
        """See Writer."""
        with _open_text(target) as file:
            for row, answer in zip(batch.rows, answers, strict=True):
                file.write(_to_json(self._merge(row, answer)) + "\n")


class JsonWriter(JsonLinesWriter):
    """A list of JSON objects."""

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """See Writer."""
        between = b"["
        for part in parts:
            with part.open("rb") as file:
                for line in file:
                    target.write(between + b"\n" + line.rstrip(b"\n"))
                    between = b","
        target.write(b"\n]\n")


class TextWriter(Writer):
    """Lines of text behind their labels, as fastText reads them.

    Args:
        there: See Writer.
        columns: See Writer.
        text: Column of the text.
    """

    def __init__(self, there: Sequence[str] | None, *, columns: Columns, text: str) -> None:
        super().__init__(there, columns=columns)
        self._text = text

    def write(self, batch: Batch, answers: Sequence[Added], target: Path) -> None:
        """See Writer."""
        with _open_text(target) as file:
            for row, answer in zip(batch.rows, answers, strict=True):
                given = next(iter(answer.values()))  # the label, or the list of labels
                labels = given if isinstance(given, list) else [given] if given else []
                marks = map(self._mark, labels)
                file.write(" ".join([*marks, *self._words(row)]) + "\n")

    def _words(self, row: Row) -> list[str]:
        try:
            text = look_up(row.values, self._text)
        except KeyError:
            return []
        return text.split() if isinstance(text, str) else []

    def _mark(self, label: str) -> str:
        if re.search(r"\s", label):
            raise FormatError(f"a .txt file cannot hold the label {label!r}, which has a space")
        return LABEL + label


class ParquetWriter(Writer):
    """Apache Parquet; needs pyarrow. Rows of other formats become texts."""

    def write(self, batch: Batch, answers: Sequence[Added], target: Path) -> None:
        """See Writer."""
        pyarrow, parquet = import_parquet()
        kinds = {
            str: pyarrow.string(),
            float: pyarrow.float64(),
            list: pyarrow.list_(pyarrow.string()),
            dict: pyarrow.string(),  # as JSON: labels may not be names of fields
        }
        if batch.native is not None:
            table = pyarrow.Table.from_batches([batch.native])
        else:
            names = self.there or ()
            texts = {name: [_to_text(row.values.get(name)) for row in batch.rows] for name in names}
            table = pyarrow.table(texts, schema=pyarrow.schema([(n, kinds[str]) for n in names]))
        for name, kind in self.columns.items():
            given = (answer[name] for answer in answers)
            shown = [_to_text(value) if kind is dict else value for value in given]
            values = pyarrow.array(shown, kinds[kind])
            table = table.append_column(name, values)
        parquet.write_table(table, target)

    def join(self, parts: Sequence[Path], target: IO[bytes]) -> None:
        """See Writer."""
        _, parquet = import_parquet()
        with parquet.ParquetWriter(target, parquet.read_schema(parts[0])) as writer:
            for part in parts:
                writer.write_table(parquet.read_table(part))


def make_writer(
    kind: Kind, there: Sequence[str], *, columns: Columns, text: str = "text", separator: str = ","
) -> Writer:
    """Return the writer of a kind of file.

    Args:
        kind: The kind.
        there: Columns of the rows.
        columns: The added columns.
        text: Column of the text, for a file that has no columns.
        separator: Character between the fields of a CSV file.
    """
    if kind.name in ("csv", "tsv"):
        between = "\t" if kind.name == "tsv" else separator
        return DelimitedWriter(there, columns=columns, separator=between)
    if kind.name == "txt":
        return TextWriter(there, columns=columns, text=text)
    writers: dict[str, type[Writer]] = {
        "jsonl": JsonLinesWriter,
        "json": JsonWriter,
        "parquet": ParquetWriter,
    }
    return writers[kind.name](there, columns=columns)


@contextmanager
def compressing(file: IO[bytes], kind: Kind) -> Iterator[IO[bytes]]:
    """Yield a file whose content reaches `file` compressed if the kind is."""
    if not kind.compressed:
        yield file
        return
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        yield packed  # type: ignore[misc]


def _open_text(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", errors=HALVES, newline="")


def _encode_halves(error: UnicodeError) -> tuple[bytes, int]:
    """Return the bytes of characters that UTF-8 does not have.

    A byte that was none of UTF-8 when it was read is itself again; half a character becomes "?".
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    halves = error.object[error.start : error.end]
    found = (bytes([ord(half) & 0xFF]) if is_byte(half) else b"?" for half in halves)
    return b"".join(found), error.end


codecs.register_error(HALVES, _encode_halves)


def _to_json(row: Mapping[str, Any]) -> str:
    """Return a row as JSON; characters that are halves are escaped, and NaN is null."""
    try:
        line = json.dumps(row, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # a number that JSON does not have
        row = _without_nan(dict(row))
        line = json.dumps(row, ensure_ascii=False, default=str)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(row, default=str)
    return line


def _without_nan(value: Any) -> Any:
    """Return a value with None for numbers that are not finite."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list):
        return list(map(_without_nan, value))
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _to_field(value: Any) -> str:
    """Return a value for a CSV file: lists and objects as JSON, "" for None."""
    if value is None:
        return ""
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _to_text(value: Any) -> str | None:
    return None if value is None else _to_field(value).encode(errors="replace").decode()
