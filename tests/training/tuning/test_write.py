"""The files of a tuning hold all of its trials."""

import csv
import errno
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.tuning.trials import make_outcome
from training.errors import CannotWrite
from training.tuning.plot import draw
from training.tuning.write import write

pytestmark = pytest.mark.slow  # which draws plots

OUTCOMES = [
    make_outcome(0, score=0.8, is_default=True),
    make_outcome(1, score=0.85, learning_rate=0.004, batch=128, layers=2),
    make_outcome(2, score=0.6, ending="pruned"),
    make_outcome(3, score=None, log_loss=None, ending="out of time"),
]


def test_tables(tmp_path: Path) -> None:
    write(OUTCOMES, folder=tmp_path, score="accuracy")
    records = json.loads((tmp_path / "trials.json").read_text())
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [record["ending"] for record in records] == [each.ending for each in OUTCOMES]
    assert [row["score"] for row in rows] == ["0.8", "0.85", "0.6", ""]
    assert (records[1]["learning_rate"], records[1]["parameters"]) == (0.004, 1_234_567)
    assert records[3]["score"] is None
    assert list(rows[0]) == list(records[0])


def test_plot(tmp_path: Path) -> None:
    write(OUTCOMES, folder=tmp_path, score="macro_f1")
    whole = np.asarray(Image.open(tmp_path / "tuning.png").convert("L"), np.float32)
    assert whole.shape[1] > 1_000
    alone = np.asarray(Image.open(io.BytesIO(draw(OUTCOMES[:1], score="macro_f1"))).convert("L"))
    # In greyscale too the trials' marks are dark on the paper.
    assert (whole < 128).sum() > (alone < 128).sum() > 0


def test_a_disk_that_takes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CannotWrite, match=f"^cannot write to {tmp_path}: No space left"):
        write(OUTCOMES, folder=tmp_path, score="accuracy")
