"""Reads plain text: one text per line, with the labels of fastText where it has them."""

from collections.abc import Iterator

from models.tables.decoding import TextFile
from models.tables.rows import Batch, Row, group

LABEL = "__label__"


class PlainText:
    """Lines of text. A word that begins with `__label__` is a label of its line."""

    unit = "line"
    typed = True

    def __init__(self, file: TextFile) -> None:
        self._file = file
        self.notes: list[str] = []
        self.size: int | None = None
        labelled = any(LABEL in line for line in file.lines())
        self.columns: tuple[str, ...] = ("text", "label") if labelled else ("text",)

    def batches(self, size: int) -> Iterator[Batch]:
        """See Table."""
        return group(self._rows(), size)

    def _rows(self) -> Iterator[Row]:
        for number, line in enumerate(self._file.lines(), start=1):
            if line.strip():
                yield Row(number, self._read(line.rstrip("\r\n")))

    def _read(self, line: str) -> dict[str, object]:
        if "label" not in self.columns:
            return {"text": line}
        words = line.split(" ")
        labels = [word.removeprefix(LABEL) for word in words if word.startswith(LABEL)]
        text = " ".join(word for word in words if not word.startswith(LABEL))
        return {"text": text.strip(), "label": labels}
