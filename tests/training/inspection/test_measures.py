"""Classes are counted, lengths and vocabularies measured, by split."""

import numpy as np
import pytest

from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from tests.training.inspection.made_up_texts import make_table
from training.inspection.measures import measure_balance, measure_lengths, measure_overlap
from training.inspection.table import Table
from training.inspection.words import read_words


def table_of(**texts: list[str]) -> Table:
    return make_table(texts, {split: [0] * len(rows) for split, rows in texts.items()})


class TestBalance:
    def test_one_label(self) -> None:
        table = make_table(
            {"train": list("abcd"), "test": ["e"]}, {"train": [2, 0, 2, -1], "test": [1]}
        )
        train, test = measure_balance(table)
        assert (train.split, train.labelled) == ("train", 3)
        assert train.counts == {"class 0": 1, "class 1": 0, "class 2": 2}
        assert test.counts == {"class 0": 0, "class 1": 1, "class 2": 0}

    def test_several_labels(self) -> None:
        table = make_table({"train": list("abc")}, {"train": [[1, 0, 1], [0, 0, 0], [-1, -1, -1]]})
        (train,) = measure_balance(table)
        assert train.labelled == 2
        assert train.counts == {"class 0": 1, "class 1": 0, "class 2": 1}

    def test_no_labels(self) -> None:
        assert measure_balance(make_table({"train": ["a"]}, {"train": [-1]}))[0].labelled == 0


class TestLengths:
    def test_quantiles_and_cuts(self) -> None:
        texts = ["word " * 100, "word " * 300, "", "word " * 2000]
        table = table_of(train=texts)
        tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN, "wo", "##rd"])
        (train,) = measure_lengths(read_words(texts), tokenizer, table)
        assert train.words["0 %"] == 100  # the empty text does not count
        assert train.words["50 %"] == 300
        assert train.tokens["50 %"] == 600  # each word is two tokens
        assert train.tokens["100 %"] == 4000
        assert [(cut.limit, cut.texts) for cut in train.cuts] == [
            (128, 3), (256, 2), (512, 2), (1000, 1)
        ]  # fmt: skip
        assert train.cuts[-1].tokens == pytest.approx(3000 / 4800)

    def test_only_empty_texts(self) -> None:
        table = table_of(train=["a"], test=["", " "])
        tokenizer = Tokenizer([PAD_TOKEN, UNKNOWN_TOKEN])
        test = measure_lengths(read_words(table.texts), tokenizer, table)[1]
        assert test.words == test.tokens == {}
        assert [cut.tokens for cut in test.cuts] == [0, 0, 0, 0]


class TestOverlap:
    def test_types_and_occurrences(self) -> None:
        table = table_of(train=["a b", "C"], test=["a a c d", "e"], validation=[""])
        (test,) = measure_overlap(read_words(table.texts), table)
        assert test.split == "test"
        assert test.types == 2 / 4
        assert test.occurrences == 3 / 5

    def test_no_train(self) -> None:
        table = table_of(test=["a"])
        assert measure_overlap(read_words(table.texts), table) == ()


class TestTable:
    def test_places_of_rows(self) -> None:
        table = table_of(test=["a", "b"], empty=[], train=["c"])
        assert list(table.sizes) == ["train", "test", "empty"]
        places = [table.place(row) for row in range(3)]
        assert [(place.split, place.row) for place in places] == [
            ("train", 0), ("test", 0), ("test", 1)
        ]  # fmt: skip

    def test_splits_must_agree(self) -> None:
        with pytest.raises(ValueError, match="as many rows each"):
            Table.join({"train": ["a"]}, labels={"train": np.zeros(2, np.int32)}, classes=["x"])
