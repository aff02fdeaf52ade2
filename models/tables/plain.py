"""Reads plain text: one text per line, with the labels of fastText where it has them."""

from collections.abc import Iterator

from models.tables.decoding import TextFile
from models.tables.rows import Row, Table

LABEL = "__label__"


class PlainText(Table):
    """Lines of text. A word that begins with `__label__` is a label of its line."""

    unit = "line"

    def __init__(self, file: TextFile) -> None:
        super().__init__()
        self._file = file
        self._labelled = any(LABEL in line for line in file.lines())

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
        words = line.split(" ")
        labels = [word.removeprefix(LABEL) for word in words if word.startswith(LABEL)]
        text = " ".join(word for word in words if not word.startswith(LABEL))
        return {"text": text.strip(), "label": labels}
