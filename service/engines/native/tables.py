"""Keeps tables in files that are mapped, so that several processes have them in memory once.

The table of token inputs is by far the largest part of a packed model. The workers of a service
find each other's in a folder that they share. Each holds a shared lock on the files of its tables,
which ends with the process, and a file that nobody holds is deleted. A process alone has a file
without a name, of which the system keeps only the pages in memory that are read.
"""

import fcntl
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.atomic import replace_file

SHARED = "_GATEWISE_TABLES"
"""Environment variable with the folder that the workers of a service share."""

Table = NDArray[np.generic]
Blocks = Callable[[], Iterator[Table]]
"""Makes the rows of a table, some at a time."""


def keep_table(name: str, blocks: Blocks, *, shape: tuple[int, int], dtype: type) -> Table:
    """Return a table of these rows, mapped from a file; in memory where there is no room for one.

    Args:
        name: Name of the table among those of all versions.
        blocks: Makes its rows.
        shape: Its shape.
        dtype: Type of its entries.
    """
    folder = os.environ.get(SHARED)
    try:
        if folder is None:
            return _keep_alone(blocks, shape=shape, dtype=dtype)
        return _keep_shared(Path(folder) / f"{name}.table", blocks, shape=shape, dtype=dtype)
    except OSError:
        return np.concatenate(list(blocks()))


def _keep_alone(blocks: Blocks, *, shape: tuple[int, int], dtype: type) -> Table:
    with tempfile.TemporaryFile(prefix="gatewise-") as file:
        for block in blocks():
            file.write(block.data)
        file.flush()
        return np.memmap(file, dtype, mode="r", shape=shape)


def _keep_shared(path: Path, blocks: Blocks, *, shape: tuple[int, int], dtype: type) -> Table:
    with _locked(path.with_name("lock")):
        _delete_unused(path.parent)  # a killed worker may have left some
        while (file := _hold(path)) is None:
            with replace_file(path) as unfinished, unfinished.open("wb") as new:
                for block in blocks():
                    new.write(block.data)
    table = np.memmap(file, dtype, mode="r", shape=shape)
    weakref.finalize(table, _let_go, file, path.parent)
    return table


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time through."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _hold(path: Path) -> BinaryIO | None:
    """Return an open file that nobody deletes before it is let go; None if there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    fcntl.flock(file, fcntl.LOCK_SH)
    if _is_at(path, file):
        return file
    file.close()  # it was deleted before it was locked
    return None


def _let_go(file: BinaryIO, folder: Path) -> None:
    fcntl.flock(file, fcntl.LOCK_UN)  # for the mapping has a descriptor of its own
    file.close()
    _delete_unused(folder)


def _delete_unused(folder: Path) -> None:
    """Delete the tables that no process holds; who has one mapped keeps its content."""
    for path in folder.glob("*.table"):
        with suppress(OSError), path.open("rb") as file:  # it is held, or another has deleted it
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, file):
                path.unlink()


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether an open file is the one that has this name now."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
