"""N-grams, hashed and counted as plain Python would."""

from collections import Counter

import models.ngrams
from models.ngrams import MULTIPLIERS, ORDERS


def hash_plainly(ids: list[int], *, end: int, order: int, buckets: int) -> int:
    """Return the table row of the n-gram that ends before `end`; 0 stands before the text."""
    padded = [0] * (ORDERS - 1) + ids[:end]
    newest_first = padded[: -order - 1 : -1]
    return sum(m * id for m, id in zip(MULTIPLIERS[order - 1], newest_first, strict=True)) % buckets


def count_plainly(ids: list[int], *, buckets: int) -> Counter[int]:
    """Count n-grams, but none that ended in the window before."""
    counts: Counter[int] = Counter()
    padded = [0] * (ORDERS - 1) + ids
    for order in range(1, ORDERS + 1):
        ended: dict[tuple[int, ...], int] = {}
        for end in range(1, len(ids) + 1):
            ngram = tuple(padded[end + ORDERS - 1 - order : end + ORDERS - 1])
            if end - ended.get(ngram, -models.ngrams.WINDOW) > models.ngrams.WINDOW:
                counts[hash_plainly(ids, end=end, order=order, buckets=buckets)] += 1
            ended[ngram] = end
    return counts
