"""Reads the ways in which people write labels: one, a list, 0 or 1 for each, or by name."""

import ast
import json
import math
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from datasets import ClassLabel

from training.data.halves import describe_half
from training.data.rows import Rows, is_list
from training.errors import DataError
from training.targets import UNLABELLED

Shape = Literal["one", "list", "multi_hot", "by_name"]
LONGEST_SHOWN = 60  # characters of a value in an error


@dataclass(frozen=True)
class LabelFormat:
    """How a column writes labels.

    Args:
        shape: One label; a list; 0 or 1 for each label; or an object of 0 or 1 by label.
        names: Names of the classes where the column's type declares them, or of the places of
            "multi_hot"; None where values name themselves.
        declared: Whether values are numbers of `names`.
        several: Whether a row may have several labels.
        notice: The choice that was made, in words; None for none.
        separator: What stands between the labels of a text that holds several; None for one.
    """

    shape: Shape
    names: tuple[str, ...] | None = None
    declared: bool = False
    several: bool = False
    notice: str | None = None
    separator: str | None = None

    def read(self, values: Sequence[Any]) -> list[Any]:
        """Return the label of each row, or the list of its labels; None where there is none.

        A value that is not written so is returned as it is, for the reader to refuse.
        """
        return [self._read(value) for value in values]

    def _read(self, value: Any) -> Any:
        if self.shape == "one":
            return None if is_missing(value, declared=self.declared) else value
        value = _unfold(value)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if self.separator is not None and isinstance(value, str):
            items: list[Any] | None = _cut(value, self.separator)
            if not items:
                return None
        else:
            items = self._list_items(value)
        if items is None:
            return value
        return items if self.several else (items[0] if len(items) == 1 else items or None)

    def _list_items(self, value: Any) -> list[Any] | None:
        if self.shape == "by_name" and isinstance(value, dict):
            marks = list(map(_as_mark, value.values()))
            return None if None in marks else _chosen(list(value), marks)
        if not isinstance(value, list):
            return None
        if self.shape == "multi_hot" and self.names is not None:
            marks = list(map(_as_mark, value))
            if len(marks) != len(self.names) or None in marks:
                return None
            places = range(len(self.names)) if self.declared else self.names
            return _chosen(list(places), marks)
        return _given(value)


def find_format(
    rows: Rows,
    column: str,
    values: Sequence[Any],
    *,
    several: bool | None = None,
    separator: str | None = None,
) -> LabelFormat:
    """Return how a column writes labels.

    Args:
        rows: The rows that decide, those of train if there are any.
        column: The label column.
        values: What it holds, as it was read.
        several: Whether a row may have several labels; None to find out.
        separator: What stands between the labels of a text that holds several.

    Raises:
        DataError: The values are shares between 0 and 1, or the separator is in none of them.
    """
    if separator is not None:
        return _format_joined(values, column, separator=separator, several=several)
    feature, declared = rows.features[column], class_names(rows.features[column])
    places = getattr(rows, "label_names", None)
    if places is not None and column == getattr(rows, "label_column", None):
        return LabelFormat("multi_hot", places, several=True)
    values = [value for value in map(_unfold, values) if value is not None]
    if values and all(map(_is_marked, values)):
        return _format_objects(values, several=several)
    lists = [value for value in values if isinstance(value, list)]
    if not is_list(feature) and (not lists or len(lists) < len(values)):
        return LabelFormat("one", declared, declared=declared is not None)
    return _format_lists(lists, declared, column=column, several=several)


def class_names(feature: object) -> tuple[str, ...] | None:
    """Return the class names in the type of a label column; None where it has none."""
    inner = feature.feature if is_list(feature) else feature
    return tuple(inner.names) if isinstance(inner, ClassLabel) else None


def name_class(value: Any) -> str | None:
    """Return the name that a value gives to a class; None where it can name none.

    A text is the name as it stands, unless it is blank or holds half a character. Numbers and truth
    values are written as JSON does.
    """
    if isinstance(value, str):
        return value if value.strip() and describe_half(value) is None else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def order_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return class names in order: numbers by their size, then all others."""

    def key(name: str) -> tuple[bool, float, str]:
        number = _as_number(name)
        return (number is None, number or 0.0, name)

    return tuple(sorted(names, key=key))


def is_missing(value: Any, *, declared: bool) -> bool:
    """Whether a value of a single-label column is no label.

    Args:
        value: The value.
        declared: Whether the column's type declares classes; -1 is then no label at the Hub.
    """
    if isinstance(value, str):
        return not value.strip()
    if declared and value == UNLABELLED:
        return True
    return value is None or (isinstance(value, float) and math.isnan(value))


def shorten(value: Any) -> str:
    """Return a value in a short form for an error."""
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 1] + "…"


def same_name(name: str) -> str:
    """Return what is equal for names that differ only in case, spaces and invisible characters."""
    composed = unicodedata.normalize("NFKC", name)
    return " ".join(_visible(composed).split()).casefold()


def tidy(name: str) -> str:
    """Return a name without invisible characters and needless spaces."""
    return " ".join(_visible(unicodedata.normalize("NFC", name)).split())


def show_name(name: str, *, quoted: bool = False) -> str:
    """Return a name for people, in quotes and with its codes where they would not see it all."""
    if tidy(name) == name:
        return repr(name) if quoted else name
    return ascii(name) if _visible(name) != name or not name.isascii() else repr(name)


def _visible(text: str) -> str:
    return "".join(
        one for one in text if unicodedata.category(one) not in ("Cf", "Cc") or one in "\t\n"
    )


def _unfold(value: Any) -> Any:
    """Return a list or an object that stands in a text, or in an answer of Label Studio."""
    if isinstance(value, str) and value[:1] in "[{" and value.strip()[-1:] in "]}" and value:
        value = _parse(value)
    if isinstance(value, dict) and set(value) == {"choices"}:
        return value["choices"]
    return value


def _parse(text: str) -> Any:
    """Return what a text of JSON, or of Python, stands for; the text where it is neither."""
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list | dict):
            return found
    return text


def _is_marked(value: Any) -> bool:
    """Whether a value is an object of 0 or 1 by label."""
    return isinstance(value, dict) and None not in map(_as_mark, value.values())


def _format_objects(values: list[dict[str, Any]], *, several: bool | None) -> LabelFormat:
    names = tuple(dict.fromkeys(str(name) for value in values for name in value))
    one_each = all(sum(map(bool, map(_as_mark, value.values()))) == 1 for value in values)
    many = several if several is not None else not one_each
    kind = "any number of labels" if many else "one label"
    return LabelFormat("by_name", names, several=many, notice=f"labels: objects of {kind} by name")


def _format_joined(
    values: Sequence[Any], column: str, *, separator: str, several: bool | None
) -> LabelFormat:
    if not any(isinstance(value, str) and separator in value for value in values):
        if several:  # as a file to evaluate on may have it
            return LabelFormat("list", several=True, separator=separator)
        raise DataError(f"--split-labels {separator!r}: column {column!r} holds none")
    return LabelFormat("list", several=several is not False, separator=separator)


def _cut(text: str, separator: str) -> list[str]:
    """Return the labels in a text, each once."""
    parts = (part.strip() for part in text.split(separator))
    return list(dict.fromkeys(part for part in parts if part))


def _format_lists(
    lists: list[list[Any]], declared: tuple[str, ...] | None, *, column: str, several: bool | None
) -> LabelFormat:
    width = _find_width(lists, declared)
    if width is not None:
        names = declared or tuple(map(str, range(width)))
        notice = f"labels: each list of {column!r} holds 0 or 1 for {width} labels" + (
            "" if declared else f", named {names[0]} to {names[-1]} by their places"
        )
        return LabelFormat(
            "multi_hot", names, declared=declared is not None, several=True, notice=notice
        )
    _refuse_shares(lists, column=column)
    if declared is None and not several and (held := _describe_ones(lists)):
        return LabelFormat("list", notice=f"labels: every list of {column!r} holds {held}")
    return LabelFormat("list", declared, declared=declared is not None, several=True)


def _describe_ones(lists: list[list[Any]]) -> str | None:
    """Return what lists of one label each hold, in words; None where they hold several."""
    given = [_given(one) for one in lists]
    sizes = set(map(len, given))
    if sizes == {1}:
        return "exactly one"
    # A single label that applies or does not is none of several that exclude each other.
    names = {repr(one[0]) for one in given if one}
    if sizes == {0, 1} and len(names) > 1:
        return "one at most, so an empty one is no label"
    return None


def _given(items: list[Any]) -> list[Any]:
    """Return the labels of a list; a blank text in it is none."""
    return [item for item in items if not isinstance(item, str) or item.strip()]


def _find_width(lists: list[list[Any]], declared: tuple[str, ...] | None) -> int | None:
    """Return the number of places of lists that hold 0 or 1 for each label; None for others."""
    widths = set(map(len, lists))
    if len(widths) != 1 or (width := widths.pop()) < 2:
        return None
    if any(isinstance(item, str) or _as_mark(item) is None for one in lists for item in one):
        return None
    if declared is None:
        return width
    # Numbers of classes, where they are declared, do not stand twice in a list.
    repeated = any(len(set(one)) < len(one) for one in lists)
    return width if repeated and width == len(declared) else None


def _refuse_shares(lists: list[list[Any]], *, column: str) -> None:
    items = [item for one in lists for item in one]
    shares = [item for item in items if isinstance(item, float) and 0 < item < 1]
    if shares and all(isinstance(item, int | float) and 0 <= item <= 1 for item in items):
        raise DataError(
            f"column {column!r} holds shares such as {shares[0]}; a label applies or does not, "
            "so write 1 or 0"
        )


def _as_mark(value: Any) -> bool | None:
    """Return whether a mark says that a label applies; None where it is no mark."""
    if isinstance(value, str):
        return {"0": False, "1": True, "false": False, "true": True, "0.0": False, "1.0": True}.get(
            value.strip().lower()
        )
    return bool(value) if isinstance(value, Hashable) and value in (0, 1) else None


def _chosen(names: list[Any], marks: list[bool | None]) -> list[Any]:
    return [name for name, mark in zip(names, marks, strict=True) if mark]


def _as_number(name: str) -> float | None:
    try:
        number = float(name)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
