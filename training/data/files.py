"""Reads a table from one file of any kind that `models.tables` knows."""

from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset, concatenate_datasets
from pyarrow import ArrowInvalid, ArrowTypeError, DataType, concat_tables, parquet
from pyarrow.types import is_binary, is_large_binary

from models.tables.foreign import refuse_foreign
from models.tables.kinds import find_kind
from models.tables.opening import open_table
from models.tables.rows import TableError
from training.data.labels import class_names
from training.data.rows import Rows, TableRows, read_table
from training.errors import DataError
from training.reading import Reading

MOST_NAMED = 5  # files in an error


def read_file(
    path: Path, *, reading: Reading, format: str | None = None, name: str | None = None
) -> Rows:
    """Return the rows of a file.

    Args:
        path: The file.
        reading: How it is to be read.
        format: Its kind; None to take it from its name.
        name: Its name in messages; None for its own.

    Raises:
        DataError: Its kind is unknown, it cannot be read, or it has no rows.
    """
    try:
        kind = find_kind(path, format=format)
        if kind == ("parquet", False) and path.stat().st_size > 0 and _is_proper(path):
            rows: Rows = Dataset(parquet.ParquetFile(path).read())
        else:
            table = open_table(
                path, format=format, encoding=reading.encoding, separator=reading.separator
            )
            rows = read_table(table, name=name or path.name)
    except TableError as error:
        raise DataError(str(error)) from error
    if len(rows) == 0 and not (isinstance(rows, TableRows) and rows.unreadable):
        raise DataError(f"{path} has no rows")
    return rows


def read_files(paths: Sequence[Path], *, reading: Reading) -> Rows:
    """Return the rows of several files, one file after the other.

    Raises:
        DataError: A file cannot be read, or their rows do not go together.
    """
    parts = [read_file(path, reading=reading) for path in paths]
    return join_rows(parts, names=[path.name for path in paths])


def join_rows(parts: Sequence[Rows], *, names: Sequence[str]) -> Rows:
    """Return the rows of several files as one; DataError if they do not go together."""
    if len(parts) == 1:
        return parts[0]
    tables = [part for part in parts if isinstance(part, TableRows)]
    if len(tables) == len(parts):
        return TableRows.join(tables)
    named = ", ".join(names[:MOST_NAMED])
    if tables:
        raise DataError(f"Parquet and other files are rows of one split: {named}")
    return _concatenate([part for part in parts if isinstance(part, Dataset)], named=named)


def _concatenate(parts: list[Dataset], *, named: str) -> Dataset:
    """Return the rows of several Parquet files, whose columns may have another order."""
    kinds = [part.features for part in parts]
    if all(kind == kinds[0] for kind in kinds):
        return concatenate_datasets(parts)
    if any(class_names(feature) for kind in kinds for feature in kind.values()):
        raise DataError(f"the files {named} declare other classes or columns")
    try:
        tables = [part.data.table for part in parts]
        return Dataset(concat_tables(tables, promote_options="permissive"))
    except (ArrowInvalid, ArrowTypeError) as error:
        message = " ".join(str(error).split())
        raise DataError(f"a column has other types in other files of {named}: {message}") from error


def _is_proper(path: Path) -> bool:
    """Whether a Parquet file has names that differ, and no bytes that may be texts."""
    refuse_foreign(path, kind="parquet")
    schema = parquet.ParquetFile(path).schema_arrow
    declared = b"huggingface" in (schema.metadata or {})
    bytes_there = any(map(_holds_bytes, schema.types))
    return len(set(schema.names)) == len(schema.names) and (declared or not bytes_there)


def _holds_bytes(kind: DataType) -> bool:
    return is_binary(kind) or is_large_binary(kind)
