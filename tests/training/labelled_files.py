"""Made-up labelled texts, in every kind of file that people have them in."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

Row = tuple[Any, Any]


def make_rows(number: int = 40, *, labels: Sequence[Any] = ("neg", "pos")) -> list[Row]:
    """Return (text, label) of each row, the labels in turn."""
    return [(f"text number {row}", labels[row % len(labels)]) for row in range(number)]


def make_dataset(rows: Iterable[Row] | None = None) -> Dataset:
    texts, labels = zip(*(make_rows() if rows is None else rows), strict=True)
    return Dataset.from_dict({"text": list(texts), "label": list(labels)})


def write_csv(
    path: Path,
    rows: Iterable[Sequence[Any]] | None = None,
    *,
    header: Sequence[str] = ("text", "label"),
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([header, *(make_rows() if rows is None else rows)])
    return path


def write_jsonl(path: Path, rows: Iterable[Row] | None = None) -> Path:
    objects = [
        {"text": text, "label": label} for text, label in (make_rows() if rows is None else rows)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in objects), encoding="utf-8")
    return path


def write_json(path: Path, rows: Iterable[Row] | None = None) -> Path:
    lines = write_jsonl(path, rows).read_text(encoding="utf-8").splitlines()
    path.write_text("[" + ",\n".join(lines) + "]", encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Iterable[Row] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    make_dataset(rows).to_pandas().to_parquet(path)
    return path
