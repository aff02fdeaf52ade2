"""Reads CSV and its kin: fields between commas, tabs, semicolons or bars, under a header.

A value is the text that stands in the file. The whole file is read once beforehand, to learn where
its quotes are characters like others.
"""

import csv
import itertools
import re
from collections.abc import Iterator

from models.tables.decoding import TextFile
from models.tables.evidence import Evidence
from models.tables.quoting import (
    Fields,
    Record,
    fits,
    quotes_are_letters,
    read_plain,
    read_records,
    split,
)
from models.tables.rows import (
    EMPTY,
    REPEATED,
    Row,
    Table,
    TableError,
    describe_repeated,
    list_places,
    name_apart,
)

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
SAMPLE = 200  # lines that tell the separator
FURTHER = "a quoted text holds what looks like further rows"
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)  # as Excel writes it


class Delimited(Table):
    """A table of delimited fields.

    Args:
        file: The file.
        usual: The separator that the kind of file says.
        separator: The separator; None to find it.

    Raises:
        TableError: The file has no header.
    """

    unit = "line"
    typed = False

    columns: tuple[str, ...] = ()

    def __init__(self, file: TextFile, *, usual: str = ",", separator: str | None = None) -> None:
        super().__init__()
        self._file = file
        head = list(itertools.islice(file.lines(), SAMPLE))
        declared = _SEPARATOR_LINE.fullmatch(head[0]) if head else None
        self._skipped = int(declared is not None)
        named = separator or (declared[1] if declared else None)
        self.separator = named or _find_separator(head, usual=usual)
        if self.separator != usual and separator is None:
            name = SEPARATORS.get(self.separator, repr(self.separator))
            self.notes.append(f"{file.path.name}: fields are separated by a {name}")
        self._first, self._names = self._read_header()
        self.columns = name_apart(self._names)
        if repeated := describe_repeated(self._names):
            self.notes.append(f"{file.path.name}: {repeated}")
        self._plain = False  # whether all quotes are characters
        self._as_written: set[int] = set()  # lines whose quotes are characters
        self._doubtful: set[int] = set()
        self._scan()

    def rows(self) -> Iterator[Row]:
        """See Table."""
        width = len(self.columns)
        for record in self._records():
            fields = record.fields
            fault = record.fault or (FURTHER if record.line in self._doubtful else None)
            if fault is None and not any(map(str.strip, fields)):
                fault = EMPTY
            elif fault is None and width > 1 and fields == self._names:
                fault = REPEATED  # another file was joined to the first
            if len(fields) < width:
                fields = fields + [""] * (width - len(fields))
            yield Row(record.line, dict(zip(self.columns, fields, strict=True)), fault)

    def _body(self) -> Iterator[str]:
        """Yield the lines behind the header that are not blank."""
        lines = itertools.islice(self._file.lines(), self._first, None)
        return (line for line in lines if line.strip("\r\n"))

    def _records(self) -> Iterator[Record]:
        lines = itertools.islice(self._file.lines(), self._first, None)
        width = len(self.columns)
        if self._plain:
            return read_plain(lines, separator=self.separator, width=width, before=self._first)
        return read_records(
            lines,
            separator=self.separator,
            width=width,
            as_written=self._as_written.__contains__,
            before=self._first,
        )

    def _read_header(self) -> tuple[int, Fields]:
        """Return the number of lines up to the end of the header, and its fields."""
        lines = itertools.islice(self._file.lines(), self._skipped, None)
        found = next(
            read_records(lines, separator=self.separator, width=None, before=self._skipped), None
        )
        if found is None:
            raise TableError(f"{self._file.path} has no header with the names of the columns")
        fields = found.fields
        if any(name[:2] == ' "' for name in fields):  # `"text", "label"`
            fields = [name.strip().strip('"') for name in fields]
        return found.line + max(len(found.lines), 1) - 1, fields

    def _scan(self) -> None:
        """Learn which lines are to be read as they are written, and which are in doubt."""
        seen = Evidence(separator=self.separator, width=len(self.columns))
        size = 0
        for record in self._records():
            size += 1
            seen.add(record)
        self.size = size
        self._refuse_misplaced_header(size, fitting=seen.fitting)
        name = self._file.path.name
        if self.separator == "\t" and self._are_letters(seen):
            self._plain = True
            self.notes.append(f"{name}: quotes do not balance and are read as characters")
            return
        swallowed = [line for line, lines in seen.spanning.items() if seen.are_rows(lines)]
        for line in swallowed:
            self._as_written |= set(range(line, line + len(seen.spanning[line])))
        if mended := sorted({*seen.mended, *swallowed}):
            self.notes.append(
                f"{name}: quotes do not balance and are read as characters in "
                f"{list_places(mended, unit=self.unit)}"
            )
        self._doubtful = seen.find_doubtful() - self._as_written

    def _refuse_misplaced_header(self, size: int, *, fitting: int) -> None:
        """Refuse a single name that fits no row, such as a title above the names of the columns."""
        if size > 1 and fitting == 0 and len(self._names) == 1:
            raise TableError(
                f"{self._file.path}: all rows have more fields than line {self._first}, "
                f"{self._names[0]!r:.60}; delete what stands above the names of the columns, or "
                "name the --separator"
            )

    def _are_letters(self, seen: Evidence) -> bool:
        """Whether all quotes of tab-separated text are characters."""
        swallowing = any(map(seen.are_rows, seen.spanning.values()))
        width = len(self.columns)
        if not all(fits(line, self.separator, width) for line in self._body()):
            return False
        if seen.mended or swallowing:
            return True
        # A text of several lines shows that the quotes are those of a writer.
        return not seen.has_spanning and quotes_are_letters(self._body(), width=width)


def _find_separator(lines: list[str], *, usual: str) -> str:
    """Return the separator of a header and its rows: the usual one unless another fits better."""
    lines = [line for line in lines if line.strip()]
    if not lines:
        return usual
    scores = {separator: _fitting(lines, separator) for separator in (usual, *SEPARATORS)}
    if scores[usual] >= 0.5:
        return usual
    best = max(scores, key=lambda separator: scores[separator])
    return best if scores[best] >= 0.6 else usual


def _fitting(lines: list[str], separator: str) -> float:
    """Return the share of records that are as wide as a header of several names; 0 for one."""
    try:
        records = list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        records = [split(line, separator) for line in lines]
    width = len(records[0])
    if width < 2 or not all(name.strip() for name in records[0][1:]):
        return 0.0
    return sum(len(record) == width for record in records) / len(records)
