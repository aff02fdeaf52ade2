"""Kinds of files by their names: `Reviews.CSV.gz` is a compressed CSV file."""

from pathlib import Path
from typing import Literal, NamedTuple

from models.tables.rows import TableError

KindName = Literal["csv", "tsv", "jsonl", "json", "parquet", "txt"]
SUFFIXES: dict[str, KindName] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".txt": "txt",
}
COMPRESSED = ".gz"


class Kind(NamedTuple):
    """The kind of a file, and whether it is compressed by gzip."""

    name: KindName
    compressed: bool


def find_kind(path: Path, *, format: str | None = None) -> Kind:
    """Return the kind of a file from its name, or from the given format.

    Raises:
        TableError: The name says no known kind.
    """
    compressed = path.suffix.lower() == COMPRESSED
    suffix = Path(path.stem).suffix.lower() if compressed else path.suffix.lower()
    wanted = f".{format.lower().lstrip('.')}" if format else suffix
    if wanted not in SUFFIXES:
        raise TableError(
            f"{path}: unknown kind of file; known are {', '.join(SUFFIXES)}, each also with .gz"
        )
    return Kind(SUFFIXES[wanted], compressed)


def is_table(name: str) -> bool:
    """Whether the name of a file says a known kind."""
    path = Path(name.lower())
    return (Path(path.stem).suffix if path.suffix == COMPRESSED else path.suffix) in SUFFIXES
