"""Writes files that appear whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


def save_arrays(arrays: Mapping[str, NDArray[Any]], *, path: Path) -> None:
    """Write arrays by name to a .npz file; what was there before stays until all is written."""
    with _replace(path) as file:
        np.savez(file, **arrays)


def save_json(value: Any, *, path: Path) -> None:
    """Write a value as JSON; what was there before stays until all is written."""
    with _replace(path) as file:
        file.write(json.dumps(value).encode())


@contextmanager
def _replace(path: Path) -> Iterator[BinaryIO]:
    """Give a file that takes the place of `path` once it is written and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
