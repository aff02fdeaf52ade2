"""Texts as sets of their pairs of neighbouring words, and the similarity of two texts.

Punctuation is ignored, and both ends of a text count as words. Texts of twelve words that differ by
one word more or less are nearly the same; so are texts of seventeen with one word exchanged.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from training.inspection.words import Words

LEAST_WORDS = 5  # of a text in a pair of nearly equal ones; fewer words say too little
CHUNK_PAIRS = 1 << 12
COLUMN_BITS = 30  # of a hash that distinguish the shingles of two texts

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Shingles:
    """Hashed pairs of neighbouring words of the texts that have enough words.

    Args:
        rows: Row of each text, ascending, shape (texts,).
        hashes: Hashes of one text after the other, shape (shingles,).
        starts: Start of each text in `hashes`, and the end, shape (texts + 1,).
    """

    rows: Rows
    hashes: NDArray[np.uint64]
    starts: Rows


def cut_shingles(words: Words, *, rows: Rows) -> Shingles:
    """Return the shingles of the given rows, ascending, that have LEAST_WORDS words."""
    telling = np.array([_is_telling(word) for word in words.spellings], bool)[words.ids]
    starts = np.concatenate([[0], np.cumsum(telling)])[words.starts]
    rows = rows[np.diff(starts)[rows] >= LEAST_WORDS]
    sizes = np.diff(starts)[rows]
    ids = words.ids[telling][_ranges(starts[rows], sizes)].astype(np.uint64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    # One mark between two texts is the end of one and the start of the other.
    marked = np.insert(ids, ends, np.uint64(len(words.spellings)))
    hashes = mix(marked[:-1] << np.uint64(32) | marked[1:])
    return Shingles(rows, hashes, ends + np.arange(len(ends)))


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash numbers; each bit of a number affects each bit of its hash (SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


def compare(shingles: Shingles, first: Rows, second: Rows) -> NDArray[np.float64]:
    """Return the share of common shingles (Jaccard) for pairs of texts.

    Args:
        shingles: Shingles of all texts.
        first: Place of one text in `shingles`, shape (pairs,).
        second: Place of the other text, shape (pairs,).

    Returns:
        Shape (pairs,).
    """
    columns = (shingles.hashes >> np.uint64(64 - COLUMN_BITS)).astype(np.int32)
    shape = (len(shingles.rows), 2**COLUMN_BITS)
    ones = np.ones(len(columns), np.int32)
    sets = csr_array((ones, columns, shingles.starts.copy()), shape=shape)  # changed in place
    sets.sum_duplicates()
    sets.data[:] = 1
    sizes = np.diff(sets.indptr)
    both = [(sets[first[pairs]] * sets[second[pairs]]).sum(axis=1) for pairs in chunks(len(first))]
    common = np.concatenate([np.empty(0), *both])
    similarity: NDArray[np.float64] = common / (sizes[first] + sizes[second] - common)
    return similarity


def chunks(pairs: int) -> Iterator[slice]:
    """Yield slices of `pairs` pairs that fit into memory."""
    for start in range(0, pairs, CHUNK_PAIRS):
        yield slice(start, start + CHUNK_PAIRS)


def _is_telling(word: str) -> bool:
    """Whether a word starts with a letter, a number or an emoji, not with punctuation."""
    category = unicodedata.category(word[0]) if word else "Zs"
    return category[0] in "LN" or category == "So"


def _ranges(starts: Rows, sizes: Rows) -> Rows:
    """Return the numbers of all ranges with these starts and sizes, in one array."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(sizes.sum())
