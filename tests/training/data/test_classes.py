"""Several labels per row: lists become targets, or are refused with column, row and fault."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Json, LargeList, List, Value

from tests.training.labelled_files import Row, write_jsonl, write_parquet
from training.data.classes import Classes
from training.data.sources import Source, load_source
from training.data.splits import LabelledData, read_data
from training.errors import DataError
from training.reading import Reading
from training.targets import count_classes

CLASSES = ClassLabel(names=["calm", "loud", "odd"])
NAMES = List(Value("string"))


def make_rows(number: int = 60, *, labels: Any = (["loud"], [], ["odd", "calm"])) -> list[Row]:
    return [(f"text number {row}", labels[row % len(labels)]) for row in range(number)]


def make_dataset(rows: list[Row], *, feature: Any = NAMES) -> Dataset:
    texts, labels = zip(*rows, strict=True)
    features = Features(text=Value("string"), labels=feature)
    return Dataset.from_dict({"text": list(texts), "labels": list(labels)}, features=features)


def read(train: Dataset, **others: Dataset) -> LabelledData:
    source = Source("made up", "made-up", None, None, {"train": train, **others})
    return read_data(source, seed=0)


def refusal(train: Dataset, **others: Dataset) -> str:
    with pytest.raises(DataError) as caught:
        read(train, **others)
    message = str(caught.value)
    assert "\n" not in message
    return message


def labels_of(data: LabelledData) -> dict[str, list[str]]:
    """Return the sorted names of each text's labels, of all splits."""
    return {
        text: sorted(data.labels[index] for index in np.flatnonzero(target))
        for split in data.splits.values()
        for text, target in zip(split.texts, split.labels, strict=True)
    }


EXPECTED = {text: sorted(labels) for text, labels in make_rows()}


class TestReading:
    @pytest.mark.parametrize("kind", [List, LargeList])
    def test_classes_of_the_dataset(self, kind: type) -> None:
        rows = make_rows(labels=[[1], [], [2, 0]])
        data = read(make_dataset(rows, feature=kind(CLASSES)))
        assert (data.task, data.labels) == ("multi_label", ("calm", "loud", "odd"))
        assert labels_of(data) == EXPECTED
        for split in data.splits.values():
            assert split.labels.dtype == np.int32
            assert split.labels.shape == (len(split), 3)

    @pytest.mark.parametrize("write", [write_jsonl, write_parquet])
    def test_names_in_a_file(self, write: Any, tmp_path: Path) -> None:
        suffix = {write_jsonl: "jsonl", write_parquet: "parquet"}[write]
        path = write(tmp_path / f"rows.{suffix}", make_rows())
        source = load_source(str(path), config=None, revision=None)
        data = read_data(source, seed=0)
        assert (data.task, data.labels) == ("multi_label", ("calm", "loud", "odd"))
        assert labels_of(data) == EXPECTED

    def test_numbers(self) -> None:
        rows = make_rows(labels=[[10], [9, 2], []])
        data = read(make_dataset(rows, feature=List(Value("int64"))))
        assert data.labels == ("2", "9", "10")
        assert labels_of(data)["text number 1"] == ["2", "9"]

    def test_a_label_named_twice_is_one(self) -> None:
        data = read(make_dataset(make_rows(labels=[["loud", "loud"], ["odd"]])))
        assert data.train.labels.max() == 1

    def test_a_split_of_its_own(self) -> None:
        test = make_dataset(make_rows(6, labels=[[], ["odd", "loud"]]))
        data = read(make_dataset(make_rows()), test=test)
        assert data.test is not None
        assert data.test.labels.tolist() == [[0, 0, 0], [0, 1, 1]] * 3
        assert data.test.rows.tolist() == list(range(6))

    def test_rows_without_any_label_are_held_out_like_others(self) -> None:
        data = read(make_dataset(make_rows(300)))
        assert len(data.validation) == 30
        assert count_classes(data.validation.labels, classes=3).sum() > 0
        assert {text for split in data.splits.values() for text in split.texts} == {
            f"text number {row}" for row in range(300)
        }

    def test_an_unlabelled_test_split_is_not_used(self) -> None:
        test = make_dataset(make_rows(6, labels=[None]))
        assert read(make_dataset(make_rows()), test=test).test is None

    def test_absent_class_is_noted(self) -> None:
        data = read(make_dataset(make_rows(labels=[[0], [1]]), feature=List(CLASSES)))
        assert "so they will not be predicted: odd" in data.notices[0]


class TestRefusal:
    def test_missing(self) -> None:
        rows = [*make_rows(), ("unlabelled", None)]
        assert refusal(make_dataset(rows)) == (
            "1 of 61 rows of split 'train' cannot be used: "
            "in row 60 (counted from 0) 'labels' is missing; --skip-unusable leaves such rows out"
        )

    @pytest.mark.parametrize(
        ("feature", "labels", "value"),
        [(NAMES, ["loud", None], "None"), (List(Value("float64")), [1.0, math.inf], "inf")],
    )
    def test_neither_name_nor_integer(self, feature: Any, labels: list, value: str) -> None:
        rows = [("fine", []), ("not fine", labels)]
        assert refusal(make_dataset(rows, feature=feature)) == (
            f"column 'labels' holds {value} in row 1 (counted from 0) of split 'train'; "
            "a label is a name or a number"
        )

    @pytest.mark.parametrize("labels", [[["a"]], [{"a": 1}]])
    def test_lists_of_what_is_no_label(self, labels: list) -> None:
        rows = Dataset.from_dict({"text": ["one", "two"], "labels": [labels, labels]})
        assert "in row 0 (counted from 0) of split 'train'; a label is a name" in refusal(rows)

    @pytest.mark.parametrize(("item", "shown"), [(None, "[1, None]"), (-1, "[1, -1]")])
    def test_an_item_without_a_class(self, item: Any, shown: str) -> None:
        rows = [*make_rows(labels=[[1], [0]]), ("not fine", [1, item])]
        assert refusal(make_dataset(rows, feature=List(CLASSES))) == (
            "1 of 61 rows of split 'train' cannot be used: in row 60 (counted from 0) "
            f"'labels' is {shown}, a class that train does not have; "
            "--skip-unusable leaves such rows out"
        )

    def test_unknown_label_in_another_split(self) -> None:
        test = make_dataset([*make_rows(4), ("new", ["loud", "green"])])
        assert refusal(make_dataset(make_rows()), test=test) == (
            "1 of 5 rows of split 'test' cannot be used: in row 4 (counted from 0) "
            "'labels' is ['loud', 'green'], a class that train does not have; "
            "--skip-unusable leaves such rows out"
        )

    @pytest.mark.parametrize("feature", [Value("string"), Json()])
    def test_lists_in_train_only(self, feature: Any) -> None:
        test = make_dataset(make_rows(4, labels=["loud"]), feature=feature)
        assert refusal(make_dataset(make_rows()), test=test) == (
            "column 'labels' holds lists in some splits only"
        )

    @pytest.mark.parametrize(
        ("labels", "separator"),
        [(["loud|odd", "calm"], "|"), (['["loud", "odd"]', '["calm"]'], None)],
    )
    def test_lists_in_the_texts_of_all_splits(self, labels: list, separator: str | None) -> None:
        train, test = (
            make_dataset(make_rows(number, labels=labels), feature=Value("string"))
            for number in (60, 4)
        )
        data = read_data(
            Source("made up", "made-up", None, None, {"train": train, "test": test}),
            reading=Reading(split_labels=separator),
            seed=0,
        )
        assert data.labels == ("calm", "loud", "odd")
        assert data.test is not None
        assert data.test.labels.tolist() == [[0, 1, 1], [1, 0, 0]] * 2

    def test_lists_in_some_rows_only(self) -> None:
        rows = make_dataset([("one", "loud"), ("two", ["loud", "odd"])], feature=Json())
        assert refusal(rows) == (
            "column 'labels' holds ['loud', 'odd'] in row 1 (counted from 0) of split 'train'; "
            "a label is a name or a number"
        )

    def test_lists_in_some_rows_of_another_split(self) -> None:
        train = make_dataset(make_rows(labels=["loud", "odd"]), feature=Json())
        test = make_dataset([("one", "loud"), ("two", ["loud"])], feature=Json())
        assert refusal(train, test=test).endswith(
            "in row 1 (counted from 0) 'labels' is ['loud'], a class that train does not have; "
            "--skip-unusable leaves such rows out"
        )

    def test_lists_of_lists_in_another_split(self) -> None:
        test = make_dataset(make_rows(4, labels=[[["loud"]]]), feature=List(NAMES))
        assert refusal(make_dataset(make_rows()), test=test).endswith(
            "in row 0 (counted from 0) 'labels' is [['loud']], a class that train does not have; "
            "--skip-unusable leaves such rows out"
        )

    def test_classes_in_another_order(self) -> None:
        other = List(ClassLabel(names=["loud", "calm", "odd"]))
        train = make_dataset(make_rows(labels=[[0], [1]]), feature=List(CLASSES))
        test = make_dataset(make_rows(4, labels=[[0], [1]]), feature=other)
        assert refusal(train, test=test) == (
            "split 'test' has the classes ['loud', 'calm', 'odd'], "
            "but train has ['calm', 'loud', 'odd']"
        )

    @pytest.mark.parametrize("labels", [[["only"], []], [[]]])
    def test_fewer_than_two_labels(self, labels: list) -> None:
        assert refusal(make_dataset(make_rows(labels=labels))) == (
            "column 'labels' names fewer than two labels; two are needed at least"
        )

    def test_too_many_labels(self) -> None:
        rows = [(f"text {row}", [f"own {row}"]) for row in range(30)]
        assert refusal(make_dataset(rows)).startswith(
            "column 'labels' has 30 different labels in 30 rows"
        )

    def test_empty_lists_only(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps({"text": "a", "labels": []}) + "\n" for _ in range(4)))
        source = load_source(str(path), config=None, revision=None)
        assert "fewer than two labels" in refusal(source.splits["train"])


class TestValues:
    """Values that no class is named after stand for one where they are the same value."""

    @pytest.mark.parametrize(
        "text", ["01", "001", "1e0", " 1 ", "1_0", "\N{ARABIC-INDIC DIGIT ONE}", "2.00", "1E5"]
    )
    def test_texts_that_are_labels_of_their_own(self, text: str) -> None:
        assert Classes("single_label", ("1", "2", "10", "100000")).place(text) is None

    @pytest.mark.parametrize(
        ("names", "value", "place"),
        [
            (("1", "2"), "1.0", 0),
            (("1.0", "2.0"), "2", 1),
            (("true", "x"), "TRUE", 0),
            (("01", "02"), "1", None),
            (("01", "02"), 1, 0),
            (("1", "2"), 2.0, 1),
            (("1", "1.0"), 1.0, 0),
            (("01", "001"), 1, None),
        ],
    )
    def test_values_that_are_the_same(
        self, names: tuple[str, ...], value: Any, place: int | None
    ) -> None:
        assert Classes("single_label", names).place(value) == place
