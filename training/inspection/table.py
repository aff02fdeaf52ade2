"""The rows of all splits in one table, so that rows of different splits can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.inspection.findings import LabelledRow, Place
from training.targets import UNLABELLED

TRAIN = "train"


@dataclass(frozen=True)
class Table:
    """Texts and labels of all splits, one split after the other.

    Args:
        sizes: Rows of each split, in the order of the splits in the table.
        texts: Text of each row, "" where there is none.
        labels: Class index of each row, shape (rows,); for multi-label 0 or 1 for each class,
            shape (rows, classes). A row without a label is UNLABELLED throughout.
        classes: Name of each class.
    """

    sizes: Mapping[str, int]
    texts: Sequence[str]
    labels: NDArray[np.int32]
    classes: tuple[str, ...]

    @classmethod
    def join(
        cls,
        texts: Mapping[str, Sequence[str]],
        *,
        labels: Mapping[str, NDArray[np.int32]],
        classes: Sequence[str],
    ) -> "Table":
        """Join the rows of several splits, given by name, into one table; train comes first.

        Raises:
            ValueError: Texts and labels differ in splits or rows.
        """
        ordered = sorted(texts, key=lambda split: split != TRAIN)
        sizes = {split: len(texts[split]) for split in ordered}
        if sizes != {split: len(labels[split]) for split in labels}:
            raise ValueError("texts and labels must have the same splits, with as many rows each")
        return cls(
            sizes,
            [text for split in sizes for text in texts[split]],
            np.concatenate([labels[split] for split in sizes]).astype(np.int32),
            tuple(classes),
        )

    @property
    def multi_label(self) -> bool:
        """Whether a row may have several labels."""
        return self.labels.ndim == 2

    @cached_property
    def spans(self) -> dict[str, slice]:
        """The rows of each split."""
        ends = np.cumsum([0, *self.sizes.values()]).tolist()
        return {
            split: slice(*span) for split, *span in zip(self.sizes, ends, ends[1:], strict=False)
        }

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """A number for each row's set of labels, UNLABELLED where there are none, shape (rows,)."""
        if not self.multi_label:
            return self.labels.astype(np.int64)
        _, codes = np.unique(self.labels, axis=0, return_inverse=True)
        return np.where((self.labels == UNLABELLED).all(axis=1), UNLABELLED, codes)

    def place(self, row: int) -> Place:
        """Return the place of a row of the table in its split."""
        split = next(name for name, span in self.spans.items() if row < span.stop)
        return Place(split, int(row) - self.spans[split].start)

    def name_labels(self, row: int) -> tuple[str, ...]:
        """Return the names of a row's classes."""
        labels = self.labels[row]
        indices = np.flatnonzero(labels == 1) if self.multi_label else [labels]
        return tuple(self.classes[index] for index in indices if index != UNLABELLED)

    def labelled_row(self, row: int) -> LabelledRow:
        """Return a row of the table with its place and its labels."""
        return LabelledRow(self.place(row), self.name_labels(row))
