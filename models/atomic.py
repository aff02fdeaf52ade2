"""Writes files that appear whole or not at all, and are on disk when they appear."""

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from models.locks import claim, is_claimed

_PREFIX, _SUFFIX = ".gatewise-", ".part"
_BEGUN_SECONDS = 60.0  # in which the writer of an empty file may be about to claim it
_ABANDONED_SECONDS = 86_400.0  # a disk without locks does not show claims, and clocks jump


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a path to write a file at; on exit the file replaces `path`.

    The old file stays until then, and stays if writing fails. What was written is then deleted, so
    that it does not fill the disk. Of several that write at the same time, the last one counts.
    """
    with unfinished_file(path.parent) as unfinished:
        yield unfinished
        sync(unfinished)
        os.replace(unfinished, path)
    sync(path.parent)


@contextmanager
def unfinished_file(folder: Path) -> Iterator[Path]:
    """Yield a new, empty file in a folder that only this caller writes; on exit it is deleted.

    To keep it, move it or link it. What killed writers left in the folder is deleted first.
    """
    _remove_abandoned(folder)
    unfinished = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        with claim(unfinished):
            yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_abandoned(folder: Path) -> None:
    for unfinished in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):  # another has moved or deleted it, or it is not ours
            if _is_abandoned(unfinished):
                unfinished.unlink()


def _is_abandoned(unfinished: Path) -> bool:
    found = unfinished.stat()
    age = time.time() - found.st_mtime
    if found.st_size == 0 and age < _BEGUN_SECONDS:
        return False
    return age > _ABANDONED_SECONDS or not is_claimed(unfinished)


def make_folder(folder: Path, *, mode: int | None = None) -> None:
    """Make a folder with those above it, unless they are there. Their names are on disk then.

    Args:
        folder: The folder.
        mode: Permissions of the folders that are made; those of any new folder if absent.
    """
    if not folder.parent.exists():
        make_folder(folder.parent, mode=mode)
    try:
        folder.mkdir()
    except OSError:
        if not folder.is_dir():
            raise
        return
    if mode is not None:
        folder.chmod(mode)
    sync(folder.parent)


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
