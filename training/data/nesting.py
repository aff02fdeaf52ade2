"""Finds texts that occur inside other texts, word for word, such as the phrases of a sentence.

At each word, the hash of the next n words is looked up among the hashes of the first n words of all
texts. This is done for each n in turn, and only where the shorter hash was found (a rolling hash:
Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from training.data.words import normalize_text

LONGEST = 32  # words that are compared; a longer text counts as nested by its first 32 words
FEWEST = 4  # words; a shorter text may occur inside another by chance
COMMON = 0.1  # share of nested texts at which nesting is a trait of the dataset
WORD = re.compile(r"\w+")
BASE = np.uint64(0x9E3779B97F4A7C15)  # of the rolling hash; odd, which keeps every bit
MIX = np.uint64(0xBF58476D1CE4E5B9)
SHIFT = np.uint64(29)


@dataclass(frozen=True, eq=False)
class Nesting:
    """Pairs of texts, one inside the other.

    Args:
        parts: The inner text of each pair, shape (pairs,).
        wholes: The outer text of each pair, shape (pairs,); of equal texts, one represents all.
        words: Words of each text, shape (texts,).
    """

    parts: NDArray[np.int64]
    wholes: NDArray[np.int64]
    words: NDArray[np.int64]

    @cached_property
    def is_common(self) -> bool:
        """Whether nesting is common; short nested texts are then no chance."""
        return bool(self._is_part(FEWEST).sum() >= COMMON * max(1, len(self.words)))

    @property
    def inner(self) -> NDArray[np.bool_]:
        """Whether each text occurs inside another, shape (texts,)."""
        return self._is_part(1 if self.is_common else FEWEST)

    @cached_property
    def families(self) -> NDArray[np.int64]:
        """The first of the texts that nesting joins to each text, shape (texts,).

        Short texts join none; they occur in unrelated texts.
        """
        long = self.words[self.parts] >= FEWEST
        pairs = self.parts[long], self.wholes[long]
        count = len(self.words)
        graph = coo_array((np.ones(long.sum(), np.int8), pairs), shape=(count, count))
        _, family = connected_components(graph, directed=False)
        return np.unique(family, return_index=True)[1][family]

    def among(self, first: int) -> "Nesting":
        """Return the pairs within the `first` texts."""
        both = (self.parts < first) & (self.wholes < first)
        return Nesting(self.parts[both], self.wholes[both], self.words[:first])

    def _is_part(self, fewest: int) -> NDArray[np.bool_]:
        found = np.zeros(len(self.words), bool)
        found[self.parts[self.words[self.parts] >= fewest]] = True
        return found


def find_nesting(texts: Sequence[str]) -> Nesting:
    """Return all pairs of nested texts; case and punctuation are ignored."""
    numbers: dict[str, int] = {}
    rows = [[numbers.setdefault(word, len(numbers)) for word in _words(text)] for text in texts]
    words = np.fromiter(map(len, rows), np.int64, len(rows))
    flat = np.fromiter((word for row in rows for word in row), np.uint64, int(words.sum()))
    pairs = [np.empty((2, 0), np.int64), *_find_pairs(flat, words)]
    parts, wholes = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return Nesting(parts, wholes, words)


def _words(text: str) -> list[str]:
    return WORD.findall(normalize_text(text))


def _find_pairs(flat: NDArray[np.uint64], words: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield pairs of part and whole, shape (2, pairs), for each length of the part.

    Args:
        flat: Number of each word of all texts, one after the other.
        words: Words of each text.
    """
    ends = np.cumsum(words)
    starts = ends - words
    owner = np.repeat(np.arange(len(words)), words)
    left = ends[owner] - np.arange(len(flat))  # words from here to the end of the text
    codes = (flat + np.uint64(1)) * MIX
    codes ^= codes >> SHIFT
    place, hashes = np.arange(len(flat)), np.zeros(len(flat), np.uint64)
    for length in range(1, LONGEST + 1):
        goes_on = left[place] >= length
        place, hashes = place[goes_on], hashes[goes_on] * BASE + codes[place[goes_on] + length - 1]
        begun = np.flatnonzero(words >= length)
        keys = hashes[np.searchsorted(place, starts[begun])]
        ended = (words[begun] == length) | (length == LONGEST)
        if ended.any():
            yield _match(begun[ended], keys[ended], owner[place], hashes)
        likely = np.isin(hashes, keys)  # places that begin like a text
        place, hashes = place[likely], hashes[likely]


def _match(
    asked: NDArray[np.int64],
    keys: NDArray[np.uint64],
    owner: NDArray[np.int64],
    hashes: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """Return the pairs of a text in `asked` and a text with its key among the `hashes`."""
    distinct, first, same = np.unique(keys, return_index=True, return_inverse=True)
    nearest = np.minimum(np.searchsorted(distinct, hashes), len(distinct) - 1)
    found = distinct[nearest] == hashes
    speakers = asked[first]  # of equal texts the first represents all
    equal = np.stack([asked, speakers[same]])
    inside = np.stack([speakers[nearest[found]], owner[found]])
    pairs = np.concatenate([equal, inside], axis=1)
    return pairs[:, pairs[0] != pairs[1]]
