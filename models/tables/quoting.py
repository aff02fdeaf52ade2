"""Cuts lines into records of quoted fields, and mends the lines whose quotes are astray.

A quote that opens a field and is meant as a character makes a reader of CSV swallow all lines up
to the next quote. So a record of several lines is compared with its lines read one by one.
"""

import csv
import operator
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

_NEEDED = re.compile(r'["\t\r\n]')
_NUMBER = re.compile(r"[-+]?[\d.]+")
_RETURN = "\ufdd0"  # which is no character, so no text holds it
LONGEST_RECORD = 20_000  # lines; a quote that is open for longer is astray
Fields = list[str]


@dataclass(frozen=True, slots=True)
class Record:
    """Fields that belong together.

    Args:
        line: Number of its first line.
        fields: Its fields; as many as could be read where it has a fault.
        fault: Why it is not as wide as the header; None if it is.
        lines: Its lines, where there are several.
        mended: Whether its quotes could not be read as the others are.
    """

    line: int
    fields: Fields
    fault: str | None = None
    lines: tuple[str, ...] = ()
    mended: bool = False


class _Feed(Iterator[str]):
    """Hands lines to the reader of CSV, and remembers those of the current record."""

    def __init__(self, lines: Iterable[str], *, before: int) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()
        self.number = before
        self.taken: list[str] = []

    def __next__(self) -> str:
        if len(self.taken) >= LONGEST_RECORD:
            raise csv.Error("too many lines")
        line = self._back.popleft() if self._back else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return _hide_returns(line)

    def retract(self) -> str:
        """Give all lines of the record back but the first; return that."""
        first, *others = self.taken
        self._back.extendleft(reversed(others))
        self.number -= len(others)
        return first


def read_records(
    lines: Iterable[str],
    *,
    separator: str,
    width: int | None,
    as_written: Callable[[int], bool] = lambda _line: False,
    before: int = 0,
) -> Iterator[Record]:
    """Yield the records of lines; lines without anything in them are none.

    Args:
        lines: The lines, with their ends.
        separator: Character between two fields.
        width: Fields of each record; None to take any number.
        as_written: Whether the quotes of a line, given by its number, are characters like others.
        before: Lines before the first.
    """
    csv.field_size_limit(sys.maxsize)
    feed = _Feed(lines, before=before)
    start = partial(csv.reader, feed, delimiter=separator, strict=True)
    reader = start()
    while True:
        feed.taken.clear()
        try:
            fields: Fields | None = _show_returns(next(reader))
        except StopIteration:
            return
        except csv.Error:
            fields = None
        if fields == []:
            continue
        line = feed.number - len(feed.taken) + 1
        fitting = fields is not None and (width is None or len(fields) == width)
        if fields is not None and fitting and not as_written(line):
            yield Record(line, fields, lines=tuple(feed.taken) if len(feed.taken) > 1 else ())
            continue
        if as_written(line):
            yield _fit(Record(line, split(feed.retract(), separator), mended=True), width)
        elif fields is not None and (len(feed.taken) > 1 or '"' not in feed.taken[0]):
            yield _read_wide(fields, line, feed, separator=separator, width=width)
        else:
            yield _mend(feed.retract(), line, separator=separator, width=width)
        reader = start()  # which has forgotten the lines that were given back


def _hide_returns(line: str) -> str:
    """Return a line whose carriage returns, but for its end, are no ends of lines to `csv`."""
    if "\r" not in line:
        return line
    body = line.rstrip("\r\n")
    return body.replace("\r", _RETURN) + line[len(body) :]


def _show_returns(fields: Fields) -> Fields:
    return [field.replace(_RETURN, "\r") for field in fields]


def split(line: str, separator: str) -> Fields:
    """Return the fields of a line whose quotes are characters like others."""
    return line.rstrip("\r\n").split(separator)


def fits(line: str, separator: str, width: int) -> bool:
    """Whether a line has as many fields as the header if its quotes are characters."""
    return line.count(separator) == width - 1


def _read_wide(
    fields: Fields, line: int, feed: _Feed, *, separator: str, width: int | None
) -> Record:
    """Return a well-formed record that is not as wide as the header."""
    if width is not None and len(feed.taken) > 1:
        if all(fits(one, separator, width) for one in feed.taken):
            return Record(line, split(feed.retract(), separator), mended=True)
        return _fit(Record(line, fields, lines=tuple(feed.taken)), width)
    return _fit(Record(line, fields), width)


def _fit(record: Record, width: int | None) -> Record:
    """Return a record with surplus empty fields cut off, or with its fault."""
    fields = record.fields
    if width is None or len(fields) == width:
        return record
    surplus = len(fields) > width and not any(field.strip() for field in fields[width:])
    fault = None if surplus else f"{len(fields)} fields, where the header has {width}"
    return replace(record, fields=fields[:width], fault=fault)


def _mend(first: str, line: int, *, separator: str, width: int | None) -> Record:
    """Return the record of a line whose quotes do not balance."""
    ways: dict[str, dict[str, Any]] = {
        f'{separator} "': {"skipinitialspace": True},
        r"\"": {"escapechar": "\\", "doublequote": False},
    }
    for trace, way in ways.items():
        read = _read_line(first, line, separator=separator, way=way) if trace in first else None
        found = _fit(read, width) if read is not None and width is not None else None
        if found is not None and found.fault is None:
            return found
    found = _fit(Record(line, split(first, separator), mended=True), width)
    if found.fault is None:
        return found
    return Record(line, found.fields, f"its quotes do not balance, and it has {found.fault}")


def _read_line(first: str, line: int, *, separator: str, way: dict[str, Any]) -> Record | None:
    try:
        (fields,) = csv.reader([_hide_returns(first)], delimiter=separator, strict=True, **way)
    except (csv.Error, ValueError):
        return None
    return Record(line, _show_returns(fields))


def read_plain(
    lines: Iterable[str], *, separator: str, width: int, before: int = 0
) -> Iterator[Record]:
    """Yield each line that is not blank as a record, its quotes characters like others."""
    for number, line in enumerate(lines, start=before + 1):
        if line.strip("\r\n"):
            yield _fit(Record(number, split(line, separator)), width)


def quotes_are_letters(lines: Iterable[str], *, width: int) -> bool:
    """Whether tab-separated lines have quotes that no writer of quoted fields would set.

    Such a writer sets quotes around all texts of a column, or around those alone that need it.
    """
    plain, needless = [False] * width, [False] * width
    for line in lines:
        fields = split(line, "\t")
        if len(fields) != width:
            return False
        for column, field in enumerate(fields):
            if len(field) > 1 and field[0] == field[-1] == '"':
                needless[column] |= not _NEEDED.search(field[1:-1])
            elif field and not _NUMBER.fullmatch(field):
                plain[column] = True
    return any(map(operator.and_, plain, needless))
