"""Writes arrays, JSON and bytes to files that appear whole or not at all; see models/atomic.py."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from models.atomic import replace_file
from training.workspace.space import writing


def save_arrays(arrays: Mapping[str, NDArray[Any]], *, path: Path) -> None:
    """Write arrays by name to a .npz file, which replaces its predecessor when it is whole.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    with _saving(path, needed=sum(array.nbytes for array in arrays.values())) as file:
        np.savez(file, **arrays)


def save_array(array: NDArray[Any], *, path: Path) -> None:
    """Write an array to a .npy file. For when it appears and what may fail see `save_arrays`."""
    with _saving(path, needed=array.nbytes) as file:
        np.save(file, array)


def save_bytes(content: bytes, *, path: Path) -> None:
    """Write bytes to a file. For when it appears and what may fail see `save_arrays`."""
    with _saving(path, needed=len(content)) as file:
        file.write(content)


def save_json(value: Any, *, path: Path) -> None:
    """Write a value as JSON; the file replaces its predecessor when it is whole.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    save_bytes(json.dumps(value).encode(), path=path)


@contextmanager
def _saving(path: Path, *, needed: int) -> Iterator[IO[bytes]]:
    """Yield a file that replaces `path` when it is whole; `needed` is its size, about."""
    with writing(path.parent, needed=needed):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as unfinished, unfinished.open("wb") as file:
            yield file
