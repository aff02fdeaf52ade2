"""Turns the rows of a dataset into texts with class indices, or says which rows cannot be used."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset
from numpy.typing import NDArray

from training.columns import find_columns
from training.errors import DataError
from training.sources import Source

VALIDATION_NAMES = ("validation", "valid", "val", "dev")
VALIDATION_SHARE = 0.1  # of train, where the dataset has no validation split
VALIDATION_LIMIT = 5_000  # rows held out at most
HELD_BLOCKS = 10  # of each class; fewer would be too much alike, more would have more edges
UNLABELLED = -1  # the Hub's mark for a row without a label
MOST_SHOWN = 10  # class names in a notice
LONGEST_SHOWN = 60  # characters of a value in an error


@dataclass(frozen=True)
class Split:
    """Rows of one purpose.

    Args:
        name: Where they came from, for the record: the split, or the share of one.
        texts: One text per row.
        labels: Class index of each row, shape (rows,).
    """

    name: str
    texts: list[str]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: NDArray[np.int64], *, name: str) -> "Split":
        """Return the given rows under a new name."""
        return Split(name, [self.texts[row] for row in rows], self.labels[rows])

    @property
    def sha256(self) -> str:
        """Hash of texts and labels in order, whatever the file they came in."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels.tolist(), strict=True):
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d %d\n" % (label, len(encoded)))
            digest.update(encoded)
        return digest.hexdigest()


@dataclass(frozen=True)
class LabelledData:
    """A dataset ready for training. `test` is None where there is no labelled test split."""

    source: Source
    text_column: str
    label_column: str
    labels: tuple[str, ...]
    train: Split
    validation: Split
    test: Split | None
    notices: tuple[str, ...]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits there are, by their purpose: train, validation, test."""
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
    reader = _RowReader(text, label, _find_classes(rows, column=label))
    train = reader.read("train", rows)
    _check_classes(train, reader.classes.names, column=label)
    notices = _notice_absent_classes(train, reader.classes.names)
    validation = _read_optional(source, VALIDATION_NAMES, reader=reader, notices=notices)
    test = _read_optional(source, ("test",), reader=reader, notices=notices)
    if validation is None:
        train, validation = hold_out(train, seed=seed)
        notices.append(f"no validation split: {len(validation):,} rows of train held out for it")
    if test is None:
        notices.append("no labelled test split: all figures are on validation rows")
    return LabelledData(
        source, text, label, reader.classes.names, train, validation, test, tuple(notices)
    )


def hold_out(train: Split, *, seed: int) -> tuple[Split, Split]:
    """Split rows off for validation, the same share of every class as near as rows allow.

    Neighbours in a file are often related, so rows are drawn in blocks of neighbours: a review of
    the same film left in train would make validation flatter.

    Returns:
        What remains of train, and the validation rows.
    """
    random = np.random.default_rng(seed)
    share = min(VALIDATION_SHARE, VALIDATION_LIMIT / len(train))
    classes = [np.flatnonzero(train.labels == label) for label in np.unique(train.labels)]
    held = [_draw_blocks(rows, share=share, random=random) for rows in classes]
    chosen = np.sort(np.concatenate(held))
    if len(chosen) == 0:
        raise DataError(
            f"no class has enough of the {len(train):,} rows of train to hold one in ten out for "
            "validation; add rows, or a split 'validation'"
        )
    rest = np.setdiff1d(np.arange(len(train)), chosen)
    name = f"train (held out, seed {seed})"
    return train.take(rest, name="train"), train.take(chosen, name=name)


def _draw_blocks(
    rows: NDArray[np.int64], *, share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return about `share` of the rows, in HELD_BLOCKS blocks of neighbours if there are enough."""
    blocks = np.array_split(rows, min(len(rows), math.ceil(HELD_BLOCKS / share)))
    drawn = random.permutation(len(blocks))[: round(share * len(blocks))]
    return np.concatenate([rows[:0], *(blocks[block] for block in drawn)])


@dataclass(frozen=True)
class _Classes:
    """Names of the classes, and the index of each value that the label column may hold."""

    names: tuple[str, ...]
    index: dict[Any, int]


def _find_classes(rows: Dataset, *, column: str) -> _Classes:
    feature = rows.features[column]
    if isinstance(feature, ClassLabel):
        return _Classes(tuple(feature.names), {i: i for i in range(feature.num_classes)})
    values = set()
    for row, value in enumerate(_read_column(rows, column, split="train")):
        if not _is_missing(value):
            _check_label(value, column=column, row=row)
            values.add(value)
    ordered = sorted(values, key=lambda value: (isinstance(value, str), value))
    return _Classes(tuple(map(_class_name, ordered)), {v: i for i, v in enumerate(ordered)})


def _check_label(value: Any, *, column: str, row: int) -> None:
    """Raise DataError unless a value can name a class."""
    if isinstance(value, list):
        raise DataError(
            f"column {column!r} holds lists: several labels per row, "
            "for which there is no training yet"
        )
    if isinstance(value, str | int) or (isinstance(value, float) and value.is_integer()):
        return
    raise DataError(
        f"column {column!r} holds {_shorten(value)} in row {row} (counted from 0) "
        "of split 'train'; a label is a name or an integer"
    )


def _class_name(value: str | int | float) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(int(value))


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == UNLABELLED or (isinstance(value, float) and math.isnan(value))


def _read_column(rows: Dataset, column: str, *, split: str) -> list[Any]:
    try:
        values: list[Any] = rows[column][:]
    except UnicodeDecodeError as error:
        raise DataError(
            f"column {column!r} of split {split!r} is not text in UTF-8 ({error})"
        ) from error
    return values


def _shorten(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 1] + "…"


@dataclass(frozen=True)
class _RowReader:
    """Reads splits whose columns and classes are known."""

    text_column: str
    label_column: str
    classes: _Classes

    def read(self, name: str, rows: Dataset) -> Split:
        """Return the texts and class indices of a split, or raise DataError."""
        if self.text_column not in rows.features:
            there_are = ", ".join(rows.features)
            raise DataError(
                f"split {name!r} has no column {self.text_column!r}; there are: {there_are}"
            )
        self._check_same_classes(name, rows)
        texts = _read_column(rows, self.text_column, split=name)
        labels = _read_column(rows, self.label_column, split=name)
        _refuse(name, texts, lambda text: not isinstance(text, str), self._describe_text)
        _refuse(name, labels, _is_missing, self._describe_missing)
        _refuse(name, labels, lambda label: label not in self.classes.index, self._describe_unknown)
        index = [self.classes.index[label] for label in labels]
        return Split(name, texts, np.array(index, np.int32))

    def is_unlabelled(self, name: str, rows: Dataset) -> bool:
        """Whether a split has no labels at all, as the test splits of competitions have not."""
        return self.label_column not in rows.features or all(
            map(_is_missing, _read_column(rows, self.label_column, split=name))
        )

    def _check_same_classes(self, name: str, rows: Dataset) -> None:
        """Raise DataError if a split numbers its classes otherwise than train does."""
        feature = rows.features[self.label_column]
        if isinstance(feature, ClassLabel) and tuple(feature.names) != self.classes.names:
            raise DataError(
                f"split {name!r} has the classes {_shorten(feature.names)}, "
                f"but train has {_shorten(list(self.classes.names))}"
            )

    def _describe_text(self, value: Any) -> str:
        found = "is missing" if value is None else f"is no text but {type(value).__name__}"
        return f"{self.text_column!r} {found}"

    def _describe_missing(self, value: Any) -> str:
        if value == UNLABELLED:
            return f"{self.label_column!r} is -1, which marks a row without a label"
        return f"{self.label_column!r} is missing"

    def _describe_unknown(self, value: Any) -> str:
        return f"{self.label_column!r} is {_shorten(value)}, a class that train does not have"


def _refuse(
    split: str,
    values: Sequence[Any],
    is_bad: Callable[[Any], bool],
    describe: Callable[[Any], str],
) -> None:
    """Raise DataError if any value is bad: how many are, and the first one's row and fault."""
    bad = [row for row, value in enumerate(values) if is_bad(value)]
    if bad:
        raise DataError(
            f"{len(bad):,} of {len(values):,} rows of split {split!r} cannot be used: "
            f"in row {bad[0]} (counted from 0) {describe(values[bad[0]])}"
        )


def _check_classes(train: Split, names: Sequence[str], *, column: str) -> None:
    counts = Counter(train.labels.tolist())
    if len(counts) < 2:
        only = names[next(iter(counts))]
        raise DataError(
            f"column {column!r}: all rows of train have the label {only!r}; "
            "two labels are needed at least"
        )
    if len(counts) > max(2, len(train) // 2):
        raise DataError(
            f"column {column!r} has {len(counts):,} different labels in {len(train):,} rows; "
            "name the right column with --label-column"
        )


def _notice_absent_classes(train: Split, names: Sequence[str]) -> list[str]:
    present = set(train.labels.tolist())
    absent = [name for index, name in enumerate(names) if index not in present]
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
                return reader.read(name, rows)
            notices.append(f"split {name!r} has no {reader.label_column!r} and is not used")
    return None
