"""Writes small files and reads them as tables."""

from pathlib import Path
from typing import Any

from models.tables.opening import open_table
from models.tables.rows import Row, Table


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def open_written(folder: Path, name: str, content: str | bytes, **options: Any) -> Table:
    return open_table(write(folder, name, content), **options)


def rows_of(table: Table, *, size: int = 1_000) -> list[Row]:
    return [row for batch in table.batches(size) for row in batch.rows]


def values_of(table: Table) -> list[list[Any]]:
    """Return the values of all rows, none of which may have a fault."""
    rows = rows_of(table)
    assert [row.fault for row in rows] == [None] * len(rows)
    return [[row.values.get(name) for name in table.columns] for row in rows]


def faults_of(table: Table) -> dict[int, str]:
    """Return the fault of each row that has one, by its place."""
    return {row.place: row.fault for row in rows_of(table) if row.fault is not None}
