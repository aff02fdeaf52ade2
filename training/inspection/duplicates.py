"""Finds texts that occur more than once, exactly or nearly, within and across splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from training.inspection.findings import Match, Repeats
from training.inspection.minhash import Pairs, find_pairs
from training.inspection.table import Table
from training.inspection.words import Words, read_words

EMPTY = -1  # in place of the row of a text without words; such texts are no duplicates


@dataclass(frozen=True)
class Duplicates:
    """Rows with the same text, and texts that are nearly the same.

    Args:
        texts: First row with the words of each row, EMPTY without words, shape (rows,).
        near: Pairs of such first rows, each in both directions. They are sorted by the first row;
            then the most similar and earliest second row comes first.
    """

    texts: NDArray[np.int64]
    near: Pairs


def find_duplicates(words: Words) -> Duplicates:
    """Return texts with the same words and punctuation, and texts that are nearly the same.

    Nearly the same texts have at least `shingles.LEAST_WORDS` words. Their pairs of neighbouring
    words have a Jaccard similarity of at least `minhash.SIMILARITY`.
    """
    texts = _find_same(words)
    rows = np.flatnonzero(texts == np.arange(len(texts)))
    return Duplicates(texts, _both_ways(find_pairs(words, rows=rows)))


def find_leaks(train: Sequence[str], other: Sequence[str]) -> NDArray[np.bool_]:
    """Return for each text of `other` whether it occurs, exactly or nearly, in `train`.

    An empty text never does.

    Returns:
        Shape (texts of other,).
    """
    duplicates = find_duplicates(read_words(chain(train, other)))
    rows = slice(len(train), len(train) + len(other))
    return find_twins(duplicates, rows=rows, among=slice(0, len(train))).found


def find_repeats(duplicates: Duplicates, table: Table) -> tuple[Repeats, ...]:
    """Return for each pair of splits the rows of one that repeat rows of the other.

    Within a split, a row repeats an earlier one.
    """
    spans = list(table.spans.items())
    return tuple(
        _list_matches(duplicates, rows=rows, among=among)
        for place, rows in enumerate(spans)
        for among in spans[: place + 1]
    )


@dataclass(frozen=True)
class Twins:
    """Rows, each with another row of the same or nearly the same text.

    Args:
        rows: The other row, EMPTY where there is none, shape (rows,).
        similarity: Similarity of both texts, 0 where there is none, shape (rows,).
        exact: Whether both texts are the same, shape (rows,).
    """

    rows: NDArray[np.int64]
    similarity: NDArray[np.float64]
    exact: NDArray[np.bool_]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Whether each row has another row, shape (rows,)."""
        found: NDArray[np.bool_] = self.rows != EMPTY
        return found


def find_twins(duplicates: Duplicates, *, rows: slice, among: slice) -> Twins:
    """Return for each of `rows` the first of `among` with its text, else the most similar one.

    If both are the same rows, only earlier rows count.
    """
    first = first_rows(duplicates.texts, np.arange(len(duplicates.texts))[among])
    texts = duplicates.texts[rows]
    exact = np.where(texts == EMPTY, EMPTY, first[texts])
    if rows == among:
        exact[exact == np.arange(len(first))[rows]] = EMPTY
    near, similarity = _nearest(duplicates, first, earlier=rows == among)
    only_near = (exact == EMPTY) & (texts != EMPTY) & (near[texts] != EMPTY)
    return Twins(
        np.where(only_near, near[texts], exact),
        np.where(only_near, similarity[texts], exact != EMPTY),
        exact != EMPTY,
    )


def first_rows(texts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each text the first of the given rows that holds it, else EMPTY.

    Args:
        texts: `Duplicates.texts`.
        rows: Some rows, ascending.

    Returns:
        Shape (rows of the table,); EMPTY also for each row that is not the first of its text.
    """
    rows = rows[texts[rows] != EMPTY][::-1]
    first = np.full(len(texts), EMPTY, np.int64)
    first[texts[rows]] = rows  # the last value written stays: the first row
    return first


def _find_same(words: Words) -> NDArray[np.int64]:
    first: dict[bytes, int] = {}
    texts = np.full(len(words), EMPTY, np.int64)
    for row in np.flatnonzero(words.counts).tolist():
        texts[row] = first.setdefault(words.part(slice(row, row + 1)).tobytes(), row)
    return texts


def _both_ways(pairs: Pairs) -> Pairs:
    first = np.concatenate([pairs.first, pairs.second])
    second = np.concatenate([pairs.second, pairs.first])
    similarity = np.tile(pairs.similarity, 2)
    order = np.lexsort((second, -similarity, first))
    return Pairs(first[order], second[order], similarity[order])


def _nearest(
    duplicates: Duplicates, first: NDArray[np.int64], *, earlier: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each text the row in `first` with the most similar text, and the similarity."""
    pairs = duplicates.near
    candidates = first[pairs.second]
    usable = candidates != EMPTY
    if earlier:
        usable &= candidates < first[pairs.first]
    texts, best = np.unique(pairs.first[usable], return_index=True)  # the first is the most similar
    row = np.full(len(first), EMPTY, np.int64)
    similarity = np.zeros(len(first))
    row[texts] = candidates[usable][best]
    similarity[texts] = pairs.similarity[usable][best]
    return row, similarity


def _list_matches(
    duplicates: Duplicates, *, rows: tuple[str, slice], among: tuple[str, slice]
) -> Repeats:
    (split, span), (of, other) = rows, among
    twins = find_twins(duplicates, rows=span, among=other)

    def matches(chosen: NDArray[np.bool_]) -> tuple[Match, ...]:
        return tuple(
            Match(int(row), int(twins.rows[row]) - other.start, float(twins.similarity[row]))
            for row in np.flatnonzero(chosen)
        )

    return Repeats(split, of, matches(twins.exact), matches(twins.found & ~twins.exact))
