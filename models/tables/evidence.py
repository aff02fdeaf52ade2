"""Gathers what the records of a file tell about its quotes.

A quote that is meant as a character joins rows to one record. The record is told from a text of
several lines by its values: rows have a label, or another value, that other rows have too.
"""

from dataclasses import dataclass, field

from models.tables.quoting import Fields, Record, fits, split

MOST_VALUES = 5_000  # different values of a column that is no free text
LONGEST_VALUE = 200  # characters of such a value


@dataclass
class Evidence:
    """What the records of a file tell about its quotes.

    Args:
        separator: Character between two fields.
        width: Number of columns.
        mended: Lines whose quotes could not be read as the others are.
        spanning: The lines of records of several, where each is as wide as the header.
        ends: What stands at the ends and at the starts of the lines of other such records.
        has_spanning: Whether there is any record of several lines.
        fitting: Number of records that are as wide as the header.
        values: The different values of each column, up to a number.
    """

    separator: str
    width: int
    mended: list[int] = field(default_factory=list)
    spanning: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ends: dict[int, tuple[Fields, Fields]] = field(default_factory=dict)
    has_spanning: bool = False
    fitting: int = 0
    values: list[set[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.values = [set() for _ in range(self.width)]

    def add(self, record: Record) -> None:
        """Note a record."""
        if record.mended:
            self.mended.append(record.line)
        if record.fault is not None:
            return
        self.fitting += 1
        if record.lines:
            self.has_spanning = True
            self._add_lines(record)
        for known, value in zip(self.values, record.fields, strict=True):
            if len(known) < MOST_VALUES and len(value) <= LONGEST_VALUE:
                known.add(value)

    def _add_lines(self, record: Record) -> None:
        """Note a record of several lines, if these could be rows or parts of rows."""
        lines, mark = record.lines, self.separator
        if all(fits(line, mark, self.width) for line in lines):
            self.spanning[record.line] = lines
        ends = [line.rstrip("\r\n").rpartition(mark) for line in lines[:-1]]
        starts = [line.partition(mark) for line in lines[1:]]
        found = (
            [behind if parted else "" for _, parted, behind in ends],
            [before if parted else "" for before, parted, _ in starts],
        )
        if any(map(_could_be_values, found)):
            self.ends[record.line] = found

    def are_rows(self, lines: tuple[str, ...]) -> bool:
        """Whether lines that are as wide as the header are rows as others are.

        In one column all must have a value that other rows have too, such as their label.
        """
        columns = zip(*(split(line, self.separator) for line in lines), strict=True)
        return any(
            len(known) < MOST_VALUES and all(value.strip() and value in known for value in values)
            for known, values in zip(self.values, columns, strict=True)
        )

    def find_doubtful(self) -> set[int]:
        """Return the lines of records half of whose lines have a row's first or last value."""
        if self.width < 2:
            return set()
        sides = (self.values[-1], self.values[0])
        return {line for line, parts in self.ends.items() if any(map(_mostly, parts, sides))}


def _could_be_values(found: Fields) -> bool:
    """Whether at least half are short, and there at all; others need not be kept."""
    return 2 * sum(0 < len(value) <= LONGEST_VALUE for value in found) >= len(found)


def _mostly(found: Fields, known: set[str]) -> bool:
    """Whether at least half are values that are known."""
    if not 0 < len(known) < MOST_VALUES:
        return False
    like = sum(bool(value) and value in known for value in found)
    return like * 2 >= len(found)
