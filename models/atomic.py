"""Writes files that appear whole or not at all, and are on disk when they appear."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a path to write a file at; on exit the file replaces `path`.

    The old file stays until then, and stays if writing fails. What was written is then deleted, so
    that it does not fill the disk.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        yield unfinished
        sync(unfinished)
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Force a file, or the entries of a folder, to disk."""
    if sys.platform == "win32" and path.is_dir():
        return  # this system cannot open a folder
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Force a folder and its content to disk, so that a rename cannot outlive its content."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
