"""Finds splits that are sorted by label, and rows whose label breaks the order.

Many public files hold all rows of one class, then all of the next. There a lone other label is
likely wrong, whatever the text says.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from training.inspection.findings import SortedSplit
from training.inspection.table import Table
from training.targets import UNLABELLED

# Labels change from one row to the next this often, at most, as a share of how often they would
# if the same labels were shuffled: that is 1 for a shuffled split whatever its classes weigh, about
# 2 for an alternating one of two classes, 0 for a sorted one. In between it leaves room for wrong
# labels, two changes each, and for rows added at the end.
SORTED = 0.2
# Changes that shuffling would give, at least. From here on it has no chance of giving a fifth of
# them (eight standard deviations for two equal classes). It rules out small splits and those of one
# class.
LEAST_CHANGES = 50
SIDE = 5  # rows before and as many after a row that say which label it should have
AGREEING = 2 * SIDE - 1  # of these ten: one of them may be wrong too, or the first of a next run
# A row in a stretch without order may differ from those around it by chance. So the labels of so
# many rows before and after it may change no more often than this, rows that differ left out.
STRETCH = 50
MOST_CHANGES = 3
MOST_BREAKS = 0.02  # share of a split; if more rows break its order, it has none
# Rows by author or by day come in streaks of every length, so lone ones are not wrong there. If
# lengths are geometric there are twice as many streaks of three to ten as rows in shorter ones;
# wrong labels give hardly any. So many are allowed, and so many more for each row found.
SHORTEST, LONGEST = 3, 10
MOST_STREAKS = 2
STREAKS_PER_BREAK = 0.5


@dataclass(frozen=True)
class Order:
    """Which splits are sorted by label, and which label their order lets expect.

    Args:
        splits: Names of the sorted splits.
        expected: Class index of the neighbours where a row breaks the order, else UNLABELLED, shape
            (rows,).
    """

    splits: tuple[str, ...]
    expected: NDArray[np.int64]

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Which rows break the order, shape (rows,)."""
        broken: NDArray[np.bool_] = self.expected != UNLABELLED
        return broken


def find_order(table: Table, *, usable: NDArray[np.bool_]) -> Order:
    """Look for order in each split by itself; there is none where rows have several labels.

    Args:
        table: All rows.
        usable: Which of them have a text, shape (rows,); the others, and those without a label,
            are looked at as if they were not there.
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
    """Return for rows that break the order what they should be, None where there is no order.

    Args:
        labels: Class indices, shape (rows,).

    Returns:
        Class indices, UNLABELLED for rows that do not break it, shape (rows,).
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
    """Return the label that nearly all rows before and after a row have, if it has another.

    At a border between two runs there is none, and the first and last rows have only one side:
    they are not judged.

    Returns:
        Shape (rows,), UNLABELLED where there is none.
    """
    around = np.delete(sliding_window_view(labels, 2 * SIDE + 1), SIDE, axis=1)
    usual = np.median(around, axis=1)  # is what more than half of them have, if there is such a one
    agreeing = (around == usual[:, None]).sum(axis=1) >= AGREEING
    outvoted = np.full(len(labels), UNLABELLED, np.int64)
    outvoted[SIDE:-SIDE] = np.where(agreeing & (labels[SIDE:-SIDE] != usual), usual, UNLABELLED)
    return outvoted


def _count_changes(labels: NDArray[np.int64], *, differs: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how often labels change around each row, those that differ left out, shape (rows,)."""
    kept = labels[~differs]
    changes = np.concatenate([[0], np.cumsum(kept[1:] != kept[:-1])])
    place = np.cumsum(~differs)  # of the first kept row after it
    first, last = np.maximum(place - STRETCH, 0), np.minimum(place + STRETCH, len(kept)) - 1
    around: NDArray[np.int64] = changes[last] - changes[first]
    return around


def _count_streaks(labels: NDArray[np.int64], *, changes: NDArray[np.int64]) -> int:
    """Count short runs between two runs of one label, where there would be order without them.

    Args:
        labels: Class indices, shape (rows,).
        changes: How often labels change around each row, shape (rows,).
    """
    starts = np.flatnonzero(np.diff(labels, prepend=UNLABELLED))
    lengths = np.diff(starts, append=len(labels))[1:-1]
    enclosed = labels[starts[:-2]] == labels[starts[2:]]
    short = (lengths >= SHORTEST) & (lengths <= LONGEST)
    ordered = changes[starts[1:-1]] <= MOST_CHANGES + 2  # two of them are its own
    return int(np.count_nonzero(enclosed & short & ordered))
