"""Reads the rows of a split with known columns and classes, or reports what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.classes import Classes
from training.data.columns import Chosen
from training.data.halves import describe_half
from training.data.labels import LabelFormat, class_names, shorten
from training.data.rows import Rows, TableRows, describe_place, is_list
from training.errors import DataError
from training.targets import UNLABELLED, Targets


class UsedRows(NamedTuple):
    """Rows that can be used.

    Args:
        texts: The text of each.
        labels: Their targets.
        numbers: Their numbers in the split, counted from 0, shape (rows,).
    """

    texts: list[str]
    labels: Targets
    numbers: NDArray[np.int64]


def read_column(rows: Rows, column: str, *, split: str) -> list[Any]:
    """Return the values of a column; raise DataError if they are not text in UTF-8."""
    try:
        values: list[Any] = list(rows[column][:])
    except UnicodeDecodeError as error:
        raise DataError(
            f"column {column!r} of split {split!r} is not text in UTF-8 ({error})"
        ) from error
    return values


@dataclass(frozen=True)
class RowReader:
    """Reads splits with known columns and classes.

    Args:
        columns: The columns.
        form: How the label column is written.
        classes: The classes.
        strange: The fault of an unknown label, for an error message.
        listed: Whether the type of the label column is a list in train.
        skip: Whether rows that cannot be used are left out.
        notices: Receives what was left out.
    """

    columns: Chosen
    form: LabelFormat
    classes: Classes
    strange: str = "a class that train does not have"
    listed: bool = False
    skip: bool = False
    notices: list[str] = field(default_factory=list)

    def read(self, name: str, rows: Rows) -> UsedRows:
        """Return the texts and targets of the rows of a split, or raise DataError."""
        self.notices.extend(note_unreadable(name, rows, skip=self.skip))
        rows = self.columns.view(rows)
        if self.columns.text not in rows.features:
            there_are = ", ".join(rows.features)
            raise DataError(
                f"split {name!r} has no column {self.columns.text!r}; there are: {there_are}"
            )
        texts = read_column(rows, self.columns.text, split=name)
        labels = self.form.read(read_column(rows, self.columns.label, split=name))
        used = self._find_used(name, rows, texts, labels)
        return UsedRows(
            [texts[row] for row in used], self.classes.encode([labels[row] for row in used]), used
        )

    def is_unlabelled(self, name: str, rows: Rows) -> bool:
        """Whether a split has no labels at all, such as the test split of a competition."""
        rows = self.columns.view(rows)
        if self.columns.label not in rows.features:
            return True
        labels = self.form.read(read_column(rows, self.columns.label, split=name))
        return all(label is None or self._marks_none(label) for label in labels)

    def check_same_classes(self, name: str, rows: Rows) -> None:
        """Raise DataError if a split and train number their classes differently."""
        feature = self.columns.view(rows).features[self.columns.label]
        if is_list(feature) != self.listed and not isinstance(rows, TableRows):
            raise DataError(f"column {self.columns.label!r} holds lists in some splits only")
        names = class_names(feature)
        if names is not None and names != self.classes.names:
            raise DataError(
                f"split {name!r} has the classes {shorten(list(names))}, "
                f"but train has {shorten(list(self.classes.names))}"
            )

    def _find_used(
        self, name: str, rows: Rows, texts: Sequence[Any], labels: Sequence[Any]
    ) -> NDArray[np.int64]:
        """Return the rows that can be used; refuse the others, or note them."""
        faults = {
            row: fault
            for row, (text, label) in enumerate(zip(texts, labels, strict=True))
            if (fault := self._find_fault(text, label)) is not None
        }
        if faults:
            first = min(faults)
            message = (
                f"{len(faults):,} of {len(texts):,} rows of split {name!r} cannot be used: "
                f"in {describe_place(_rows_below(rows), first)} {faults[first]}"
            )
            if not self.skip:
                raise DataError(f"{message}; --skip-unusable leaves such rows out")
            self.notices.append(f"{message}; left out")
        return np.array([row for row in range(len(texts)) if row not in faults], np.int64)

    def _find_fault(self, text: Any, label: Any) -> str | None:
        if (fault := describe_no_text(text)) is not None:
            return f"{self.columns.text!r} {fault}"
        if label is None:
            return f"{self.columns.label!r} is missing{self._hint_at_missing()}"
        if self.classes.knows(label):
            return None
        for name in label if isinstance(label, list) else [label]:
            if isinstance(name, str) and (fault := describe_half(name)) is not None:
                return f"{self.columns.label!r} {fault}"
        return f"{self.columns.label!r} is {shorten(label)}, {self.strange}"

    def _hint_at_missing(self) -> str:
        if self.form.declared:
            return " or -1, which marks a row without a label"
        if self.form.shape == "list" and not self.form.several:
            return " or an empty list, where others hold one label"
        return ""

    def _marks_none(self, label: Any) -> bool:
        """Whether a label is the number that marks rows without one, and no class."""
        return label in (UNLABELLED, str(UNLABELLED)) and not self.classes.knows(label)


def _rows_below(rows: Rows) -> Rows:
    """Return the rows below a view of them."""
    return getattr(rows, "rows", rows)


def describe_no_text(value: Any) -> str | None:
    """Return in words why a value is no text that can be used; None where it is one."""
    if value is None:
        return "is missing"
    if isinstance(value, str):
        return describe_half(value)
    hint = "; join its words to one text" if isinstance(value, list) else ""
    return f"is no text but {type(value).__name__}{hint}"


def note_unreadable(split: str, rows: Rows, *, skip: bool) -> list[str]:
    """Return in words which rows of a file could not be read.

    Raises:
        DataError: There are some, and `skip` does not say that they are left out.
    """
    if not skip:
        refuse_unreadable(split, rows)
    if not isinstance(rows, TableRows) or not rows.unreadable:
        return []
    first = rows.unreadable[0]
    return [
        f"{len(rows.unreadable):,} rows of split {split!r} cannot be read and are left out: "
        f"in {first.place}: {first.fault}"
    ]


def refuse_unreadable(split: str, rows: Rows) -> None:
    """Raise DataError if rows of a file could not be read, with the first one's line and fault."""
    if isinstance(rows, TableRows) and rows.unreadable:
        first, count = rows.unreadable[0], len(rows.unreadable)
        raise DataError(
            f"{count:,} of {len(rows) + count:,} rows of split {split!r} cannot be read: "
            f"in {first.place}: {first.fault}; --skip-unusable leaves such rows out"
        )
