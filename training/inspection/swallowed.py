"""Finds texts that hold further rows, which a stray quote made part of them."""

from training.inspection.findings import Place
from training.inspection.table import Table

SEPARATORS = ",\t;|"


def find_swallowed(table: Table) -> tuple[Place, ...]:
    """Return the rows whose text has a line that begins or ends like a row of a file.

    Such a line has the name of a class at its end or its start, beside a separator.
    """
    names = {name for name in table.classes if name.strip()}
    return tuple(
        table.place(row)
        for row, text in enumerate(table.texts)
        if "\n" in text and _holds_rows(text, names)
    )


def _holds_rows(text: str, names: set[str]) -> bool:
    lines = text.splitlines()
    ends = (line.rpartition(mark)[2] for line in lines[:-1] for mark in SEPARATORS if mark in line)
    starts = (line.partition(mark)[0] for line in lines[1:] for mark in SEPARATORS if mark in line)
    return any(end in names for end in ends) or any(start in names for start in starts)
