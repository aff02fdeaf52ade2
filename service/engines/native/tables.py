"""Keeps tables in files that are mapped, so that several processes have them in memory once.

The table of token inputs is by far the largest part of a packed model. The workers of a service
find each other's in a folder that they share. A process alone has a file without a name, of which
the system keeps only the pages in memory that are read.
"""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
    with _locked(path.with_suffix(".lock")):
        if not path.exists():
            with replace_file(path) as unfinished, unfinished.open("wb") as file:
                for block in blocks():
                    file.write(block.data)
    return np.memmap(path, dtype, mode="r", shape=shape)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time through."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
