"""Finds the text and the label column, if the choice is clear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from datasets import ClassLabel, Dataset, Json, List, Value

from training.data.halves import describe_half
from training.data.labels import class_names
from training.data.rows import Rows, TableRows, is_list
from training.errors import DataError
from training.reading import Reading

TEXT_NAMES = ("text", "sentence", "review", "content", "body", "message", "comment", "document")
LABEL_NAMES = (
    "label", "labels", "target", "class", "category", "sentiment", "emotion", "intent", "topic",
    "stars", "rating", "score", "y", "cats",
)  # fmt: skip
_STRINGS = ("string", "large_string", "string_view")
_MARKS = {"0", "1", "0.0", "1.0", "true", "false"}


@dataclass(frozen=True)
class JoinedRows:
    """Rows whose columns of 0 and 1, one for each label, are read as one column of lists.

    Args:
        rows: The rows.
        label_names: The columns.
    """

    rows: Rows
    label_names: tuple[str, ...]

    @property
    def label_column(self) -> str:
        """Name of the column of lists."""
        return ",".join(self.label_names)

    @cached_property
    def features(self) -> Mapping[str, Any]:
        """What each column holds."""
        return {**self.rows.features, self.label_column: List(Value("int64"))}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __getitem__(self, column: str) -> Sequence[Any]:
        """Return the values of a column; a row without any mark has None for its list."""
        if column != self.label_column:
            return self.rows[column]
        columns = [self.rows[name][:] for name in self.label_names]
        return [
            None if all(mark is None for mark in marks) else list(marks)
            for marks in zip(*columns, strict=True)
        ]


@dataclass(frozen=True)
class Chosen:
    """The columns of a dataset.

    Args:
        text: Column of the text.
        label: Column of the label.
        joined: Columns of 0 and 1 that are read as `label`; none where it is one column.
        notice: The choice that was made, in words; None for none.
    """

    text: str
    label: str
    joined: tuple[str, ...] = ()
    notice: str | None = None

    def view(self, rows: Rows) -> Rows:
        """Return rows with the label column."""
        there = all(name in rows.features for name in self.joined)
        return JoinedRows(rows, self.joined) if self.joined and there else rows


def choose_columns(rows: Rows, reading: Reading) -> Chosen:
    """Return the columns of text and label.

    Args:
        rows: The training split.
        reading: What the user names.

    Raises:
        DataError: A named column is missing, or the choice is not clear; lists the columns.
    """
    if reading.label_columns is not None:
        joined = _named_columns(rows, reading)
        others = {name: kind for name, kind in rows.features.items() if name not in joined}
        text = reading.text_column or find_text(others)
        return Chosen(text, ",".join(joined), joined)
    if reading.label_column is None and (joined := _find_marks(rows, text=reading.text_column)):
        (text,) = rows.features.keys() - set(joined)
        notice = f"labels: columns {', '.join(joined)}, each 0 or 1"
        return Chosen(text, ",".join(joined), joined, notice)
    text, label = find_columns(rows, text=reading.text_column, label=reading.label_column)
    _refuse_headless(rows, label)
    for name in (text, label):
        if (fault := describe_half(name)) is not None:
            raise DataError(f"the name of the column {name!r} {fault}")
    return Chosen(text, label)


def align_columns(rows: Rows, chosen: Chosen, *, split: str) -> tuple[Rows, str | None]:
    """Return the rows of another split with the columns of train, and what was renamed, in words.

    "Text" and "text " are the column "text" where no other is.
    """
    renamed: dict[str, str] = {}
    for name in (chosen.text, *(chosen.joined or (chosen.label,))):
        alike = [other for other in rows.features if _same(other) == _same(name)]
        if name not in alike and len(alike) == 1:
            renamed[alike[0]] = name
    if not renamed or not isinstance(rows, TableRows | Dataset):
        return rows, None
    read = ", ".join(f"{there!r} as {name!r}" for there, name in renamed.items())
    notice = f"split {split!r}: the names of columns differ from train, {read}"
    if isinstance(rows, Dataset):
        return rows.rename_columns(renamed), notice
    columns = {renamed.get(name, name): values for name, values in rows.columns.items()}
    return replace(rows, columns=columns), notice


def _same(name: str) -> str:
    return name.strip().casefold()


def find_columns(rows: Rows, *, text: str | None, label: str | None) -> tuple[str, str]:
    """Return the names of the text and of the label column.

    Args:
        rows: The training split.
        text: Name of the text column; None to find it.
        label: Name of the label column; None to find it.

    Raises:
        DataError: A named column is missing, or the choice is not clear; lists the columns.
    """
    features = rows.features
    for option, name in (("--text-column", text), ("--label-column", label)):
        if name is not None and name not in features:
            raise DataError(f"{option} {name!r}: no such column; {_list_columns(features)}")
    if text is not None and text == label:
        raise DataError(f"text and label column are both {text!r}; {_list_columns(features)}")
    if len(features) < 2:
        raise DataError(
            f"a text and a label column are needed; {_list_columns(features)} "
            "(fields are separated by commas in .csv, by tabs in .tsv; else name the --separator)"
        )
    label = label or _find_label(features, text=text)
    return text or find_text(features, label=label), label


def _named_columns(rows: Rows, reading: Reading) -> tuple[str, ...]:
    """Return the columns of 0 and 1 that the user names."""
    if reading.label_column is not None:
        raise DataError("--label-column and --label-columns exclude each other")
    names = tuple(name.strip() for name in (reading.label_columns or "").split(",") if name.strip())
    missing = [name for name in names if name not in rows.features]
    if missing or len(names) < 2:
        problem = f"no column {missing[0]!r}" if missing else "two columns are needed at least"
        raise DataError(f"--label-columns: {problem}; {_list_columns(rows.features)}")
    return names


def _find_marks(rows: Rows, *, text: str | None) -> tuple[str, ...]:
    """Return all columns but the text if each holds 0 and 1 alone, and no name says the label."""
    features = rows.features
    strings = [name for name in features if _is_text(features[name])]
    if len(features) < 3 or len(strings) != 1 or text not in (None, strings[0]):
        return ()
    others = tuple(name for name in features if name not in strings)
    if any(name.lower() in LABEL_NAMES for name in others):
        return ()
    return others if all(_holds_marks(rows, name) for name in others) else ()


def _holds_marks(rows: Rows, column: str) -> bool:
    if is_list(rows.features[column]) or class_names(rows.features[column]) is not None:
        return False
    return all(value is None or str(value).lower() in _MARKS for value in rows[column][:])


def _refuse_headless(rows: Rows, label: str) -> None:
    """Refuse a file without a header, whose first row would be lost."""
    if isinstance(rows, TableRows) and not rows.typed and label in rows[label]:
        raise DataError(
            f"the first line has no names of columns: {label!r} is also a label; "
            "add a line such as text,label at the top"
        )


def _find_label(features: Mapping[str, Any], *, text: str | None) -> str:
    others = [name for name in features if name != text]
    classes = [name for name in others if class_names(features[name]) is not None]
    named = [name for name in others if name.strip().lower() in LABEL_NAMES]
    choices = [classes, named]
    if len(features) <= 2:  # no third column could be meant
        not_text = [name for name in others if not _is_text(features[name])]
        not_named_text = [name for name in others if name.lower() not in TEXT_NAMES]
        choices += [others, not_text, not_named_text]
    for candidates in choices:
        if len(candidates) == 1:
            return candidates[0]
    raise DataError(
        f"which column is the label? name it with --label-column; {_list_columns(features)}"
    )


def find_text(features: Mapping[str, Any], *, label: str | None = None) -> str:
    """Return the name of the only column, other than `label`, that can be the text.

    Raises:
        DataError: The choice is not clear; lists the columns.
    """
    strings = [name for name in features if name != label and _is_text(features[name])]
    named = [name for name in features if name != label and name.strip().lower() in TEXT_NAMES]
    named_strings = [name for name in named if name in strings]
    # A column of another type with a usual name comes last; the reader then reports its bad rows.
    for candidates in (strings, named_strings, named):
        if len(candidates) == 1:
            return candidates[0]
    raise DataError(
        f"which column is the text? name it with --text-column; {_list_columns(features)}"
    )


def _is_text(feature: object) -> bool:
    return isinstance(feature, Value) and feature.dtype in _STRINGS


def _list_columns(features: Mapping[str, Any]) -> str:
    columns = ", ".join(f"{name} ({_type_name(feature)})" for name, feature in features.items())
    objects = [name for name, feature in features.items() if isinstance(feature, dict | Json)]
    hint = f"; a field in an object is named like {objects[0]}.text" if objects else ""
    return f"there are: {columns}{hint}"


def _type_name(feature: object) -> str:
    if is_list(feature):
        return f"lists of {_type_name(feature.feature)}"
    if isinstance(feature, ClassLabel):
        return f"{feature.num_classes} classes"
    if _is_text(feature):
        return "text"
    return str(feature.dtype) if isinstance(feature, Value) else type(feature).__name__
