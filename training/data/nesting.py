"""Finds texts that occur inside other texts, word for word, such as the phrases of a sentence.

At each word, the hash of the next n words is looked up among the hashes of the first n words of all
texts. This is done for each n in turn, and only where the shorter hash was found and belongs to
more than one place. Sums of the words' codes, each times a power of a base, give the hash of any
words at once (Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987).
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from training.data.words import normalize_text

FEWEST = 4  # words; a shorter text may occur inside another by chance
COMMON = 0.1  # share of nested among distinct texts at which nesting is a trait of the dataset
WORD = re.compile(r"\w+")
BASE = np.uint64(0x9E3779B97F4A7C15)  # of the hash; odd, which keeps every bit
MIX = np.uint64(0xBF58476D1CE4E5B9)
SHIFT = np.uint64(29)


@dataclass(frozen=True, eq=False)
class Nesting:
    """Pairs of texts, one inside the other.

    Args:
        parts: The inner text of each pair, shape (pairs,).
        wholes: The outer text of each pair, shape (pairs,). Of equal texts the first represents
            all: the others are parts of it and of nothing else, and have no parts.
        words: Words of each text, shape (texts,).
    """

    parts: NDArray[np.int64]
    wholes: NDArray[np.int64]
    words: NDArray[np.int64]

    @cached_property
    def is_common(self) -> bool:
        """Whether nesting is common; short nested texts are then no chance.

        Of equal texts the first counts alone: rows that stand twice are no phrases.
        """
        equal = self.words[self.parts] == self.words[self.wholes]
        nested = self.parts[~equal & (self.words[self.parts] >= FEWEST)]
        distinct = len(self.words) - len(np.unique(self.parts[equal]))
        return bool(len(np.unique(nested)) >= COMMON * max(1, distinct))

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
    rows = [
        tuple(numbers.setdefault(word, len(numbers)) for word in _words(text)) for text in texts
    ]
    firsts: dict[tuple[int, ...], int] = {}
    equals = [(place, firsts.setdefault(row, place)) for place, row in enumerate(rows) if row]
    again = np.array([pair for pair in equals if pair[0] != pair[1]], np.int64).reshape(-1, 2).T
    distinct = np.fromiter(firsts.values(), np.int64, len(firsts))
    flat = np.fromiter(itertools.chain.from_iterable(firsts), np.uint64)
    words = np.fromiter(map(len, rows), np.int64, len(rows))
    inside = [distinct[pairs] for pairs in _find_pairs(flat, words[distinct])]
    parts, wholes = np.unique(np.concatenate([again, *inside], axis=1), axis=1)
    return Nesting(parts, wholes, words)


def _words(text: str) -> list[str]:
    return WORD.findall(normalize_text(text))


def _find_pairs(flat: NDArray[np.uint64], words: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield pairs of part and whole, shape (2, pairs), for each length of the part.

    Args:
        flat: Number of each word of all texts, one after the other; no two texts are equal.
        words: Words of each text, one at least.
    """
    ends = np.cumsum(words)
    starts = ends - words
    owner = np.repeat(np.arange(len(words)), words)
    left = ends[owner] - np.arange(len(flat))  # words from here to the end of the text
    sums, powers = _sum_up(flat)
    place, begun = np.arange(len(flat)), np.arange(len(words))
    for length in np.unique(words):
        place, begun = place[left[place] >= length], begun[words[begun] >= length]
        hashes = (sums[place + length] - sums[place]) * powers[len(flat) - place]
        keys = hashes[np.searchsorted(place, starts[begun])]
        distinct, key = np.unique(keys, return_inverse=True)
        if len(distinct) == 0:
            return
        nearest = np.minimum(np.searchsorted(distinct, hashes), len(distinct) - 1)
        found = distinct[nearest] == hashes  # places that begin like a text
        place, nearest = place[found], nearest[found]
        ended = words[begun] == length
        parts = np.full(len(distinct), -1)
        parts[key[ended]] = begun[ended]
        pairs = np.stack([parts[nearest], owner[place]])
        yield np.unique(pairs[:, (pairs[0] >= 0) & (pairs[0] != pairs[1])], axis=1)
        shared = np.bincount(nearest, minlength=len(distinct)) > 1  # else the text's own start
        place, begun = place[shared[nearest]], begun[shared[key]]


def _sum_up(flat: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the sums of the words' codes before each word, and the powers of the base."""
    powers = np.cumprod(np.full(len(flat) + 1, BASE))
    codes = (flat + np.uint64(1)) * MIX
    codes ^= codes >> SHIFT
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * powers[:-1])]), powers
