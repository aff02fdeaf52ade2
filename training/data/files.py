"""Reads a table from one file: CSV, TSV, JSON, JSONL or Parquet."""

import glob
import json
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import pandas
from datasets import Dataset
from pyarrow import parquet

from training.errors import DataError

# Only an empty field is missing: "NA", "None" and "null" are ordinary words in texts.
CSV_OPTIONS: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}


def read_file(path: Path) -> Dataset:
    """Return the rows of a file; raise DataError if its kind is unknown or it has no rows."""
    if path.suffix.lower() not in READERS:
        known = ", ".join(READERS)
        raise DataError(f"{path}: unknown kind of file; known are {known}")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    rows = READERS[path.suffix.lower()](path)
    if len(rows) == 0:
        raise DataError(f"{path} has no rows")
    return rows


def _read_csv(path: Path, *, separator: str = ",") -> Dataset:
    """Read a table with a header; the type of a column fits all of its rows."""
    with warnings.catch_warnings():
        # Otherwise pandas takes the first column as index where rows are longer than the header.
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        try:
            frame = pandas.read_csv(
                path, sep=separator, index_col=False, low_memory=False, **CSV_OPTIONS
            )
        except pandas.errors.ParserWarning as warning:
            raise DataError(f"{path}: rows have more fields than the header has names") from warning
    return Dataset.from_pandas(frame, preserve_index=False)


def _read_json(path: Path) -> Dataset:
    """Read objects: one on each line, or all in a list."""
    try:
        # `datasets` takes the name as a pattern, which could match other files too.
        return datasets.load_dataset(
            "json", data_files={"train": glob.escape(str(path.resolve()))}, split="train"
        )
    except Exception as error:  # its message is only that of the last of several parsers
        fault = _find_json_fault(path)
        if fault is None:
            raise
        raise DataError(f"cannot read {path}: {fault}") from error


def _find_json_fault(path: Path) -> str | None:
    """Return the fault of a JSON file and its place; None if none is found."""
    text = path.read_text(encoding="utf-8-sig")
    if not text.strip(" \t\r\n[]"):
        return "it has no rows"
    whole = path.suffix.lower() == ".json" and text.lstrip().startswith("[")
    for number, part in enumerate([text] if whole else text.split("\n"), start=1):
        try:
            value = json.loads(part or "{}")
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            line = number + error.lineno - 1
            return f"line {line}, column {error.colno} is not JSON: {error.msg}"
        except UnicodeEncodeError as error:
            return f"line {number} holds half a character, \\u{ord(error.object[error.start]):x}"
        if not all(isinstance(row, dict) for row in (value if whole else [value])):
            return f'line {number} holds no object such as {{"text": "…", "label": "…"}}'
    return None


def _read_parquet(path: Path) -> Dataset:
    return Dataset(parquet.ParquetFile(path).read())


READERS: dict[str, Callable[[Path], Dataset]] = {
    ".csv": _read_csv,
    ".tsv": partial(_read_csv, separator="\t"),
    ".json": _read_json,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
}
