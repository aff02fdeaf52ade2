"""Batches of texts of similar length, to save padding."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.batching import Ids, pad

# Batches whose texts are sorted by length together: the order stays random, the padding small.
POOL_BATCHES = 50


@dataclass(frozen=True)
class Examples:
    """Encoded texts and their targets.

    Args:
        ids: One array of token ids per text.
        targets: The degree to which each text has each label, shape (rows, labels).
    """

    ids: Sequence[NDArray[np.int32]]
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.fromiter(map(len, self.ids), np.int64, len(self.ids))

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return int(self.lengths.sum())


class LengthBatches:
    """The batches of each epoch. Their order depends on seed and epoch only."""

    def __init__(self, examples: Examples, *, size: int, seed: int) -> None:
        self.examples = examples
        self.size = size
        self.seed = seed
        self._lengths = examples.lengths

    def __len__(self) -> int:
        return math.ceil(len(self.examples) / self.size)

    def epoch(self, number: int, *, start: int = 0) -> Iterator[tuple[Ids, NDArray[np.float32]]]:
        """Yield (ids, targets) of each batch from the one numbered `start`."""
        for rows in self._plan(number)[start:]:
            yield pad([self.examples.ids[row] for row in rows]), self.examples.targets[rows]

    def padding(self, number: int) -> float:
        """Return the share of padding in an epoch's positions."""
        positions = sum(len(rows) * self._width(rows) for rows in self._plan(number))
        return float(1 - self._lengths.sum() / positions)

    def widths(self, number: int) -> list[int]:
        """Return the columns of each batch of an epoch."""
        return [self._width(rows) for rows in self._plan(number)]

    def _width(self, rows: NDArray[np.int64]) -> int:
        return max(1, int(self._lengths[rows].max()))

    def _plan(self, number: int) -> list[NDArray[np.int64]]:
        """Return the row numbers of each batch."""
        random = np.random.default_rng([self.seed, number])
        order = random.permutation(len(self.examples))
        pool = self.size * POOL_BATCHES
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(order), pool):
            rows = order[start : start + pool]
            rows = rows[np.argsort(self._lengths[rows], kind="stable")]
            batches += np.split(rows, range(self.size, len(rows), self.size))
        random.shuffle(batches)
        return batches
