"""Reads plain text: one text per line, with the labels of fastText where it has them."""

import re
from collections.abc import Iterator

from models.tables.decoding import TextFile
from models.tables.rows import Row, Table

LABEL = "__label__"
_SPACE = r" \t\v\f\r\n\0"  # between words, as fastText has it
_LABEL = re.compile(rf"(?<![^{_SPACE}]){LABEL}([^{_SPACE}]*)[{_SPACE}]?")


class PlainText(Table):
    """Lines of text. A word that begins with `__label__` is a label of its line."""

    unit = "line"

    def __init__(self, file: TextFile) -> None:
        super().__init__()
        self._file = file
        self._labelled = any(map(_LABEL.search, file.lines()))

    @property
    def columns(self) -> tuple[str, ...]:
        """See Table."""
        return ("text", "label") if self._labelled else ("text",)

    def rows(self) -> Iterator[Row]:
        """See Table."""
        for number, line in enumerate(self._file.lines(), start=1):
            if line.strip():
                yield Row(number, self._read(line.rstrip("\r\n")))

    def _read(self, line: str) -> dict[str, object]:
        if not self._labelled:
            return {"text": line}
        return {"text": _LABEL.sub("", line).strip(), "label": _LABEL.findall(line)}
