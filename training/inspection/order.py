"""Finds splits that are sorted by label, and rows whose label breaks the order.

Many public files hold all rows of one class, then all of the next. A lone different label in such a
run is likely wrong, whatever the text.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from training.inspection.findings import SortedSplit
from training.inspection.table import Table
from training.targets import UNLABELLED

# Most changes of label from row to row, relative to the same labels shuffled. A shuffled split has
# 1, whatever its classes; an alternating one of two classes has about 2, a sorted one 0. The limit
# leaves room for wrong labels, with two changes each, and for rows added at the end.
SORTED = 0.2
# Least changes in the shuffled labels. With as many, shuffling cannot give a fifth of them by
# chance (eight standard deviations for two equal classes). It excludes small splits and splits of
# one class.
LEAST_CHANGES = 50
SIDE = 5  # rows on each side of a row that vote on its label
AGREEING = 2 * SIDE - 1  # votes of these ten; one may be wrong, or the first of the next run
# In a stretch without order, a row may differ from its neighbours by chance. Therefore the labels
# of this many rows around it must rarely change, rows that differ left out.
STRETCH = 50
MOST_CHANGES = 3
MOST_BREAKS = 0.02  # share of a split; with more breaks it has no order
# Rows sorted by author or day form streaks of every length; lone rows are not wrong there. With
# geometric lengths, streaks of three to ten are twice as many as rows in shorter ones. Wrong labels
# make hardly any. Allowed are MOST_STREAKS, and STREAKS_PER_BREAK for each break of the order.
SHORTEST, LONGEST = 3, 10
MOST_STREAKS = 2
STREAKS_PER_BREAK = 0.5


@dataclass(frozen=True)
class Order:
    """The splits that are sorted by label, and the labels that their order predicts.

    Args:
        splits: Names of the sorted splits.
        expected: Class index of the neighbours for each row that breaks the order, else
            UNLABELLED, shape (rows,).
    """

    splits: tuple[str, ...]
    expected: NDArray[np.int64]

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Whether each row breaks the order, shape (rows,)."""
        broken: NDArray[np.bool_] = self.expected != UNLABELLED
        return broken


def find_order(table: Table, *, usable: NDArray[np.bool_]) -> Order:
    """Find the order of each split by itself; multi-label splits have none.

    Args:
        table: All rows.
        usable: Whether each row has a text, shape (rows,). Other rows, and rows without a label,
            are ignored.
    """
    expected = np.full(len(table.texts), UNLABELLED, np.int64)
    found = []
    for split, span in table.spans.items() if not table.multi_label else ():
        rows = span.start + np.flatnonzero(usable[span] & (table.codes[span] != UNLABELLED))
        usual = _expect(table.codes[rows])
        if usual is not None:
            found.append(split)
            expected[rows] = usual
    return Order(tuple(found), expected)


def name_sorted(order: Order, table: Table) -> tuple[SortedSplit, ...]:
    """Return the sorted splits with the rows that break their order."""
    return tuple(
        SortedSplit(split, tuple(np.flatnonzero(order.broken[table.spans[split]]).tolist()))
        for split in order.splits
    )


def _expect(labels: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the expected labels of rows that break the order; None where there is no order.

    Args:
        labels: Class indices, shape (rows,).

    Returns:
        Class indices, UNLABELLED for other rows, shape (rows,).
    """
    if not _is_sorted(labels):
        return None
    usual = _outvote(labels)
    differs = usual != UNLABELLED
    changes = _count_changes(labels, differs=differs)
    breaks = differs & (changes <= MOST_CHANGES)
    streaks = _count_streaks(labels[~differs], changes=changes[~differs])
    only_streaks = streaks > MOST_STREAKS + STREAKS_PER_BREAK * breaks.sum()
    if only_streaks or breaks.mean() > MOST_BREAKS:
        return None
    return np.where(breaks, usual, UNLABELLED)


def _is_sorted(labels: NDArray[np.int64]) -> bool:
    rows = len(labels)
    if rows <= LEAST_CHANGES:
        return False
    _, counts = np.unique(labels, return_counts=True)
    equal = float((counts * (counts - 1.0)).sum()) / (rows * (rows - 1.0))
    shuffled = (1 - equal) * (rows - 1)
    changes = np.count_nonzero(np.diff(labels))
    return bool(shuffled >= LEAST_CHANGES and changes <= SORTED * shuffled)


def _outvote(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the label of nearly all neighbours of each row that has another label.

    Rows at a border between two runs have no such label. The first and last rows have only one side
    and are not judged.

    Returns:
        Shape (rows,), UNLABELLED where there is none.
    """
    around = np.delete(sliding_window_view(labels, 2 * SIDE + 1), SIDE, axis=1)
    usual = np.median(around, axis=1)  # the majority label, if there is one
    agreeing = (around == usual[:, None]).sum(axis=1) >= AGREEING
    outvoted = np.full(len(labels), UNLABELLED, np.int64)
    outvoted[SIDE:-SIDE] = np.where(agreeing & (labels[SIDE:-SIDE] != usual), usual, UNLABELLED)
    return outvoted


def _count_changes(labels: NDArray[np.int64], *, differs: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the changes of label around each row, without rows that differ, shape (rows,)."""
    kept = labels[~differs]
    changes = np.concatenate([[0], np.cumsum(kept[1:] != kept[:-1])])
    place = np.cumsum(~differs)  # of the first kept row after it
    first, last = np.maximum(place - STRETCH, 0), np.minimum(place + STRETCH, len(kept)) - 1
    around: NDArray[np.int64] = changes[last] - changes[first]
    return around


def _count_streaks(labels: NDArray[np.int64], *, changes: NDArray[np.int64]) -> int:
    """Count short runs that interrupt a run of one label in an otherwise ordered stretch.

    Args:
        labels: Class indices, shape (rows,).
        changes: Changes of label around each row, shape (rows,).
    """
    starts = np.flatnonzero(np.diff(labels, prepend=UNLABELLED))
    lengths = np.diff(starts, append=len(labels))[1:-1]
    enclosed = labels[starts[:-2]] == labels[starts[2:]]
    short = (lengths >= SHORTEST) & (lengths <= LONGEST)
    ordered = changes[starts[1:-1]] <= MOST_CHANGES + 2  # two of them are its own
    return int(np.count_nonzero(enclosed & short & ordered))
