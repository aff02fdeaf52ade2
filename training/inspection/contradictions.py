"""Finds texts that occur in several rows with different labels."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, eye_array

from training.inspection.duplicates import EMPTY, Duplicates, first_rows
from training.inspection.findings import Contradiction
from training.inspection.table import Table
from training.targets import UNLABELLED


def find_contradictions(duplicates: Duplicates, table: Table) -> tuple[Contradiction, ...]:
    """Return the contradictions, those between rows of exactly the same text first."""
    return _find_exact(duplicates, table) + _find_near(duplicates, table)


def agree_with_twins(duplicates: Duplicates, table: Table) -> NDArray[np.float64]:
    """Return the share of the rows with a row's text that also have its labels, for each row.

    A row itself counts, and so do rows of nearly the same text. A lone or unlabelled row has 1.

    Returns:
        Shape (rows,).
    """
    share = np.ones(len(table.texts))
    labelled = np.flatnonzero(_is_usable(duplicates, table))
    if len(labelled) == 0:
        return share
    texts, codes = duplicates.texts[labelled], table.codes[labelled]
    shape = (len(table.texts), int(codes.max()) + 1)
    votes = coo_array((np.ones(len(labelled)), (texts, codes)), shape=shape).tocsr()
    votes = (_alike(duplicates) @ votes).tocsr()
    share[labelled] = votes[texts, codes] / votes.sum(axis=1)[texts]
    return share


def _is_usable(duplicates: Duplicates, table: Table) -> NDArray[np.bool_]:
    usable: NDArray[np.bool_] = (duplicates.texts != EMPTY) & (table.codes != UNLABELLED)
    return usable


def _alike(duplicates: Duplicates) -> csr_array:
    """Return 1 for each pair of similar texts, a text with itself included, shape (rows, rows)."""
    rows = len(duplicates.texts)
    near = duplicates.near
    ones = np.ones(len(near.first))
    return (
        coo_array((ones, (near.first, near.second)), shape=(rows, rows)) + eye_array(rows)
    ).tocsr()


def _find_exact(duplicates: Duplicates, table: Table) -> tuple[Contradiction, ...]:
    usable = np.flatnonzero(_is_usable(duplicates, table))
    rows = usable[np.argsort(duplicates.texts[usable], kind="stable")]
    _, starts = np.unique(duplicates.texts[rows], return_index=True)
    return tuple(
        Contradiction(tuple(map(table.labelled_row, group.tolist())), None)
        for group in np.split(rows, starts[1:])
        if len(np.unique(table.codes[group])) > 1
    )


def _find_near(duplicates: Duplicates, table: Table) -> tuple[Contradiction, ...]:
    """Return each text with the most similar one of another label, each pair once.

    The label of a text is that of its first labelled row.
    """
    first = first_rows(duplicates.texts, np.flatnonzero(_is_usable(duplicates, table)))
    near = duplicates.near
    rows, twins = first[near.first], first[near.second]
    other = (rows != EMPTY) & (twins != EMPTY) & (table.codes[rows] != table.codes[twins])
    _, best = np.unique(near.first[other], return_index=True)  # the most similar comes first
    chosen = {
        tuple(sorted((int(rows[pair]), int(twins[pair])))): float(near.similarity[pair])
        for pair in np.flatnonzero(other)[best]
    }
    return tuple(
        Contradiction(tuple(map(table.labelled_row, pair)), similarity)
        for pair, similarity in sorted(chosen.items())
    )
