"""Compares the files that `python -m service score` of both checkouts writes."""

import csv
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from benchmarks.sameness.checkout import MODELS, Checkout, Pair
from benchmarks.sameness.report import Report
from benchmarks.sameness.texts import ODD

ROWS = 500


def compare_scoring(pair: Pair, report: Report, texts: Sequence[str]) -> None:
    """Compare scored CSV, JSONL and Parquet files, with rows that cannot be read."""
    folder = pair.folder("score")
    rows = [text for text in [*ODD, *texts] if "\x00" not in text][:ROWS]
    files = (
        _write_csv(folder / "rows.csv", rows),
        _write_jsonl(folder / "rows.jsonl", rows),
        _write_parquet(folder / "rows.parquet", rows),
    )
    for source, model in zip(files, (MODELS[0], MODELS[1], MODELS[0]), strict=True):
        _compare_file(pair, report, source, model)
    _compare_file(pair, report, files[0], MODELS[0], "--text-column=nothing")
    _compare_file(pair, report, files[0], "nobody")


def _compare_file(pair: Pair, report: Report, source: Path, model: str, *options: str) -> None:
    def target(checkout: Checkout) -> Path:
        return source.with_name(f"{checkout.side}-{model}-{source.name}")

    def score(checkout: Checkout) -> subprocess.CompletedProcess[str]:
        given = [f"--in={source}", f"--out={target(checkout)}", f"--model={model}", "--threads=1"]
        return checkout.run("-m", "service", "score", *given, *options)

    name = f"score {source.name} {model} {' '.join(options)}".strip()
    before, after = pair.both(score)
    report.require(f"{name}: exit status", before.returncode, after.returncode)
    for side in ("before", "after"):
        if "Traceback" in (before if side == "before" else after).stderr:
            raise RuntimeError(f"{name}, {side}:\n{before.stderr}\n{after.stderr}")
    report.reword(name, *map(_complaints, (before, after)))
    if before.returncode == 0:
        report.require(name, *(target(c).read_bytes() for c in (pair.before, pair.after)))
    else:
        report.require(name, *(target(c).exists() for c in (pair.before, pair.after)))
    for checkout in (pair.before, pair.after):
        target(checkout).unlink(missing_ok=True)
    said = f"{ROWS} rows" if before.returncode == 0 else f"both refuse with {before.returncode}"
    report.same(f"{name}: {said}")


def _complaints(done: subprocess.CompletedProcess[str]) -> str:
    """Return the messages on bad rows, without the line on the speed."""
    return "\n".join(line for line in done.stderr.splitlines() if "rows, " not in line)


def _write_csv(path: Path, rows: Sequence[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "text", "kept"])
        for number, text in enumerate(rows):
            bad = ["too", "many", "fields", "here"] if number % 60 == 7 else ["few"]
            writer.writerow(bad if number % 60 in (7, 8) else [number, text, "é"])
    with path.open("ab") as file:
        file.write(b"1,bytes that are no UTF-8: \xff\xfe,x\n")
    return path


def _write_jsonl(path: Path, rows: Sequence[str]) -> Path:
    bad: list[Any] = [
        {"text": 1},
        {"text": None},
        {"other": "a", "more": 1},
        [],
        {"text": "\ud83d"},
    ]
    lines = [json.dumps({"text": text, "number": n}) for n, text in enumerate(rows)]
    lines[100:100] = [*map(json.dumps, bad), "{", '{"text": "', ""]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _write_parquet(path: Path, rows: Sequence[str]) -> Path:
    texts = [None if number % 60 == 7 else text for number, text in enumerate(rows)]
    table = pyarrow.table({"number": list(range(len(rows))), "text": texts})
    parquet.write_table(table, path)
    return path
