"""Turns the rows of a dataset into texts with targets, or reports unusable rows."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metadata import Task
from models.tables.decoding import find_half, is_byte
from training.data.classes import Classes, describe_joined, find_classes
from training.data.columns import Chosen, align_columns, choose_columns
from training.data.labels import LabelFormat, class_names, find_format, shorten
from training.data.nesting import find_nesting
from training.data.rows import Rows, TableRows, describe_place, is_list
from training.data.sources import Source
from training.errors import DataError
from training.reading import Reading
from training.targets import UNLABELLED, Targets, count_classes

VALIDATION_NAMES = ("validation", "valid", "val", "dev")
VALIDATION_SHARE = 0.1  # of train, where the dataset has no validation split
VALIDATION_LIMIT = 5_000  # rows held out at most
HELD_BLOCKS = 10  # of each class; fewer vary too little, more have more related neighbours
MOST_SHOWN = 10  # class names in a notice


@dataclass(frozen=True)
class Split:
    """Rows of one purpose.

    Args:
        name: Origin of the rows, for the record: a split, or a share of one.
        texts: One text per row.
        labels: Targets of the rows.
        rows: Number of each row in its origin, counted from 0, shape (rows,).
        whole: Whether each row is a text of its own, shape (rows,). A phrase is not one if its
            sentence is another row of train, or of validation.
    """

    name: str
    texts: list[str]
    labels: Targets
    rows: NDArray[np.int64]
    whole: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: NDArray[np.int64], *, name: str) -> "Split":
        """Return the given rows under a new name."""
        texts = [self.texts[row] for row in rows]
        return Split(name, texts, self.labels[rows], self.rows[rows], self.whole[rows])

    @property
    def whole_texts(self) -> list[str]:
        """The texts that are no part of another; words of nested texts so count once."""
        return [text for text, whole in zip(self.texts, self.whole, strict=True) if whole]

    @property
    def sha256(self) -> str:
        """Hash of texts and labels in order, independent of the file format."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels, strict=True):
            encoded = text.encode("utf-8", "surrogatepass")
            classes = np.flatnonzero(label).tolist() if label.ndim else [int(label)]
            digest.update(b"%s %d\n" % (",".join(map(str, classes)).encode(), len(encoded)))
            digest.update(encoded)
        return digest.hexdigest()


@dataclass(frozen=True)
class LabelledData:
    """A dataset ready for training; `test` is None without a labelled test split."""

    source: Source
    text_column: str
    label_column: str
    task: Task
    labels: tuple[str, ...]
    train: Split
    validation: Split
    test: Split | None
    notices: tuple[str, ...]

    @property
    def splits(self) -> dict[str, Split]:
        """The existing splits by purpose: train, validation, test."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {purpose: split for purpose, split in splits.items() if split is not None}


def read_data(source: Source, *, reading: Reading | None = None, seed: int) -> LabelledData:
    """Return the train, validation and test rows of a source.

    Raises:
        DataError: A column is missing or unclear, or a row cannot be used.
    """
    reading = reading or Reading()
    if "train" not in source.splits:
        raise DataError(f"no split 'train'; there are: {', '.join(source.splits)}")
    rows = source.splits["train"]
    if len(rows) == 0:
        _refuse_unreadable("train", rows)
        raise DataError("split 'train' has no rows")
    chosen = choose_columns(rows, reading)
    rows = chosen.view(rows)
    form = find_format(rows, chosen.label, separator=reading.split_labels)
    values = form.read(_read_column(rows, chosen.label, split="train"))
    classes = find_classes(form, values, column=chosen.label, reading=reading)
    joined = None if form.several else describe_joined(classes.names)
    notices = [notice for notice in (chosen.notice, form.notice, joined) if notice]
    reader = _RowReader(chosen, form, classes, skip=reading.skip_unusable, notices=notices)
    train = reader.read("train", rows)
    _check_classes(train, classes.names, column=chosen.label)
    notices += _notice_absent_classes(train, classes.names)
    validation = _read_optional(source, VALIDATION_NAMES, reader=reader)
    test = _read_optional(source, ("test",), reader=reader)
    nesting = find_nesting(train.texts + (validation.texts if validation else []))
    whole = ~nesting.inner
    train = replace(train, whole=~nesting.among(len(train)).inner)
    if validation is None:
        train, validation = hold_out(train, families=nesting.families, seed=seed)
        notices.append(f"no validation split: {len(validation):,} rows of train held out for it")
    else:
        validation = replace(validation, whole=whole[len(train) :])
    if nesting.is_common:
        notices.append(
            f"{(~whole).sum():,} of {len(whole):,} rows of train and validation are parts of other "
            f"rows: of validation only the {validation.whole.sum():,} that are not decide"
        )
    if test is None:
        notices.append("no labelled test split: all figures are on validation rows")
    return LabelledData(
        source=source,
        text_column=chosen.text,
        label_column=chosen.label,
        task=classes.task,
        labels=classes.names,
        train=train,
        validation=validation,
        test=test,
        notices=tuple(notices),
    )


def read_split(
    source: Source,
    name: str,
    *,
    reading: Reading,
    several: bool,
    find: Callable[[LabelFormat, str], Classes],
    strange: str,
) -> tuple[Split, list[str]]:
    """Return one split, and what was left out of it or chosen, in words.

    Args:
        source: The dataset.
        name: Name of the split.
        reading: How it is to be read.
        several: Whether a row may have several labels.
        find: Returns the classes from the format and the name of the label column.
        strange: The fault of an unknown label, for an error message.

    Raises:
        DataError: A column is missing or unclear, or a row cannot be used.
    """
    rows = source.splits[name]
    chosen = choose_columns(rows, reading)
    rows = chosen.view(rows)
    form = find_format(rows, chosen.label, several=several, separator=reading.split_labels)
    notices = [notice for notice in (chosen.notice, form.notice) if notice]
    reader = _RowReader(
        chosen,
        form,
        find(form, chosen.label),
        strange,
        skip=reading.skip_unusable,
        notices=notices,
    )
    return reader.read(name, rows), notices


def hold_out(train: Split, *, families: NDArray[np.int64], seed: int) -> tuple[Split, Split]:
    """Split off rows for validation, about the same share of every class.

    Neighbours in a file are often related, such as reviews of one film. Related rows in train would
    flatter validation, so rows are drawn in blocks of neighbours.

    Args:
        train: All rows.
        families: First row of each row's family, shape (rows,). Families stay together.
        seed: Decides the drawn rows.

    Returns:
        The rest of train, and the validation rows.

    Raises:
        DataError: There are too few rows.
    """
    random = np.random.default_rng(seed)
    share = min(VALIDATION_SHARE, VALIDATION_LIMIT / len(train))
    heads = np.unique(families)
    if train.labels.ndim == 2:  # a row with several labels has no single class
        classes = [heads]
    else:
        labels = train.labels[heads]
        classes = [heads[labels == label] for label in np.unique(labels)]
    drawn = [_draw_blocks(rows, share=share, random=random) for rows in classes]
    held = np.isin(families, np.concatenate(drawn))
    if not held.any():
        raise DataError(
            f"no class has enough of the {len(train):,} rows of train to hold one in ten out for "
            "validation; add rows, or a split 'validation'"
        )
    rest, chosen = np.flatnonzero(~held), np.flatnonzero(held)
    name = f"train (held out, seed {seed})"
    return train.take(rest, name="train"), train.take(chosen, name=name)


def _draw_blocks(
    rows: NDArray[np.int64], *, share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return about `share` of the rows in blocks of neighbours, HELD_BLOCKS if rows suffice."""
    blocks = np.array_split(rows, min(len(rows), math.ceil(HELD_BLOCKS / share)))
    drawn = random.permutation(len(blocks))[: round(share * len(blocks))]
    return np.concatenate([rows[:0], *(blocks[block] for block in drawn)])


def _read_column(rows: Rows, column: str, *, split: str) -> list[Any]:
    try:
        values: list[Any] = list(rows[column][:])
    except UnicodeDecodeError as error:
        raise DataError(
            f"column {column!r} of split {split!r} is not text in UTF-8 ({error})"
        ) from error
    return values


@dataclass(frozen=True)
class _RowReader:
    """Reads splits with known columns and classes.

    Args:
        columns: The columns.
        form: How the label column is written.
        classes: The classes.
        strange: The fault of an unknown label, for an error message.
        skip: Whether rows that cannot be used are left out.
        notices: Receives what was left out.
    """

    columns: Chosen
    form: LabelFormat
    classes: Classes
    strange: str = "a class that train does not have"
    skip: bool = False
    notices: list[str] = field(default_factory=list)

    def read(self, name: str, rows: Rows) -> Split:
        """Return the texts and targets of a split, or raise DataError."""
        if not self.skip:
            _refuse_unreadable(name, rows)
        if isinstance(rows, TableRows) and rows.unreadable:
            first = rows.unreadable[0]
            self.notices.append(
                f"{len(rows.unreadable):,} rows of split {name!r} cannot be read and are left out: "
                f"in {first.place}: {first.fault}"
            )
        rows = self.columns.view(rows)
        if self.columns.text not in rows.features:
            there_are = ", ".join(rows.features)
            raise DataError(
                f"split {name!r} has no column {self.columns.text!r}; there are: {there_are}"
            )
        texts = _read_column(rows, self.columns.text, split=name)
        labels = self.form.read(_read_column(rows, self.columns.label, split=name))
        used = self._find_used(name, rows, texts, labels)
        return Split(
            name,
            [texts[row] for row in used],
            self.classes.encode([labels[row] for row in used]),
            used,
            np.ones(len(used), bool),
        )

    def is_unlabelled(self, name: str, rows: Rows) -> bool:
        """Whether a split has no labels at all, such as the test split of a competition."""
        rows = self.columns.view(rows)
        if self.columns.label not in rows.features:
            return True
        labels = self.form.read(_read_column(rows, self.columns.label, split=name))
        return all(label is None or self._marks_none(label) for label in labels)

    def check_same_classes(self, name: str, rows: Rows) -> None:
        """Raise DataError if a split and train number their classes differently."""
        feature = self.columns.view(rows).features[self.columns.label]
        if is_list(feature) != is_list_form(self.form) and not isinstance(rows, TableRows):
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
                f"in {describe_place(rows_of(rows), first)} {faults[first]}"
            )
            if not self.skip:
                raise DataError(f"{message}; --skip-unusable leaves such rows out")
            self.notices.append(f"{message}; left out")
        return np.array([row for row in range(len(texts)) if row not in faults], np.int64)

    def _find_fault(self, text: Any, label: Any) -> str | None:
        if not isinstance(text, str):
            return f"{self.columns.text!r} {_describe_no_text(text)}"
        if (half := find_half(text)) is not None:
            return f"{self.columns.text!r} {_describe_half(half)}"
        if label is None:
            hint = " or -1, which marks a row without a label" if self.form.declared else ""
            return f"{self.columns.label!r} is missing{hint}"
        if self.classes.knows(label):
            return None
        return f"{self.columns.label!r} is {shorten(label)}, {self.strange}"

    def _marks_none(self, label: Any) -> bool:
        """Whether a label is the number that marks rows without one, and no class."""
        return label in (UNLABELLED, str(UNLABELLED)) and not self.classes.knows(label)


def is_list_form(form: LabelFormat) -> bool:
    """Whether labels are written as lists."""
    return form.shape in ("list", "multi_hot")


def rows_of(rows: Rows) -> Rows:
    """Return the rows below a view of them."""
    return getattr(rows, "rows", rows)


def _describe_no_text(value: Any) -> str:
    if value is None:
        return "is missing"
    hint = "; join its words to one text" if isinstance(value, list) else ""
    return f"is no text but {type(value).__name__}{hint}"


def _describe_half(half: str) -> str:
    if is_byte(half):
        return "holds bytes that are not UTF-8; name the --encoding of the file, such as cp1252"
    return f"holds half a character, \\u{ord(half):x}"


def _refuse_unreadable(split: str, rows: Rows) -> None:
    """Raise DataError if rows of a file could not be read, with the first one's line and fault."""
    if isinstance(rows, TableRows) and rows.unreadable:
        first, count = rows.unreadable[0], len(rows.unreadable)
        raise DataError(
            f"{count:,} of {len(rows) + count:,} rows of split {split!r} cannot be read: "
            f"in {first.place}: {first.fault}; --skip-unusable leaves such rows out"
        )


def _check_classes(train: Split, names: Sequence[str], *, column: str) -> None:
    counts = count_classes(train.labels, classes=len(names))
    present = np.flatnonzero(counts)
    if train.labels.ndim == 1 and len(present) == 1:
        raise DataError(
            f"column {column!r}: all rows of train have the label {names[present[0]]!r}; "
            "two labels are needed at least"
        )
    if len(names) < 2 or len(present) == 0:
        raise DataError(f"column {column!r} names fewer than two labels; two are needed at least")
    if len(present) > max(2, len(train) // 2):
        raise DataError(
            f"column {column!r} has {len(present):,} different labels in {len(train):,} rows; "
            "name the right column with --label-column"
        )


def _notice_absent_classes(train: Split, names: Sequence[str]) -> list[str]:
    counts = count_classes(train.labels, classes=len(names))
    absent = [name for name, count in zip(names, counts, strict=True) if count == 0]
    if not absent:
        return []
    shown = ", ".join(absent[:MOST_SHOWN]) + ("…" if len(absent) > MOST_SHOWN else "")
    return [f"train has no row of these classes, so they will not be predicted: {shown}"]


def _read_optional(source: Source, names: Sequence[str], *, reader: _RowReader) -> Split | None:
    for name in names:
        if name in source.splits and len(source.splits[name]) > 0:
            rows, notice = align_columns(source.splits[name], reader.columns, split=name)
            reader.notices.extend([notice] if notice else [])
            if not reader.is_unlabelled(name, rows):
                reader.check_same_classes(name, rows)
                return reader.read(name, rows)
            notice = f"split {name!r} has no {reader.columns.label!r} and is not used"
            if reader.columns.label not in reader.columns.view(rows).features:
                notice += f"; there are: {', '.join(rows.features)}"
            reader.notices.append(notice)
    return None
