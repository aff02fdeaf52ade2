"""Datasets are read as they are: whatever is wrong with rows is counted by row."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset, Features, Json, Value

from tests.training.inspection.made_up_texts import make_source
from training.data.sources import Source
from training.errors import DataError
from training.inspection.rows import RawData, RawSplit, read_rows
from training.reading import Reading


def read(rows: dict[str, list[tuple[Any, Any]]], *, names: list[str] | None = None) -> RawData:
    return read_rows(make_source(rows, names=names), reading=Reading())


def read_split(rows: Dataset) -> RawSplit:
    source = Source("made up", "made-up", None, None, {"train": rows})
    return read_rows(source, reading=Reading(text_column="text", label_column="label")).splits[0]


class TestTexts:
    def test_missing_and_blank(self) -> None:
        rows = [("a", "x"), (None, "y"), ("", "x"), (" \n\t\u3000", "y"), ("b", "x")]
        split = read({"train": rows}).splits[0]
        assert split.faults.empty == (1, 2, 3)
        assert split.faults.rows == 5
        assert split.texts[0] == "a"
        assert split.texts[1] == ""

    def test_numbers_and_lists(self) -> None:
        rows = Dataset.from_dict(
            {"text": ["a", 3, ["b"], None], "label": [0, 1, 0, 1]},
            features=Features(text=Json(), label=Value("int64")),
        )
        split = read_split(rows)
        assert split.faults.not_text == (1, 2)
        assert split.faults.empty == (3,)
        assert split.texts == ["a", "", "", ""]

    def test_bytes_that_are_no_text(self) -> None:
        broken = pa.array([b"fine", b"\xff\xfe", b"too"], pa.binary()).cast(pa.string(), safe=False)
        split = read_split(Dataset(pa.table({"text": broken, "label": [0, 1, 0]})))
        assert split.faults.not_text == (1,)
        assert split.texts == ["fine", "", "too"]


class TestLabels:
    @pytest.mark.parametrize(
        ("values", "classes"),
        [
            (["pos", "neg"], ("neg", "pos")),
            ([10, 9], ("9", "10")),
            ([1.0, 0.0], ("0", "1")),
            ([True, False], ("false", "true")),
        ],
    )
    def test_classes(self, values: list[Any], classes: tuple[str, ...]) -> None:
        data = read({"train": [("a", values[0]), ("b", values[1])]})
        assert data.classes == classes
        assert data.splits[0].labels.tolist() == [1, 0]
        assert data.splits[0].labels.dtype == np.int32

    def test_declared_classes_keep_their_order(self) -> None:
        data = read({"train": [("a", 1), ("b", 0)]}, names=["z", "a", "unused"])
        assert data.classes == ("z", "a", "unused")

    def test_missing(self) -> None:
        for values in (["x", None, " "], [4, None, None], [1.0, float("nan"), None]):
            split = read({"train": list(zip("abc", values, strict=True))}).splits[0]
            assert split.faults.unlabelled == (1, 2)
            assert split.faults.bad_label == ()
            assert split.labels.tolist() == [0, -1, -1]

    def test_no_class(self) -> None:
        split = read({"train": [("a", 1.0), ("b", float("inf")), ("c", 2.0)]}).splits[0]
        assert split.faults.bad_label == (1,)
        assert split.faults.unlabelled == ()
        assert split.labels.tolist() == [0, -1, 1]

    def test_bytes_that_are_no_text(self) -> None:
        broken = pa.array([b"x", b"\xff", b"y"], pa.binary()).view(pa.string())
        split = read_split(Dataset(pa.table({"text": ["a", "b", "c"], "label": broken})))
        assert split.faults.bad_label == (1,)
        assert split.labels.tolist() == [0, -1, 1]

    def test_class_of_another_split_only(self) -> None:
        data = read({"train": [("a", "x"), ("b", "y")], "test": [("c", "new")]})
        assert data.classes == ("new", "x", "y")
        assert data.splits[1].labels.tolist() == [0]


class TestSeveralLabels:
    def test_indices(self) -> None:
        data = read({"train": [("a", [0, 2]), ("b", []), ("c", None)]}, names=["x", "y", "z"])
        assert data.classes == ("x", "y", "z")
        assert data.splits[0].labels.tolist() == [[1, 0, 1], [0, 0, 0], [-1, -1, -1]]
        assert data.splits[0].faults.unlabelled == (2,)

    def test_lists_that_are_all_empty_are_labels(self) -> None:
        rows = {"train": [("a", [0]), ("b", [1])], "test": [("c", []), ("d", [])]}
        assert read(rows, names=["x", "y"]).splits[1].labels.tolist() == [[0, 0], [0, 0]]

    def test_names(self) -> None:
        data = read({"train": [("a", ["y", "x"]), ("b", ["z"])]})
        assert data.classes == ("x", "y", "z")
        assert data.splits[0].labels.tolist() == [[1, 1, 0], [0, 0, 1]]

    def test_a_name_that_is_missing(self) -> None:
        split = read({"train": [("a", ["x", None]), ("b", ["x"])]}).splits[0]
        assert split.faults.bad_label == (0,)
        assert split.labels.tolist() == [[-1], [1]]


class TestSplits:
    def test_unlabelled_splits_are_left_out(self) -> None:
        rows = {"train": [("a", 0), ("b", 1)], "test": [("c", -1)], "more": []}
        data = read(rows, names=["x", "y"])
        assert [split.name for split in data.splits] == ["train"]
        assert data.notices == ("split 'test' has no 'text' or no 'label' and is left out",)

    def test_splits_without_the_columns_are_left_out(self) -> None:
        source = make_source({"train": [("a", "x"), ("b", "y")], "test": [("c", "x")]})
        source.splits["test"] = source.splits["test"].remove_columns("label")
        source.splits["texts"] = Dataset.from_dict({"body": ["d"], "label": ["x"]})
        data = read_rows(source, reading=Reading())
        assert [split.name for split in data.splits] == ["train"]
        assert len(data.notices) == 2

    def test_train_stays_even_without_labels(self) -> None:
        split = read({"train": [("a", -1), ("b", -1)]}, names=["x"]).splits[0]
        assert split.faults.unlabelled == (0, 1)

    def test_no_train(self) -> None:
        assert read({"test": [("a", "x")]}).splits[0].name == "test"

    def test_no_rows(self) -> None:
        with pytest.raises(DataError, match="made up has no rows"):
            read({"train": []})

    def test_unknown_column(self) -> None:
        source = make_source({"train": [("a", "x")]})
        with pytest.raises(DataError, match="no such column"):
            read_rows(source, reading=Reading(text_column="body"))
