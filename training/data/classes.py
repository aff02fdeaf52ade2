"""Finds the classes of a label column, and turns its values into targets."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from models.metadata import Task
from training.data.halves import describe_half
from training.data.labels import (
    LabelFormat,
    name_class,
    order_names,
    same_name,
    shorten,
    tidy,
)
from training.errors import DataError
from training.reading import Reading
from training.targets import Targets

JOINTS = ("|", ";", "#", ",", "/", "+", "&")  # characters that people write between labels
FEWEST_JOINED = 2  # labels whose parts are mostly labels too


@dataclass(frozen=True)
class Classes:
    """The classes of a dataset, and which of them a value means.

    With several labels per row, the values are the entries of the column's lists.

    Args:
        task: Whether a row has one label or any number.
        names: Names of the classes.
        numbers: Class of each value of a column whose type declares classes; None for others,
            whose values are names.
        merged: The name that stands for all names that differ little, by what they share; None
            where they differ.
    """

    task: Task
    names: tuple[str, ...]
    numbers: Mapping[int, int] | None = None
    merged: Mapping[str, str] | None = field(default=None, compare=False)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def _by_value(self) -> dict[str, int]:
        """Class by what a name stands for: "True" is "true", and "1.0" is "1"."""
        return self._index_by_value(self.names)

    @cached_property
    def _by_plain_value(self) -> dict[str, int]:
        """The same of the names that a program would write: "01" stands for itself alone."""
        return self._index_by_value(filter(_is_plain, self.names))

    def _index_by_value(self, names: Iterable[str]) -> dict[str, int]:
        """Return the place of each of the names whose value no other one has."""
        by_value: dict[str, list[str]] = {}
        for name in names:
            by_value.setdefault(_stands_for(name), []).append(name)
        return {value: self._index[alike[0]] for value, alike in by_value.items() if not alike[1:]}

    def knows(self, value: Any) -> bool:
        """Whether a label, or all in a list, are known classes."""
        if self.task == "single_label":
            return self.place(value) is not None
        return isinstance(value, list) and all(self.place(item) is not None for item in value)

    def place(self, value: Any) -> int | None:
        """Return the index of the class that a value means; None where it means none."""
        if self.numbers is not None:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return self.numbers.get(int(value)) if is_number and value == int(value) else None
        name = name_class(value)
        if name is None:
            return None
        if self.merged is not None:
            name = self.merged.get(same_name(name), name)
        if (place := self._index.get(name)) is not None:
            return place
        if isinstance(value, str):  # "01", "1e0" and "1" are three labels in a file of text
            return self._by_plain_value.get(_stands_for(name)) if _is_plain(name) else None
        return self._by_value.get(_stands_for(name))

    def encode(self, values: Sequence[Any]) -> Targets:
        """Return the targets of known values."""
        if self.task == "single_label":
            return np.array([self.place(value) for value in values], np.int32)
        targets = np.zeros((len(values), len(self.names)), np.int32)
        for row, value in enumerate(values):
            targets[row, [self.place(item) for item in value]] = 1
        return targets


def find_classes(
    form: LabelFormat, values: Iterable[Any], *, column: str, reading: Reading
) -> Classes:
    """Return the classes of a label column: from its type, or else from its values in train.

    Args:
        form: How the column writes labels.
        values: The labels as `form` reads them.
        column: Name of the column, for an error.
        reading: Whether names that differ little are one, and bad values are left out.

    Raises:
        DataError: A value cannot name a class.
    """
    task: Task = "multi_label" if form.several else "single_label"
    for name in form.names or ():
        if (fault := describe_half(name)) is not None:
            raise DataError(f"column {column!r}: the label {name!r} {fault}")
    if form.declared and form.names is not None:
        return Classes(task, form.names, {place: place for place in range(len(form.names))})
    counts: Counter[str] = Counter()
    for row, value in enumerate(values):
        items = value if form.several and isinstance(value, list) else [value]
        for item in [] if value is None else items:
            name = name_class(item)
            if name is not None:
                counts[name] += 1
            elif not reading.skip_unusable and not _is_half(item):  # which the reader refuses
                raise DataError(
                    f"column {column!r} holds {shorten(item)} in row {row} (counted from 0) "
                    "of split 'train'; a label is a name or a number"
                )
    if form.names is not None and not reading.clean_labels:
        return Classes(task, form.names)
    merged = merge_names(counts) if reading.clean_labels else None
    names = {merged[same_name(name)] for name in counts} if merged else set(counts)
    return Classes(task, order_names(names), merged=merged)


def merge_names(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the most frequent spelling of the names that differ little, by what they share."""
    spellings: Counter[str] = Counter()
    for name, count in counts.items():
        spellings[tidy(name)] += count
    merged: dict[str, str] = {}
    for spelling, _ in sorted(spellings.items(), key=lambda item: (-item[1], item[0])):
        merged.setdefault(same_name(spelling), spelling)
    return merged


def find_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the groups of names that differ only in case, spaces and invisible characters."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(same_name(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def describe_joined(names: Iterable[str]) -> str | None:
    """Return in words that names look like several labels in one text; None if they do not."""
    names = set(names)
    for separator in JOINTS:
        joined = sorted(name for name in names if separator in name)
        parts = [{part.strip() for part in name.split(separator)} for name in joined]
        uses = Counter(part for found in parts for part in found)
        known = uses.keys() & names
        if len(joined) >= FEWEST_JOINED and 2 * len(known) >= len(uses):
            return (
                f"{len(joined):,} labels such as {joined[0]!r} look like several in one text; "
                f"--split-labels {separator!r} reads them so"
            )
    return None


def _is_half(value: Any) -> bool:
    """Whether a value is a text that holds half a character."""
    return isinstance(value, str) and describe_half(value) is not None


def _is_plain(name: str) -> bool:
    """Whether a text is how a program writes a number or a truth value, such as 1.0 or TRUE."""
    if name.lower() in ("true", "false"):
        return True
    try:
        return name in (repr(float(name)), name_class(float(name)))
    except ValueError:
        return False


def _stands_for(name: str) -> str:
    """Return a name as JSON writes its value, if it is a number or a truth value."""
    if name.lower() in ("true", "false"):
        return name.lower()
    try:
        number = float(name)
    except ValueError:
        return name
    return name_class(number) or name
