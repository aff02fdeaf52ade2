"""Hashed n-grams: which row of a version's table each has, and what a text's come to.

The same is done by the exported graph, a piece at a time. Here it is done for a whole text at once
and without the network, so that what the n-grams will say is known before the network has read on.
Whoever changes what stands here changes the format; see docs/model-format.md.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.versions import Version

ORDERS = 3
WINDOW = 128  # tokens after which an n-gram counts again; whole texts are not worth more memory
# What an id is multiplied by, by order and by distance from the end of the n-gram. Odd, under 2^31,
# so that products with ids and their sums stay within 63 bits.
MULTIPLIERS = (
    (1,),
    (1_000_003, 998_244_353),
    (506_952_113, 40_503_001, 1_540_483_477),
)

Number = TypeVar("Number", np.float32, np.float64)
NAME = "ngrams"
"""What the metadata call the table among the weights."""


@dataclass(frozen=True, eq=False)
class NgramLookup:
    """The table of n-grams of a classifier, to be asked without its network.

    Args:
        table: Signed square roots of the weights, shape (buckets, columns).
        scale: What an entry of 1 adds to a logit.
        labels: Number of labels.
    """

    table: NDArray[np.generic]
    scale: float
    labels: int

    @classmethod
    def of(cls, version: Version) -> "NgramLookup | None":
        """Return the table of a version; None where it has none, or does not say where it lies."""
        metadata = version.metadata
        sizes = metadata.architecture.ngrams
        if sizes is None or sizes.scale is None or NAME not in metadata.weights:
            return None
        return cls(version.weight(NAME), sizes.scale, len(metadata.labels))

    def coming(self, ids: Row, *, every: int) -> NDArray[np.float64]:
        """Return what the n-grams of the rest of a text will change in its logits.

        Args:
            ids: The whole text.
            every: Tokens between two looks.

        Returns:
            Shape (looks, labels); there is no look at the end.
        """
        starts = np.arange(0, len(ids), every)
        if len(starts) < 2:
            return np.empty((0, self.labels))
        padded = np.concatenate([np.zeros(ORDERS - 1, np.int64), np.asarray(ids, np.int64)])
        counts = ~find_repeated(padded, texts=np.zeros(len(ids), np.int64))
        sums = np.zeros((len(starts), self.table.shape[1]))
        for keys, count in zip(hash_ngrams(padded, buckets=len(self.table)), counts, strict=True):
            roots = self.table[keys].astype(np.float32)
            sums += np.add.reduceat(roots * np.abs(roots) * count[:, None], starts)
        ends = np.append(starts[1:], len(ids))
        logits = self.scale * sums.cumsum(axis=0) / np.sqrt(ends)[:, None]
        return spread(logits[-1] - logits[:-1], labels=self.labels).astype(np.float64)


def spread(columns: NDArray[Number], *, labels: int) -> NDArray[Number]:
    """Return logits (rows, labels) from the columns of a table, which two classes may share."""
    return columns if columns.shape[1] == labels else columns * np.array([-0.5, 0.5], np.float32)


def hash_ngrams(ids: NDArray[np.int64], *, buckets: int) -> NDArray[np.int64]:
    """Return the table rows of the n-grams that end at each id but the first ORDERS - 1.

    Args:
        ids: Shape (time,); begins with the ORDERS - 1 ids before the first that is asked for, 0
            before the start of a text.
        buckets: Rows of the table.

    Returns:
        Shape (ORDERS, time - ORDERS + 1).
    """
    start = ORDERS - 1
    back = [ids[start - distance : len(ids) - distance] for distance in range(ORDERS)]
    sums = [
        sum(multiplier * piece for multiplier, piece in zip(multipliers, back, strict=False))
        for multipliers in MULTIPLIERS
    ]
    return np.stack(sums) % buckets


def find_repeated(ids: NDArray[np.int64], *, texts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the n-gram that ends at an id ended in the WINDOW ids before it too.

    Args:
        ids: Shape (time,); of several texts, ORDERS - 1 zeros before each.
        texts: Number of the text of each id but the first ORDERS - 1.

    Returns:
        Shape (ORDERS, time - ORDERS + 1).
    """
    start, count = ORDERS - 1, len(texts)
    repeated = np.zeros((ORDERS, count), np.bool_)
    names = texts  # equal for equal n-grams of an order in one text, and for no others
    for order in range(ORDERS):
        piece = ids[start - order : start - order + count]
        _, names = np.unique(names * (ids.max(initial=0) + 1) + piece, return_inverse=True)
        by_name = np.argsort(names, kind="stable")
        gap = np.diff(by_name, prepend=-WINDOW - 1)
        same = np.diff(names[by_name], prepend=-1) == 0
        repeated[order, by_name] = same & (gap <= WINDOW)
    return repeated
