"""Writes all trials to files: a table as CSV and JSON, and a plot."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas

from training.tuning.outcome import Outcome
from training.tuning.plot import draw

TABLE, RECORDS, PLOT = "trials.csv", "trials.json", "tuning.png"


def write(outcomes: Sequence[Outcome], *, folder: Path, score: str) -> None:
    """Write the files to `folder`; `score` is the name of the score."""
    frame = pandas.DataFrame([_flatten(outcome) for outcome in outcomes])
    frame.to_csv(folder / TABLE, index=False)
    frame.to_json(folder / RECORDS, orient="records", indent=1)
    (folder / PLOT).write_bytes(draw(outcomes, score=score))


def _flatten(outcome: Outcome) -> dict[str, Any]:
    record = asdict(outcome)
    values: dict[str, Any] = record.pop("values")
    measured: dict[str, Any] = record.pop("measured")
    return record | measured | values
