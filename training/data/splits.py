"""Turns the rows of a dataset into texts with targets, or reports unusable rows."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.metadata import Task
from training.data.classes import Classes, describe_joined, find_classes
from training.data.columns import align_columns, choose_columns
from training.data.drawing import Drawing, group_families
from training.data.labels import LabelFormat, find_format
from training.data.nesting import find_nesting
from training.data.row_reader import (
    RowReader,
    note_unreadable,
    read_column,
    refuse_unreadable,
)
from training.data.rows import Rows, is_list
from training.data.scarce import draw_scarce
from training.data.sources import Source
from training.data.split_files import VALIDATION_NAMES
from training.data.words import find_key
from training.errors import DataError
from training.reading import Reading
from training.targets import Targets, count_classes

VALIDATION_SHARE = 0.1  # of train, where the dataset has no validation split
VALIDATION_LIMIT = 5_000  # rows held out, about
EXCESS = 1.1  # times that share at most, where rows stay together
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

    def find_own(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the places of those texts that are in no split, whatever stands between words."""
        own = [place for place, text in enumerate(texts) if find_key(text) not in self._keys]
        return np.array(own, np.int64)

    @cached_property
    def _keys(self) -> frozenset[str]:
        """The keys of all texts of the splits."""
        return frozenset(find_key(text) for split in self.splits.values() for text in split.texts)

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
        refuse_unreadable("train", rows)
        raise DataError("split 'train' has no rows")
    chosen = choose_columns(rows, reading)
    rows = chosen.view(rows)
    values = read_column(rows, chosen.label, split="train")
    form = find_format(rows, chosen.label, values, separator=reading.split_labels)
    classes = find_classes(form, form.read(values), column=chosen.label, reading=reading)
    joined = None if form.several else describe_joined(classes.names)
    notices = [notice for notice in (chosen.notice, form.notice, joined) if notice]
    reader = RowReader(
        chosen,
        form,
        classes,
        listed=is_list(rows.features[chosen.label]),
        skip=reading.skip_unusable,
        notices=notices,
    )
    train = _read(reader, "train", rows)
    _check_classes(train, classes.names, column=chosen.label)
    notices += _notice_absent_classes(train, classes.names)
    validation = _read_optional(source, VALIDATION_NAMES, reader=reader, needed=True)
    test = _read_optional(source, ("test",), reader=reader, needed=False)
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
    values = read_column(rows, chosen.label, split=name)
    form = find_format(rows, chosen.label, values, several=several, separator=reading.split_labels)
    notices = [notice for notice in (chosen.notice, form.notice) if notice]
    reader = RowReader(
        chosen,
        form,
        find(form, chosen.label),
        strange,
        skip=reading.skip_unusable,
        notices=notices,
    )
    return _read(reader, name, rows), notices


def hold_out(train: Split, *, families: NDArray[np.int64], seed: int) -> tuple[Split, Split]:
    """Split off rows for validation, about the same share of every class.

    Neighbours in a file are often related, such as reviews of one film. Related rows in train would
    flatter validation, so rows are drawn in blocks of neighbours. Classes of a few rows are drawn
    from together, see `draw_scarce`, where the others give too little. A family stays in train if
    it is too large, or has the last rows of a class.

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
    drawing = Drawing(train.labels)
    fits = _hold_families(drawing, families, heads=np.concatenate(drawn), share=share)
    scarce = [rows for rows, found in zip(classes, drawn, strict=True) if not len(found)]
    if (scarce or not fits) and drawing.count < SCARCE * share * len(train):
        if fits:
            pool = np.isin(families, np.concatenate(scarce))
            wanted = share * np.count_nonzero(pool)
        else:  # others take the place of what stays
            pool, wanted = ~drawing.held, share * len(train) - drawing.count
        draw_scarce(drawing, families, pool=pool, wanted=max(1, round(wanted)), random=random)
    held = drawing.held
    if not held.any():
        raise DataError(
            f"the {len(train):,} rows of train are too few to hold any out for validation: each is "
            "the last one of a class, or nested with such a row; add rows, or a split 'validation'"
        )
    rest, chosen = np.flatnonzero(~held), np.flatnonzero(held)
    name = f"train (held out, seed {seed})"
    return train.take(rest, name="train"), train.take(chosen, name=name)


def _hold_families(
    drawing: Drawing, families: NDArray[np.int64], *, heads: NDArray[np.int64], share: float
) -> bool:
    """Hold out the families of these rows, the smallest first; return whether all could be."""
    most = EXCESS * share * len(families)
    whole = True
    for rows in sorted(group_families(families, pool=np.isin(families, heads)), key=len):
        fits = len(rows) == 1 or drawing.count + len(rows) <= most
        whole &= fits and drawing.hold(rows)
    return whole


def _draw_blocks(
    rows: NDArray[np.int64], *, share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return about `share` of the rows in blocks of neighbours, HELD_BLOCKS if rows suffice.

    Returns none where `share` of them is less than half a row.
    """
    blocks = np.array_split(rows, min(len(rows), math.ceil(HELD_BLOCKS / share)))
    drawn = random.permutation(len(blocks))[: round(share * len(blocks))]
    return np.concatenate([rows[:0], *(blocks[block] for block in drawn)])


def _read(reader: RowReader, name: str, rows: Rows) -> Split:
    texts, labels, numbers = reader.read(name, rows)
    return Split(name, texts, labels, numbers, np.ones(len(texts), bool))


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
    source: Source, names: Sequence[str], *, reader: RowReader, needed: bool
) -> Split | None:
    """Return the first labelled split of these names; None where there is none.

    Raises:
        DataError: None of its rows can be used, and it is `needed` if it is there.
    """
    for name in names:
        if name not in source.splits:
            continue
        rows = source.splits[name]
        if len(rows) > 0:
            rows, notice = align_columns(rows, reader.columns, split=name)
            reader.notices.extend([notice] if notice else [])
            if reader.is_unlabelled(name, rows):
                reader.notices.append(_describe_unlabelled(name, rows, reader))
                continue
            reader.check_same_classes(name, rows)
            split = _read(reader, name, rows)
            if len(split) > 0:
                return split
        elif unreadable := note_unreadable(name, rows, skip=reader.skip):
            reader.notices.extend(unreadable)
        else:
            continue
        if needed:
            raise DataError(f"split {name!r} has no row that can be used: {reader.notices[-1]}")
        reader.notices.append(f"split {name!r} has no row that can be used, and counts as absent")
    return None


def _describe_unlabelled(name: str, rows: Rows, reader: RowReader) -> str:
    notice = f"split {name!r} has no {reader.columns.label!r} and is not used"
    if reader.columns.label not in reader.columns.view(rows).features:
        notice += f"; there are: {', '.join(rows.features)}"
    return notice
