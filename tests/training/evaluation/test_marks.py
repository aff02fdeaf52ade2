"""Marks of 0 and 1 for some labels of a version only do not count as 0 for the others."""

from typing import Any

import pytest

from tests.versions import make_metadata
from training.data.rows import TableRows
from training.data.sources import Source
from training.data.splits import Split, read_split
from training.errors import DataError
from training.evaluation.published import _known_classes
from training.reading import Reading

LABELS = ("insult", "obscene", "toxic")


def read(columns: dict[str, list[Any]], **reading: Any) -> Split:
    metadata = make_metadata(labels=LABELS, task="multi_label", thresholds=(0.5, 0.5, 0.5))
    texts = [f"text number {row}" for row in range(2)]
    rows = TableRows({"text": texts, **columns}, [("r.csv, line", 2), ("r.csv, line", 3)])
    asked = Reading(**reading)
    split, _ = read_split(
        Source("made up", "made-up", None, None, {"test": rows}),
        "test",
        reading=asked,
        several=True,
        find=lambda form, column: _known_classes(metadata, form, column, asked),
        strange="unknown",
    )
    return split


def test_a_column_for_each_label() -> None:
    marks = {"toxic": [1, 0], "obscene": [0, 1], "insult": [1, 1]}
    assert read(marks).labels.tolist() == [[1, 0, 1], [1, 1, 0]]


def test_a_label_without_a_column() -> None:
    with pytest.raises(DataError) as caught:
        read({"toxic": [1, 0], "obscene": [0, 1]})
    assert str(caught.value) == (
        "the labels in 'toxic,obscene' are 0 or 1 for some labels of toy only; "
        "there is none for insult"
    )


def test_columns_in_other_capitals() -> None:
    marks = {"Toxic": [1, 0], "obscene": [0, 1], "insult": [1, 1]}
    with pytest.raises(DataError, match="there is none for toxic$"):
        read(marks)
    assert read(marks, clean_labels=True).labels.tolist() == [[1, 0, 1], [1, 1, 0]]


def test_lists_of_names_leave_labels_out() -> None:
    assert read({"label": [["toxic"], []]}).labels.tolist() == [[0, 0, 1], [0, 0, 0]]
