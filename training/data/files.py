"""Reads a table from one file of any kind that `models.tables` knows."""

from pathlib import Path

from datasets import Dataset
from pyarrow import parquet

from models.tables.kinds import find_kind
from models.tables.opening import open_table
from models.tables.rows import TableError
from training.data.rows import Rows, TableRows, read_table
from training.errors import DataError
from training.reading import Reading


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
        if kind.name == "parquet" and not kind.compressed and path.stat().st_size > 0:
            rows: Rows = Dataset(parquet.ParquetFile(path).read())
            unreadable = 0
        else:
            table = open_table(
                path, format=format, encoding=reading.encoding, separator=reading.separator
            )
            read = read_table(table, name=name or path.name)
            rows, unreadable = read, len(read.unreadable)
    except TableError as error:
        raise DataError(str(error)) from error
    if len(rows) == 0 and not unreadable:
        raise DataError(f"{path} has no rows")
    return rows


def read_files(paths: list[Path], *, reading: Reading, format: str | None = None) -> Rows:
    """Return the rows of several files that are no Parquet, one file after the other."""
    parts = [read_file(path, reading=reading, format=format) for path in paths]
    return TableRows.join([part for part in parts if isinstance(part, TableRows)])
