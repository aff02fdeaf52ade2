"""Turns the rows of a dataset into texts with targets, or reports unusable rows."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from models.metadata import Task
from training.data.classes import Classes, class_names, find_classes, is_list, shorten
from training.data.columns import find_columns
from training.data.nesting import find_nesting
from training.data.scarce import draw_scarce
from training.data.sources import Source
from training.errors import DataError
from training.targets import UNLABELLED, Targets, count_classes

VALIDATION_NAMES = ("validation", "valid", "val", "dev")
VALIDATION_SHARE = 0.1  # of train, where the dataset has no validation split
VALIDATION_LIMIT = 5_000  # rows held out at most
SCARCE = 0.5  # of that share; with less from large classes, small ones are drawn from too
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


def read_data(
    source: Source, *, text_column: str | None, label_column: str | None, seed: int
) -> LabelledData:
    """Return the train, validation and test rows of a source.

    Raises:
        DataError: A column is missing or unclear, or a row cannot be used.
    """
    if "train" not in source.splits:
        raise DataError(f"no split 'train'; there are: {', '.join(source.splits)}")
    rows = source.splits["train"]
    if len(rows) == 0:
        raise DataError("split 'train' has no rows")
    text, label = find_columns(rows, text=text_column, label=label_column)
    values = _read_column(rows, label, split="train")
    reader = _RowReader(text, label, find_classes(rows.features[label], values, column=label))
    train = reader.read("train", rows)
    _check_classes(train, reader.classes.names, column=label)
    notices = _notice_absent_classes(train, reader.classes.names)
    validation = _read_optional(source, VALIDATION_NAMES, reader=reader, notices=notices)
    test = _read_optional(source, ("test",), reader=reader, notices=notices)
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
    task, labels = reader.classes.task, reader.classes.names
    return LabelledData(source, text, label, task, labels, train, validation, test, tuple(notices))


def read_split(
    source: Source,
    name: str,
    *,
    text_column: str | None,
    label_column: str | None,
    find: Callable[[object, str], Classes],
    strange: str,
) -> Split:
    """Return one split; `find` returns its classes from the label column's type and name.

    `strange` is the fault of an unknown label, for an error message.

    Raises:
        DataError: A column is missing or unclear, or a row cannot be used.
    """
    rows = source.splits[name]
    text, label = find_columns(rows, text=text_column, label=label_column)
    classes = find(rows.features[label], label)
    return _RowReader(text, label, classes, strange).read(name, rows)


def hold_out(train: Split, *, families: NDArray[np.int64], seed: int) -> tuple[Split, Split]:
    """Split off rows for validation, about the same share of every class.

    Neighbours in a file are often related, such as reviews of one film. Related rows in train would
    flatter validation, so rows are drawn in blocks of neighbours. Classes of a few rows are drawn
    from together, see `draw_scarce`, where the others give too little.

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
    scarce = [rows for rows, found in zip(classes, drawn, strict=True) if not len(found)]
    if scarce and held.sum() < SCARCE * share * len(train):
        pool = np.isin(families, np.concatenate(scarce))
        held |= draw_scarce(train.labels, families, pool=pool, share=share, random=random)
    if not held.any():
        raise DataError(
            f"the {len(train):,} rows of train are too few to hold any out for validation: each is "
            "the last one of a class; add rows, or a split 'validation'"
        )
    rest, chosen = np.flatnonzero(~held), np.flatnonzero(held)
    name = f"train (held out, seed {seed})"
    return train.take(rest, name="train"), train.take(chosen, name=name)


def _draw_blocks(
    rows: NDArray[np.int64], *, share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return about `share` of the rows in blocks of neighbours, HELD_BLOCKS if rows suffice.

    Returns none where `share` of them is less than half a row.
    """
    blocks = np.array_split(rows, min(len(rows), math.ceil(HELD_BLOCKS / share)))
    drawn = random.permutation(len(blocks))[: round(share * len(blocks))]
    return np.concatenate([rows[:0], *(blocks[block] for block in drawn)])


def _read_column(rows: Dataset, column: str, *, split: str) -> list[Any]:
    try:
        values: list[Any] = rows[column][:]
    except UnicodeDecodeError as error:
        raise DataError(
            f"column {column!r} of split {split!r} is not text in UTF-8 ({error})"
        ) from error
    return values


@dataclass(frozen=True)
class _RowReader:
    """Reads splits with known columns and classes."""

    text_column: str
    label_column: str
    classes: Classes
    strange: str = "a class that train does not have"

    def read(self, name: str, rows: Dataset) -> Split:
        """Return the texts and targets of a split, or raise DataError."""
        if self.text_column not in rows.features:
            there_are = ", ".join(rows.features)
            raise DataError(
                f"split {name!r} has no column {self.text_column!r}; there are: {there_are}"
            )
        texts = _read_column(rows, self.text_column, split=name)
        labels = _read_column(rows, self.label_column, split=name)
        _refuse(name, texts, lambda text: not isinstance(text, str), self._describe_text)
        _refuse(name, labels, self.classes.is_missing, self._describe_missing)
        _refuse(name, labels, lambda label: not self.classes.knows(label), self._describe_unknown)
        count = len(texts)
        return Split(
            name, texts, self.classes.encode(labels), np.arange(count), np.ones(count, bool)
        )

    def is_unlabelled(self, name: str, rows: Dataset) -> bool:
        """Whether a split has no labels at all, such as the test split of a competition."""
        return self.label_column not in rows.features or all(
            map(self.classes.is_missing, _read_column(rows, self.label_column, split=name))
        )

    def check_same_classes(self, name: str, rows: Dataset) -> None:
        """Raise DataError if a split and train number their classes differently."""
        feature = rows.features[self.label_column]
        if is_list(feature) != (self.classes.task == "multi_label"):
            raise DataError(f"column {self.label_column!r} holds lists in some splits only")
        names = class_names(feature)
        if names is not None and names != self.classes.names:
            raise DataError(
                f"split {name!r} has the classes {shorten(list(names))}, "
                f"but train has {shorten(list(self.classes.names))}"
            )

    def _describe_text(self, value: Any) -> str:
        found = "is missing" if value is None else f"is no text but {type(value).__name__}"
        return f"{self.text_column!r} {found}"

    def _describe_missing(self, value: Any) -> str:
        if value == UNLABELLED:
            return f"{self.label_column!r} is -1, which marks a row without a label"
        return f"{self.label_column!r} is missing"

    def _describe_unknown(self, value: Any) -> str:
        return f"{self.label_column!r} is {shorten(value)}, {self.strange}"


def _refuse(
    split: str,
    values: Sequence[Any],
    is_bad: Callable[[Any], bool],
    describe: Callable[[Any], str],
) -> None:
    """Raise DataError if any value is bad, with their number and the first one's row and fault."""
    bad = [row for row, value in enumerate(values) if is_bad(value)]
    if bad:
        raise DataError(
            f"{len(bad):,} of {len(values):,} rows of split {split!r} cannot be used: "
            f"in row {bad[0]} (counted from 0) {describe(values[bad[0]])}"
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
    alone = np.count_nonzero(counts == 1)
    if len(present) > 2 and alone > len(train) / 2:  # numbers of rows, and not a few rows a class
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


def _read_optional(
    source: Source, names: Sequence[str], *, reader: _RowReader, notices: list[str]
) -> Split | None:
    for name in names:
        if name in source.splits and len(source.splits[name]) > 0:
            rows = source.splits[name]
            if not reader.is_unlabelled(name, rows):
                reader.check_same_classes(name, rows)
                return reader.read(name, rows)
            notices.append(f"split {name!r} has no {reader.label_column!r} and is not used")
    return None
