"""The file formats of a replay: a version computed by the service's code, in another process.

Training writes a `ReplayRequest`; `python -m service.replay` reads it and writes a `ReplayResult`.
Both are .npz files with one array for each field. Rows of different lengths lie one after the
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.golden import Probabilities

EngineName = Literal["native", "onnx", "savedmodel"]
"""Every engine that can compute a version, the fastest first."""
EXACT_ENGINES: tuple[EngineName, ...] = ("onnx", "savedmodel")
"""Engines that an export has files for; they compute in single precision."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReplayRequest:
    """The work of a replay.

    Args:
        rows: Ids of each text, one text at least.
        timed: Numbers of the texts to time, int64.
        watched: Numbers of the texts to look at before their ends, int64.
        every: Tokens between two looks.
    """

    rows: Sequence[Row]
    timed: NDArray[np.int64]
    watched: NDArray[np.int64]
    every: int

    def save(self, path: Path) -> None:
        """Write the file: `tokens` of all texts, int32, their `lengths`, int64, and the others."""
        np.savez(
            path,
            tokens=np.concatenate([np.asarray(row, np.int32) for row in self.rows]),
            lengths=np.fromiter(map(len, self.rows), np.int64, len(self.rows)),
            timed=self.timed,
            watched=self.watched,
            every=np.int64(self.every),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that `save` wrote."""
        with np.load(path) as content:
            return cls(
                rows=np.split(content["tokens"], np.cumsum(content["lengths"])[:-1]),
                timed=content["timed"],
                watched=content["watched"],
                every=int(content["every"]),
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReplayResult:
    """The answers of a version, and their times.

    Args:
        probabilities: Shape (texts, labels), float32.
        milliseconds: Time of the engine for each timed text alone, in order, float64; fewer than
            requested if they take too long.
        looks: Probabilities of each watched text at each look and at its end, one text after the
            other, shape (looks, labels), float32.
        looking: Milliseconds of all looks together.
    """

    probabilities: Probabilities
    milliseconds: NDArray[np.float64]
    looks: Probabilities
    looking: float

    @property
    def median_milliseconds(self) -> float:
        """Median time to answer one text alone."""
        return float(np.median(self.milliseconds))

    def save(self, path: Path) -> None:
        """Write the file."""
        np.savez(
            path,
            probabilities=self.probabilities,
            milliseconds=self.milliseconds,
            looking=self.looking,
            looks=self.looks,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that `save` wrote."""
        with np.load(path) as content:
            return cls(
                probabilities=content["probabilities"],
                milliseconds=content["milliseconds"],
                looks=content["looks"],
                looking=float(content["looking"]),
            )
