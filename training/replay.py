"""Computes what a version answers, in a fresh process and with the code that serves it."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from training.console import console
from training.errors import ExportError
from training.prepare import Rows

_ROOT = Path(__file__).resolve().parent.parent


def replay(version: Path, rows: Rows, *, engine: str) -> Probabilities:
    """Return probabilities (rows, labels) as the service would compute them with `engine`.

    Raises:
        ExportError: The engine cannot run the version.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ids, output = Path(scratch) / "ids.npz", Path(scratch) / "probabilities.npy"
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        np.savez(ids, tokens=np.concatenate([*map(_as_array, rows)]), lengths=lengths)
        command = [sys.executable, "-m", "service.replay", version.resolve(), engine, ids, output]
        console.announce(f"checking with {engine}")  # on a terminal the process has a bar
        done = subprocess.run(list(map(str, command)), cwd=_ROOT, check=False)
        if done.returncode != 0:
            raise ExportError(f"the {engine} engine cannot run the exported version")
        probabilities: Probabilities = np.load(output)
        return probabilities


def _as_array(row: list[int]) -> NDArray[np.int32]:
    return np.asarray(row, np.int32)
