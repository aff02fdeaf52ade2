"""Turns vectors of words into the embedding that a network starts from.

Vectors are centred and turned to their main axes, which keeps most of them in fewer numbers
(principal components: Pearson, 1901). Words without a vector take that of their spelling: the mean
vector of the pieces that they share with known words (after fastText, see
`training.network.subwords`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import CONTINUATION, UNKNOWN
from training.data.spelling import is_inside, number_pieces
from training.provenance import Provenance
from training.vectors.source import VectorsError, VectorSource

DEVIATION = 0.3  # of all numbers; chosen on validation rows, among 0.1, 0.3 and 1.0
FEWEST_KNOWN = 0.05  # share of the words; vectors that know fewer are of another language


@dataclass(frozen=True, eq=False)
class WordVectors:
    """The embedding that a network starts from.

    Args:
        table: Shape (vocabulary, width).
        known: Whether the source has a vector for each token, shape (vocabulary,).
        record: The source.
    """

    table: NDArray[np.float32]
    known: NDArray[np.bool_]
    record: Provenance


def make_table(
    source: VectorSource, tokens: Sequence[str], *, width: int, seed: int
) -> WordVectors:
    """Return an embedding of the tokens from a source of vectors.

    Args:
        source: Gives the vectors.
        tokens: The vocabulary; the first two are padding and the unknown token.
        width: Numbers of a vector in the network.
        seed: Decides the numbers that fill narrower vectors up.

    Raises:
        VectorsError: The source knows hardly any of the words.
    """
    words = [token.removeprefix(CONTINUATION) if is_inside(token) else token for token in tokens]
    vectors, known = source.embed(words)
    known = known & (np.arange(len(words)) > UNKNOWN)
    whole = np.array([not is_inside(token) for token in tokens])
    share = float(known[whole].mean())
    if share < FEWEST_KNOWN:
        raise VectorsError(
            f"{source.record.name} has vectors of {known[whole].sum():,} of the "
            f"{whole.sum():,} words of the vocabulary; are they of another language?"
        )
    reduced = _reduce(vectors, known, width=width)
    table = np.zeros((len(tokens), width), np.float32)
    table[:, : reduced.shape[1]] = _spell_out(reduced, known, tokens)
    if reduced.shape[1] < width:
        random = np.random.default_rng(seed)
        table[:, reduced.shape[1] :] = random.uniform(
            -0.05, 0.05, (len(tokens), width - reduced.shape[1])
        )
    table[: UNKNOWN + 1] = 0
    return WordVectors(table, known, source.record)


def _reduce(
    vectors: NDArray[np.float32], known: NDArray[np.bool_], *, width: int
) -> NDArray[np.float32]:
    """Return the vectors on their main axes, shape (tokens, at most width), with DEVIATION."""
    used = vectors[known].astype(np.float64)
    mean = used.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(used - mean, rowvar=False, ddof=0).reshape(used.shape[1], -1))
    main = axes[:, ::-1][:, :width]
    # The sign of an axis is chance; this one is the same on every machine.
    main = main * np.sign(main[np.abs(main).argmax(axis=0), np.arange(main.shape[1])])
    reduced = (vectors - mean) @ main
    scale = DEVIATION / max(float(reduced[known].std()), 1e-12)
    return (reduced * scale).astype(np.float32)


def _spell_out(
    vectors: NDArray[np.float32], known: NDArray[np.bool_], tokens: Sequence[str]
) -> NDArray[np.float32]:
    """Return the vectors with those of unknown tokens made of their spelling."""
    if known[UNKNOWN + 1 :].all():
        return vectors
    pieces, counts, distinct = number_pieces(tokens)
    owner = np.repeat(np.arange(len(tokens)), counts)
    told = known[owner]
    sums = np.zeros((distinct, vectors.shape[1]), np.float64)
    np.add.at(sums, pieces[told], vectors[owner[told]])
    users = np.bincount(pieces[told], minlength=distinct)
    means = sums / np.maximum(users, 1)[:, None]
    filled, ends = vectors.copy(), np.cumsum(counts)
    for token in np.flatnonzero(~known):
        own = pieces[ends[token] - counts[token] : ends[token]]
        own = own[users[own] > 0]
        filled[token] = means[own].mean(axis=0) if len(own) else 0.0
    return filled
