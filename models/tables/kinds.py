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
    suffix, compressed = _split_suffix(path)
    wanted = f".{format.lower().lstrip('.')}" if format else suffix
    if wanted not in SUFFIXES:
        raise TableError(
            f"{path}: unknown kind of file; known are {', '.join(SUFFIXES)}, each also with .gz"
        )
    return Kind(SUFFIXES[wanted], compressed)


def is_table(name: str) -> bool:
    """Whether the name of a file says a known kind."""
    return _split_suffix(Path(name))[0] in SUFFIXES


def _split_suffix(path: Path) -> tuple[str, bool]:
    """Return the suffix that says the kind, in small letters, and whether one of gzip follows."""
    compressed = path.suffix.lower() == COMPRESSED
    return (Path(path.stem) if compressed else path).suffix.lower(), compressed
