"""Reads a folder of text files: each file is a row."""

from collections.abc import Iterator
from pathlib import Path

from models.tables.decoding import TextFile
from models.tables.rows import Row, Table, TableError

SUFFIX = ".txt"
_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")


class TextFolder(Table):
    """The text files in a folder and its folders, in the order of their paths.

    Args:
        path: The folder.
        encoding: Encoding of the files; None to find it.

    Raises:
        TableError: There is no text file in it.
    """

    columns = ("file", "text")

    def __init__(self, path: Path, *, encoding: str | None = None) -> None:
        super().__init__()
        self._path = path
        self._encoding = encoding
        self._files = [file for file in list_files(path) if file.suffix.lower() == SUFFIX]
        self.size = len(self._files)
        if not self._files:
            raise TableError(f"{path} holds no files that end in {SUFFIX}")

    def rows(self) -> Iterator[Row]:
        """See Table."""
        for number, file in enumerate(self._files, start=1):
            name = file.relative_to(self._path).as_posix()
            text = TextFile(file, self._encoding)
            yield Row(number, {"file": name, "text": "" if text.is_empty else text.read().strip()})


def list_files(folder: Path) -> list[Path]:
    """Return the files in a folder and its folders by their paths, without hidden ones."""
    return sorted(
        file
        for file in folder.rglob("*")
        if not any(map(is_hidden, file.relative_to(folder).parts)) and file.is_file()
    )


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or one that systems and programs leave behind."""
    return name.startswith((".", "~$")) or name.lower() in _LEFT_BY_SYSTEMS
