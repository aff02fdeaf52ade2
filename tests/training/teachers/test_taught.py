"""A teacher's verdict counts for the row that it is about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.training.labelled_files import make_rows, write_csv
from training.data.sources import load_source
from training.data.splits import LabelledData, read_data
from training.reading import Reading
from training.teachers.taught import ask_teacher
from training.teachers.verdicts import Verdicts

HELD_OUT = ["great 👎", "great 👍", "sure :(", "sure :)"]


class KnownTexts:
    """A teacher with texts of its own, and how likely `pos` is for each."""

    has_texts = True

    def __init__(self, shares: dict[str, float]) -> None:
        self._shares = shares

    def judge(self, texts: Sequence[str], **_: Any) -> Verdicts:
        shares = np.array(list(self._shares.values()), np.float32)
        probabilities = np.stack([1 - shares, shares], axis=1)
        return Verdicts(name="known", texts=list(self._shares), probabilities=probabilities)


def read(folder: Path) -> LabelledData:
    write_csv(folder / "train.csv", make_rows(40))
    write_csv(folder / "validation.csv", list(zip(HELD_OUT, ["neg", "pos"] * 2, strict=True)))
    source = load_source(str(folder), config=None, revision=None, reading=Reading())
    return read_data(source, reading=Reading(), seed=1)


def judge(folder: Path, shares: dict[str, float]) -> list[float | None]:
    """Return how likely `pos` is for each of HELD_OUT, None where there is no verdict."""
    taught = ask_teacher(KnownTexts(shares | {"a further text": 0.5}), read(folder), [])
    known, judged = taught.known["validation"], taught.judged["validation"]
    return [float(row[1]) if there else None for there, row in zip(known, judged, strict=True)]


def test_texts_that_differ_in_signs_alone_keep_their_verdicts(tmp_path: Path) -> None:
    shares = dict(zip(HELD_OUT, [0.0, 1.0, 0.25, 0.75], strict=True))
    assert judge(tmp_path, shares) == [0.0, 1.0, 0.25, 0.75]


def test_another_spelling_counts_where_the_very_text_is_missing(tmp_path: Path) -> None:
    shares = {"Great!": 0.5, "great": 1.0, "sure :)": 0.75}
    assert judge(tmp_path, shares) == [0.5, 0.5, 0.75, 0.75]


def test_a_row_without_a_verdict(tmp_path: Path) -> None:
    assert judge(tmp_path, {"sure": 1.0}) == [None, None, 1.0, 1.0]
