"""Recognises files that hold something other than their name says, by their first bytes."""

import re
from pathlib import Path

from models.tables.decoding import open_bytes
from models.tables.kinds import KindName
from models.tables.rows import TableError

LONGEST_MARK = 512  # bytes
POINTER = b"version https://git-lfs.github.com/spec/v1"
_PAGE = re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)
_MARKS = (
    (b"PK\x03\x04", "a zip archive, such as an Excel workbook; export its rows as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls); export its rows as CSV"),
    (b"%PDF-", "a PDF document; export its rows as CSV"),
    (b"SQLite format 3\x00", "an SQLite database; export its rows as CSV"),
    (b"BZh", "compressed by bzip2; unpack it, or compress it by gzip"),
    (b"\xfd7zXZ\x00", "compressed by xz; unpack it, or compress it by gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it, or compress it by gzip"),
    (b"ARROW1\x00\x00", "an Arrow file; write it as Parquet"),
    (b"\x93NUMPY", "an array of NumPy; write its rows as CSV"),
)
_PARQUET = b"PAR1"


def refuse_foreign(path: Path, *, kind: KindName) -> None:
    """Raise TableError if a file is plainly not of its kind, and say what it is.

    Args:
        path: The file, which may be compressed by gzip.
        kind: What its name says.
    """
    with open_bytes(path) as file:
        head = file.read(LONGEST_MARK)
    if head.startswith(POINTER):
        raise TableError(f"{path} is a pointer of Git LFS, not the data: run git lfs pull")
    found = next((what for mark, what in _MARKS if head.startswith(mark)), None)
    if found is None and head.startswith(_PARQUET) and kind != "parquet":
        found = "Parquet; name it .parquet"
    if found is None and kind != "txt" and _PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        found = "a web page, such as one that says why a download failed; download the data"
    if found is not None:
        raise TableError(f"{path} is {found}")
