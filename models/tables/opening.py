"""Opens a file of rows by its kind."""

from pathlib import Path

from models.tables.decoding import TextFile
from models.tables.delimited import Delimited
from models.tables.folder import TextFolder
from models.tables.foreign import refuse_foreign
from models.tables.kinds import find_kind
from models.tables.objects import open_json
from models.tables.parquet import Parquet
from models.tables.plain import PlainText
from models.tables.rows import Table, TableError

SEPARATOR_NAMES = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}


def open_table(
    path: Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
) -> Table:
    """Return the table in a file.

    Args:
        path: The file, which may be compressed by gzip; or a folder of text files.
        format: Its kind; None to take it from the name.
        encoding: Its encoding; None to find it.
        separator: Character between its fields, or "tab"; None to find it.

    Raises:
        TableError: The file is empty, of no known kind, or cannot be read as what it is.
    """
    if path.is_dir():
        return TextFolder(path, encoding=encoding)
    kind = find_kind(path, format=format)
    file = TextFile(path, encoding)
    if file.is_empty:
        raise TableError(f"{path} is empty")
    refuse_foreign(path, kind=kind.name)
    if kind.name == "parquet":
        return Parquet(path)
    if kind.name in ("json", "jsonl"):
        return open_json(file, lines=kind.name == "jsonl")
    if kind.name == "txt":
        return PlainText(file)
    usual = "\t" if kind.name == "tsv" else ","
    return Delimited(file, usual=usual, separator=check_separator(separator))


def check_separator(separator: str | None) -> str | None:
    r"""Return the character that a separator means; "tab" and "\t" mean a tab.

    Raises:
        ValueError: It is no single character.
    """
    if separator is None:
        return None
    found = SEPARATOR_NAMES.get(separator.lower(), "\t" if separator == r"\t" else separator)
    if len(found) != 1 or found in '"\r\n':
        known = ", ".join(SEPARATOR_NAMES)
        raise ValueError(f"{separator!r} is no single character; known names are {known}")
    return found
