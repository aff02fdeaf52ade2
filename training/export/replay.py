"""Computes what a version answers, in a fresh process and with the code that serves it."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.golden import Probabilities
from training.console import console
from training.errors import ExportError
from training.prepare import Rows

TIMED_TEXTS = 200

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class Replayed:
    """What a version answers, and how long it takes.

    Args:
        probabilities: Shape (rows, labels).
        timed: Milliseconds of the engine for each timed text alone, in their order; fewer than
            were asked for if they take too long.
        looks: Probabilities of each watched text at each look, all in a row.
        looking: Milliseconds that the looks took together.
    """

    probabilities: Probabilities
    timed: NDArray[np.float64]
    looks: Probabilities
    looking: float

    @property
    def milliseconds(self) -> float:
        """Median time to answer one text alone."""
        return float(np.median(self.timed))


def replay(
    version: Path,
    rows: Rows,
    *,
    engine: str,
    timed: NDArray[np.int64],
    watched: Sequence[int] | NDArray[np.int64] = (),
    every: int = 1,
) -> Replayed:
    """Return what the service would answer with `engine`.

    Args:
        version: The version's folder.
        rows: Ids of each text.
        engine: "onnx" or "savedmodel".
        timed: Numbers of the rows to time, one at least; see `draw_timed`.
        watched: Numbers of the rows to look at on the way.
        every: Tokens between two looks.

    Raises:
        ExportError: The engine cannot run the version.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ids, output = Path(scratch) / "ids.npz", Path(scratch) / "answers.npz"
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        tokens = np.concatenate([*map(_as_array, rows)])
        what = {"tokens": tokens, "lengths": lengths, "timed": timed}
        np.savez(ids, **what, watched=np.asarray(watched, np.int64), every=np.int64(every))
        command = [sys.executable, "-m", "service.replay", version.resolve(), engine, ids, output]
        console.announce(f"checking with {engine}")  # on a terminal the process has a bar
        done = subprocess.run(list(map(str, command)), cwd=_ROOT, check=False)
        if done.returncode != 0:
            raise ExportError(f"the {engine} engine cannot run the exported version")
        with np.load(output) as found:
            return Replayed(
                found["probabilities"],
                found["milliseconds"],
                found["looks"],
                float(found["looking"]),
            )


def draw_timed(rows: int) -> NDArray[np.int64]:
    """Return the numbers of the rows to time, drawn so that the first of them stand for all."""
    return np.random.default_rng(0).permutation(rows)[:TIMED_TEXTS]


def median_tokens(rows: Rows, *, timed: NDArray[np.int64]) -> float:
    """Return the median number of tokens of the rows that are timed."""
    return float(np.median([len(rows[row]) for row in timed]))


def _as_array(row: list[int]) -> NDArray[np.int32]:
    return np.asarray(row, np.int32)
