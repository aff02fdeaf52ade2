"""Reads Parquet; needs pyarrow.

Two columns of one name are told apart, and bytes that are UTF-8 are texts, as some writers do not
say that their texts are such.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.installation import install_command
from models.tables.decoding import open_bytes
from models.tables.rows import Batch, Row, Table, TableError, describe_repeated, name_apart

AT_ONCE = 4_096  # rows


class Parquet(Table):
    """A file of Apache Parquet."""

    columns: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        with self._open() as file:
            names = file.schema_arrow.names
            self.columns = name_apart(names)
            self.size = file.metadata.num_rows
        if repeated := describe_repeated(names):
            self.notes.append(f"{path.name}: {repeated}")

    def rows(self) -> Iterator[Row]:
        """See Table."""
        return (row for batch in self.batches(AT_ONCE) for row in batch.rows)

    def batches(self, size: int) -> Iterator[Batch]:
        """See Table; `native` is the RecordBatch."""
        done = 0
        with self._open() as file:
            for batch in file.iter_batches(batch_size=size):
                found = batch.rename_columns(self.columns)
                count = len(found)
                if count:
                    rows = [Row(done + row + 1, _Cells(found, row)) for row in range(count)]
                    yield Batch(rows, found)
                    done += count

    @contextmanager
    def _open(self) -> Iterator[Any]:
        pyarrow, parquet = import_parquet()
        try:
            with open_bytes(self._path) as file:
                whole = file if hasattr(file, "raw") else io.BytesIO(file.read())
                yield parquet.ParquetFile(whole)
        except pyarrow.ArrowInvalid as error:
            raise TableError(f"cannot read {self._path}: {error}") from error


class _Cells(Mapping[str, Any]):
    """The values of a row, each converted when it is asked for."""

    def __init__(self, batch: Any, row: int) -> None:
        self._batch = batch
        self._row = row

    def __getitem__(self, name: str) -> Any:
        cell = self._batch.column(name)[self._row]
        try:
            value = cell.as_py()
            return value.decode() if isinstance(value, bytes) else value
        except UnicodeDecodeError:
            return cell.as_buffer().to_pybytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._batch.schema.names)

    def __len__(self) -> int:
        return len(self._batch.schema.names)


def import_parquet() -> tuple[Any, Any]:
    """Return the modules `pyarrow` and `pyarrow.parquet`; TableError where they are missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise TableError(f"Parquet needs pyarrow: {install_command('parquet')}") from None
    return pyarrow, pyarrow.parquet
