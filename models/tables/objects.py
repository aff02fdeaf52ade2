"""Reads JSON: an object on each line, or whole files in the layouts that tools write.

Known are lists of objects, the layouts of `DataFrame.to_json`, objects under one key such as
"data", the examples of spaCy, and the tasks of Label Studio.
"""

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from models.tables.decoding import TextFile, find_half, is_byte
from models.tables.rows import Row, Table, TableError, Values

_SPACE = re.compile(r"[ \t\r\n]*")
EXAMPLE = '{"text": "…", "label": "…"}'


class _Objects(Table):
    """Objects, each with names of its own."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """See Table."""
        return tuple(dict.fromkeys(name for row in self.rows() for name in row.values))


class JsonLines(_Objects):
    """One JSON object per line."""

    unit = "line"

    def __init__(self, file: TextFile) -> None:
        super().__init__()
        self._file = file

    def rows(self) -> Iterator[Row]:
        """See Table."""
        for number, line in enumerate(self._file.lines(), start=1):
            if line.strip(" \t\r\n"):
                yield _parse_line(line, number)


class JsonDocument(_Objects):
    """One JSON value that holds all rows.

    Raises:
        TableError: It is no JSON, or has a layout that is not known.
    """

    def __init__(self, file: TextFile) -> None:
        super().__init__()
        try:
            values = _read_values(file.read())
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise TableError(f"{file.path}: {place} is not JSON: {error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise TableError(f"{file.path} {_describe_extreme(error)}") from error
        if len(values) > 1:
            self.notes.append(f"{file.path.name}: {len(values):,} JSON values follow each other")
        found = _find_rows(values[0]) if len(values) == 1 else _join_values(values)
        if found is None:
            raise TableError(
                f"{file.path}: line 1 holds no object such as {EXAMPLE}, and no list of them"
            )
        self._objects = found
        self.size = len(found)

    def rows(self) -> Iterator[Row]:
        """See Table."""
        for number, value in enumerate(self._objects, start=1):
            yield _make_row(value, number)


def open_json(file: TextFile, *, lines: bool) -> Table:
    """Return the table of a file of JSON; of a name such as .json it may hold lines too."""
    start = next((line for line in file.lines() if line.strip()), "").strip()
    if lines and not start.startswith("[") and start != "{":  # else over several lines
        return JsonLines(file)
    try:
        return JsonDocument(file)
    except TableError:
        if _is_object(start.removesuffix(",")):
            return JsonLines(file)
        raise


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_values(text: str) -> list[Any]:
    """Return the JSON values that follow each other in a text."""
    decoder, place = json.JSONDecoder(), 0
    values: list[Any] = []
    while place < len(text):
        place = _SPACE.match(text, place).end()  # type: ignore[union-attr]
        if place < len(text) or not values:
            value, place = decoder.raw_decode(text, place)
            values.append(value)
    return values


def _join_values(values: list[Any]) -> list[Any]:
    """Return the rows of values that follow each other: objects, or lists of them."""
    return [row for value in values for row in (value if isinstance(value, list) else [value])]


def _describe_extreme(error: Exception) -> str:
    """Return what is wrong with JSON that Python does not read."""
    deep = isinstance(error, RecursionError)
    return "holds lists in too many lists" if deep else "holds a number of thousands of digits"


def _parse_line(line: str, number: int) -> Row:
    half = find_half(line)
    if half is not None and is_byte(line[half]):
        return Row(number, {}, "not JSON: bytes that are not UTF-8")
    try:
        # A line of a list whose first bracket is missing ends in a comma.
        return _make_row(json.loads(line.rstrip().removesuffix(",")), number)
    except json.JSONDecodeError as error:
        return Row(number, {}, f"not JSON: {error.msg} in column {error.colno}")
    except (ValueError, RecursionError) as error:
        return Row(number, {}, _describe_extreme(error))


def _make_row(value: Any, number: int) -> Row:
    values = _as_values(value)
    if values is None:
        return Row(number, {}, f"no JSON object such as {EXAMPLE}")
    return Row(number, values)


def _find_rows(content: Any) -> list[Any] | None:
    """Return the rows in a JSON value; None where it has no known layout."""
    if isinstance(content, list):
        return content if any(map(_as_values, content)) or not content else None
    if not isinstance(content, dict) or not content:
        return None
    if {"columns", "data"} <= content.keys():
        return _read_split(content["columns"], content["data"])
    inner = next(iter(content.values()))
    if len(content) == 1 and isinstance(inner, dict) and all(map(_is_list, inner.values())):
        found = _find_examples(inner)  # of Rasa
    else:
        found = _find_examples(content)
    if found is not None:
        return found
    lists = list(filter(_is_list, content.values()))
    if len(lists) == len(content) and len(set(map(len, lists))) == 1:
        return [dict(zip(content, row, strict=True)) for row in zip(*lists, strict=True)]
    frame = all(isinstance(value, dict) and value for value in content.values())
    return _read_frame(content) if frame else [content]


def _read_split(columns: Any, data: Any) -> list[Any] | None:
    """Return the rows of a frame with orient="split"; what is no row of it stays as it is."""
    if not _is_list(data) or not _is_list(columns) or not all(map(_is_name, columns)):
        return None
    names = list(map(str, columns))
    rows = [
        dict(zip(names, row, strict=True)) if _is_list(row) and len(row) == len(names) else row
        for row in data
    ]
    return rows if any(map(_as_values, rows)) or not rows else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _find_examples(content: dict[str, Any]) -> list[Any] | None:
    """Return the only list of objects in an object, or the only one whose objects have texts."""
    lists = [value for value in content.values() if isinstance(value, list) and value]
    of_objects = [one for one in lists if all(isinstance(item, dict) for item in one)]
    with_texts = [one for one in of_objects if all("text" in item for item in one)]
    found = of_objects if len(of_objects) == 1 else with_texts
    return found[0] if len(found) == 1 else None


def _read_frame(content: dict[str, dict[str, Any]]) -> list[Any]:
    """Return the rows of a frame that is written by columns, or by rows."""
    outer, inner = list(content), list(next(iter(content.values())))
    by_rows = all(map(str.isdigit, outer)) and not all(map(str.isdigit, inner))
    if by_rows or (len(outer) > len(inner) and not all(map(str.isdigit, inner))):
        return list(content.values())
    return [{name: content[name].get(key) for name in outer} for key in inner]


def _as_values(value: Any) -> Values | None:
    """Return the values of one example by column; None where it is none."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):  # of spaCy
        return {"text": value[0], **value[1]} if isinstance(value[1], dict) else None
    if not isinstance(value, dict):
        return None
    if set(value) == {"row_idx", "row", "truncated_cells"} and isinstance(value["row"], dict):
        row: Values = value["row"]
        return row
    if isinstance(value.get("data"), dict) and isinstance(value.get("annotations"), list):
        choices = _read_choices(value["annotations"])
        return None if choices is None else {**value["data"], **choices}
    return value


def _read_choices(annotations: list[Any]) -> Values | None:
    """Return the choices of a task of Label Studio, by the names of their questions.

    None where its annotations are none of Label Studio.
    """
    kept = [one for one in annotations if isinstance(one, dict) and not one.get("was_cancelled")]
    chosen = next((one for one in kept if one.get("ground_truth")), kept[0] if kept else {})
    answers = chosen.get("result") or []
    if not isinstance(answers, list):
        return None
    choices: dict[str, Any] = {}
    for answer in answers:
        if not isinstance(answer, dict) or not isinstance(answer.get("from_name", ""), str):
            return None
        value = answer.get("value")
        if isinstance(value, dict) and "choices" in value:
            choices[answer.get("from_name", "label")] = value["choices"]
    return choices
