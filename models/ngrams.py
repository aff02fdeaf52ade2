"""Hashed n-grams: their rows in a version's table, and which of them count.

A change of this file changes the model format; see docs/model-format.md.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

ORDERS = 3
WINDOW = 128  # tokens after which an n-gram counts again; a limit of memory
REMEMBERED = WINDOW + ORDERS - 1  # tokens that hold all n-grams of the window
REMEMBERED_BEFORE = ORDERS - 1  # by versions of the formats 2 and 3 that count every n-gram
# Factor of an id by order and by distance from the end of the n-gram. Factors are odd and under
# 2^31, so that products with ids and their sums stay within 63 bits.
MULTIPLIERS = (
    (1,),
    (1_000_003, 998_244_353),
    (506_952_113, 40_503_001, 1_540_483_477),
)

Number = TypeVar("Number", np.float32, np.float64)
NAME = "ngrams"
"""Name of the table among the weights in the metadata."""


def spread(columns: NDArray[Number], *, labels: int) -> NDArray[Number]:
    """Return logits (rows, labels) from the columns of a table; two classes may share one."""
    return columns if columns.shape[1] == labels else columns * np.array([-0.5, 0.5], np.float32)


def hash_ngrams(ids: NDArray[np.int64], *, buckets: int) -> NDArray[np.int64]:
    """Return the table rows of the n-grams that end at each id but the first ORDERS - 1.

    Args:
        ids: Shape (time,). The first ORDERS - 1 ids are only context, 0 before the start of a text.
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
    """Return whether the n-gram that ends at an id also ended within the WINDOW ids before.

    Args:
        ids: Ids of several texts with ORDERS - 1 zeros before each, shape (time,).
        texts: Number of the text of each id but the first ORDERS - 1.

    Returns:
        Shape (ORDERS, time - ORDERS + 1).
    """
    start, count = ORDERS - 1, len(texts)
    repeated = np.zeros((ORDERS, count), np.bool_)
    names = texts  # equal exactly for equal n-grams of an order in one text
    for order in range(ORDERS):
        piece = ids[start - order : start - order + count]
        _, names = np.unique(names * (ids.max(initial=0) + 1) + piece, return_inverse=True)
        by_name = np.argsort(names, kind="stable")
        gap = np.diff(by_name, prepend=-WINDOW - 1)
        same = np.diff(names[by_name], prepend=-1) == 0
        repeated[order, by_name] = same & (gap <= WINDOW)
    return repeated
