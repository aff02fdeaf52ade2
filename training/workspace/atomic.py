"""Writes arrays and JSON to files that appear whole or not at all; see models/atomic.py."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.atomic import replace_file
from training.workspace.space import writing


def save_arrays(arrays: Mapping[str, NDArray[Any]], *, path: Path) -> None:
    """Write arrays by name to a .npz file, which replaces its predecessor when it is whole.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    needed = sum(array.nbytes for array in arrays.values())
    with writing(path.parent, needed=needed):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, **arrays)


def save_json(value: Any, *, path: Path) -> None:
    """Write a value as JSON; the file replaces its predecessor when it is whole.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    content = json.dumps(value).encode()
    with writing(path.parent, needed=len(content)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as unfinished:
            unfinished.write_bytes(content)
