"""Computes the answers of a version in a fresh process, with the code of the service."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.replay import EngineName, ReplayRequest, ReplayResult
from training.console import console
from training.errors import ExportError
from training.workspace.space import writing

TIMED_TEXTS = 200

_ROOT = Path(__file__).resolve().parents[1]


def replay(
    version: Path,
    rows: Sequence[Row],
    *,
    engine: EngineName,
    timed: NDArray[np.int64],
    watched: Sequence[int] | NDArray[np.int64] = (),
    every: int = 1,
) -> ReplayResult:
    """Return the answers of the service with `engine`.

    Args:
        version: The version's folder.
        rows: Ids of each text.
        engine: The engine that computes.
        timed: Numbers of the rows to time, one at least; see `draw_timed`.
        watched: Numbers of the rows to look at before their ends.
        every: Tokens between two looks.

    Raises:
        ExportError: The engine cannot run the version.
    """
    asked = ReplayRequest(
        rows=rows, timed=timed, watched=np.asarray(watched, np.int64), every=every
    )
    with tempfile.TemporaryDirectory() as scratch:
        request, result = Path(scratch) / "ids.npz", Path(scratch) / "answers.npz"
        with writing(Path(scratch).parent, needed=4 * sum(map(len, rows))):
            asked.save(request)
        given = [version.resolve(), engine, request, result]
        command = [sys.executable, "-m", "service.replay", *map(str, given)]
        console.announce(f"checking with {engine}")  # on a terminal the process has a bar
        done = subprocess.run(command, cwd=_ROOT, check=False)
        if done.returncode != 0:
            raise ExportError(f"the {engine} engine cannot run the exported version")
        return ReplayResult.load(result)


def draw_timed(rows: int) -> NDArray[np.int64]:
    """Return the numbers of the rows to time, drawn so that the first of them stand for all."""
    return np.random.default_rng(0).permutation(rows)[:TIMED_TEXTS]


def median_tokens(rows: Sequence[Row], *, timed: NDArray[np.int64]) -> float:
    """Return the median number of tokens of the rows that are timed."""
    return float(np.median([len(rows[row]) for row in timed]))
