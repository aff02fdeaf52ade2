"""Opens files of text: decompressed, decoded, and cut into lines as they were written."""

import codecs
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from models.tables.rows import TableError

SAMPLE = 65_536  # bytes that tell the encoding and the ends of lines
GZIP_MARK = b"\x1f\x8b"
# The mark of UTF-32 begins like that of UTF-16, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF_8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class TextFile:
    """A file of text on disk.

    Args:
        path: The file; it may be compressed by gzip.
        asked: Its encoding; None to take it from the mark at its start, or UTF-8.
    """

    path: Path
    asked: str | None = None

    @cached_property
    def encoding(self) -> str:
        """The encoding in the words of Python.

        Raises:
            TableError: There is no such encoding, or the file is plainly of another.
        """
        head = self._head
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
        if self.asked is not None:
            return _check_encoding(self.asked, marked=marked)
        if marked is None and 4 * head[:512].count(0) > len(head[:512]):
            order = "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
            raise TableError(
                f"{self.path} holds zero bytes, as UTF-16 without a mark does: --encoding {order}"
            )
        return marked or "utf-8"

    @cached_property
    def newline(self) -> str:
        r"""The end of a line: "\n", or "\r" where the first line ends so, as on old Macs.

        Programs that write "\r\n" as text on Windows leave "\r\r\n".
        """
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        head = decoder.decode(self._head)
        first = re.search("\r*\n|\r", head)
        return "\r" if first is not None and first[0] == "\r" else "\n"

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing in the file."""
        return not self._head

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends, without marks of the encoding before them.

        Such a mark stands in the middle where files were joined byte by byte. Bytes that are not
        UTF-8 are kept as halves of surrogate pairs, for the reader to judge.

        Raises:
            TableError: The bytes are not of the encoding, or the compressed file is broken.
        """
        number = 0
        try:
            with open_bytes(self.path) as file:
                errors = "surrogateescape" if self.encoding in _UTF_8 else "strict"
                text = io.TextIOWrapper(
                    file, encoding=self.encoding, errors=errors, newline=self.newline
                )
                for line in text:
                    number += 1
                    yield line.removeprefix("\ufeff")
        except UnicodeError as error:
            raise TableError(
                f"{self.path} is not text in {self.encoding} behind line {number:,} "
                f"({error}); name its --encoding"
            ) from error

    def read(self) -> str:
        """Return the whole text; TableError as `lines`."""
        return "".join(self.lines())

    @cached_property
    def _head(self) -> bytes:
        with open_bytes(self.path) as file:
            return file.read(SAMPLE)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open the bytes of a file, decompressed if it is compressed.

    Raises:
        TableError: The compressed file is broken.
    """
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MARK
        file.seek(0)
        if not packed:
            yield file
            return
        try:
            with gzip.open(file) as unpacked:
                yield unpacked  # type: ignore[misc]
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise TableError(f"{path} is not a whole gzip file ({error})") from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files in a folder with their names."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(str(file.relative_to(path)).encode())
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def find_half(text: str) -> int | None:
    """Return the place of the first half of a surrogate pair; None in a proper text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def is_byte(half: str) -> bool:
    """Whether a half stands for a byte that was not UTF-8, see `TextFile.lines`."""
    return "\udc80" <= half <= "\udcff"


def _check_encoding(asked: str, *, marked: str | None) -> str:
    try:
        name = codecs.lookup(asked).name
        "".encode(name)  # some codecs are not of text
    except (LookupError, TypeError, ValueError) as error:
        raise TableError(
            f"--encoding {asked!r}: there is no such encoding; usual are utf-8, utf-16, "
            "cp1252 (Windows, western Europe) and latin-1"
        ) from error
    if name == "utf-8" and marked == "utf-8-sig":
        return marked
    return name
