"""Finds pairs of texts with nearly all neighbouring words in common, without comparing all.

MinHash estimates the similarity of two texts from short signatures (Broder, "On the resemblance and
containment of documents", SEQUENCES 1997). Only texts that agree in a whole band of their
signatures are compared (Indyk and Motwani, "Approximate nearest neighbors", STOC 1998; the banding
as in Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.inspection.shingles import Rows, Shingles, chunks, compare, cut_shingles, mix
from training.inspection.words import Words

SIMILARITY = 0.8  # least share of common shingles in nearly equal texts
# A pair of similarity s is compared with probability 1 - (1 - s^ROWS)^BANDS: 99.8 % at 0.8, 40 % at
# 0.5, and one in 10,000 at 0.1, the similarity of two long reviews.
BANDS, ROWS = 16, 5
CLEARLY_LESS = 0.6  # agreement of signatures; 4.5 sigma below that of texts of similarity 0.8
WINDOW = 10  # texts of one bucket that each is compared with, in each band
SEED = 20_240_229
CHUNK_SHINGLES = 1 << 17  # a chunk then fits into the processor's cache


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts that are nearly the same.

    Args:
        first: Row of one text, shape (pairs,).
        second: Row of the other, always the later one, shape (pairs,).
        similarity: Share of common shingles, shape (pairs,).
    """

    first: Rows
    second: Rows
    similarity: NDArray[np.float64]


def find_pairs(words: Words, *, rows: Rows) -> Pairs:
    """Return the pairs among the given rows, ascending, that are nearly the same.

    With more than WINDOW copies of one text, each is compared with some of the others only. These
    are drawn anew in each band, so that hardly any copy is missed.
    """
    shingles = cut_shingles(words, rows=rows)
    signatures = _sign(shingles)
    first, second = _candidates(signatures)
    similarity = compare(shingles, first, second)
    alike = similarity >= SIMILARITY
    found = shingles.rows[first[alike]], shingles.rows[second[alike]]
    return Pairs(*found, similarity[alike])


def _sign(shingles: Shingles) -> NDArray[np.uint32]:
    """Return the least hash of each text under many hash functions, shape (texts, functions).

    The functions multiply by odd numbers and keep the high bits (Dietzfelbinger and others, "A
    reliable randomized algorithm for the closest-pair problem", 1997).
    """
    random = np.random.default_rng(SEED)
    factors = random.integers(2**63, size=BANDS * ROWS, dtype=np.uint64) * 2 + 1
    signatures = np.empty((len(shingles.rows), len(factors)), np.uint32)
    for texts in _text_chunks(shingles.starts):
        starts = shingles.starts[texts.start : texts.stop + 1]
        hashes = shingles.hashes[starts[0] : starts[-1]]
        for function, factor in enumerate(factors):
            least = np.minimum.reduceat(hashes * factor, starts[:-1] - starts[0])
            signatures[texts, function] = least >> np.uint64(32)
    return signatures


def _text_chunks(starts: Rows) -> Iterator[slice]:
    """Yield at least one text at a time, with about CHUNK_SHINGLES shingles together."""
    first, texts = 0, len(starts) - 1
    while first < texts:
        last = int(np.searchsorted(starts, starts[first] + CHUNK_SHINGLES, side="right")) - 1
        last = max(first + 1, last)
        yield slice(first, last)
        first = last


def _candidates(signatures: NDArray[np.uint32]) -> tuple[Rows, Rows]:
    """Return the pairs of texts that agree in a band and are not clearly too different."""
    random = np.random.default_rng(SEED)
    texts = len(signatures)
    found = [np.empty(0, np.int64)]
    for band in np.split(signatures, BANDS, axis=1):
        shuffled = random.permutation(texts)
        first, second = (shuffled[places] for places in _neighbours(_hash_band(band)[shuffled]))
        likely = _agreement(signatures, first, second) >= CLEARLY_LESS
        earlier, later = np.minimum(first, second), np.maximum(first, second)
        found.append(earlier[likely] * texts + later[likely])
    codes = np.sort(np.concatenate(found))
    codes = codes[np.diff(codes, prepend=-1) > 0]
    return codes // max(texts, 1), codes % max(texts, 1)


def _hash_band(band: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one number for the band of each text, shape (texts,)."""
    key = np.zeros(len(band), np.uint64)
    for column in band.T:
        key = mix(key ^ column)
    return key


def _neighbours(keys: NDArray[np.uint64]) -> tuple[Rows, Rows]:
    """Return the pairs of places with the same key, at most WINDOW apart in its bucket."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    pairs = [(order[:0], order[:0])]
    for distance in range(1, WINDOW + 1):
        same = np.flatnonzero(ordered[distance:] == ordered[:-distance])
        pairs.append((order[same], order[same + distance]))
    first, second = zip(*pairs, strict=True)
    return np.concatenate(first), np.concatenate(second)


def _agreement(signatures: NDArray[np.uint32], first: Rows, second: Rows) -> NDArray[np.float64]:
    """Return the share of hash functions that agree, an estimate of the similarity of pairs."""
    parts = [
        (signatures[first[pairs]] == signatures[second[pairs]]).mean(axis=1)
        for pairs in chunks(len(first))
    ]
    return np.concatenate([np.empty(0), *parts])
