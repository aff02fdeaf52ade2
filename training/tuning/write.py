"""Writes all trials to files: a table as CSV and JSON, and a plot."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas

from training.tuning.outcome import Outcome
from training.tuning.plot import draw
from training.workspace.atomic import save_bytes

TABLE, RECORDS, PLOT = "trials.csv", "trials.json", "tuning.png"


def write(outcomes: Sequence[Outcome], *, folder: Path, score: str) -> None:
    """Write the files to `folder`; `score` is the name of the score.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    frame = pandas.DataFrame([_flatten(outcome) for outcome in outcomes])
    files = {
        TABLE: frame.to_csv(index=False).encode(),
        RECORDS: frame.to_json(orient="records", indent=1).encode(),
        PLOT: draw(outcomes, score=score),
    }
    for name, content in files.items():
        save_bytes(content, path=folder / name)


def _flatten(outcome: Outcome) -> dict[str, Any]:
    record = asdict(outcome)
    values: dict[str, Any] = record.pop("values")
    measured: dict[str, Any] = record.pop("measured")
    return record | measured | values
