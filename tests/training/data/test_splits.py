"""Rows become texts and class indices, or are refused with column, row and fault."""

import hashlib
from collections import Counter
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, Json, Value

from tests.training.labelled_files import make_dataset, make_rows
from training.data.rows import TableRows, Unreadable
from training.data.sources import Source
from training.data.splits import LabelledData, Split, hold_out, read_data
from training.errors import DataError
from training.reading import Reading

CLASSES = ClassLabel(names=["neg", "pos"])


def with_classes(rows: list[tuple[Any, Any]], classes: ClassLabel = CLASSES) -> Dataset:
    texts, labels = zip(*rows, strict=True)
    features = Features(text=Value("string"), label=classes)
    return Dataset.from_dict({"text": list(texts), "label": list(labels)}, features=features)


def source_of(**splits: Any) -> Source:
    return Source("made up", "made-up", None, None, splits)


def read(
    train: Dataset | list[tuple[Any, Any]], *, seed: int = 0, **others: Dataset
) -> LabelledData:
    if isinstance(train, list):
        train = make_dataset(train)
    return read_data(source_of(train=train, **others), seed=seed)


def refusal(train: Dataset | list[tuple[Any, Any]], **others: Dataset) -> str:
    with pytest.raises(DataError) as caught:
        read(train, **others)
    message = str(caught.value)
    assert "\n" not in message
    return message


def names_of(data: LabelledData, split: Split) -> list[str]:
    return [data.labels[index] for index in split.labels]


class TestLabels:
    @pytest.mark.parametrize(
        ("values", "names"),
        [
            (["pos", "neg"], ("neg", "pos")),
            ([1, 0], ("0", "1")),
            ([10, 9, 2], ("2", "9", "10")),
            ([1.0, 0.0], ("0", "1")),
            ([True, False], ("false", "true")),
            (["été", "hiver", "10"], ("10", "hiver", "été")),
        ],
    )
    def test_names_and_order(self, values: list[Any], names: tuple[str, ...]) -> None:
        data = read(make_rows(60, labels=values))
        assert data.labels == names
        shown = {
            value: str(value).lower() if isinstance(value, bool) else f"{value}".removesuffix(".0")
            for value in values
        }
        by_text = {text: shown[label] for text, label in make_rows(60, labels=values)}
        for split in (data.train, data.validation):
            assert split.labels.dtype == np.int32
            assert names_of(data, split) == [by_text[text] for text in split.texts]

    def test_classes_of_the_dataset(self) -> None:
        classes = ClassLabel(names=["zebra", "ant", "bee"])
        data = read(with_classes(make_rows(60, labels=[2, 0, 1]), classes))
        assert data.labels == ("zebra", "ant", "bee")
        assert set(names_of(data, data.train)) == set(data.labels)

    def test_absent_class_is_noted(self) -> None:
        classes = ClassLabel(names=["neg", "pos", *(f"c{i}" for i in range(12))])
        notice = read(with_classes(make_rows(labels=[0, 1]), classes)).notices[0]
        assert notice == (
            "train has no row of these classes, so they will not be predicted: "
            "c0, c1, c2, c3, c4, c5, c6, c7, c8, c9…"
        )

    def test_numbers_and_text_in_one_column(self) -> None:
        rows = Dataset.from_dict(
            {"text": [text for text, _ in make_rows()], "label": [5, "x"] * 20},
            features=Features(text=Value("string"), label=Json()),
        )
        assert read(rows).labels == ("5", "x")

    @pytest.mark.parametrize(
        ("label", "shown"),
        [(float("inf"), "inf"), ({"a": "b"}, "{'a': 'b'}"), (b"pos", "b'pos'")],
    )
    def test_neither_name_nor_integer(self, label: Any, shown: str) -> None:
        assert refusal([("a", None), ("b", label), ("c", label)]) == (
            f"column 'label' holds {shown} in row 1 (counted from 0) of split 'train'; "
            "a label is a name or a number"
        )

    def test_one_class(self) -> None:
        assert refusal(make_rows(labels=["pos"])) == (
            "column 'label': all rows of train have the label 'pos'; two labels are needed at least"
        )

    @pytest.mark.parametrize("label", [int, str])
    def test_as_many_labels_as_rows(self, label: type) -> None:
        assert refusal([(f"text {row}", label(row)) for row in range(30)]) == (
            "column 'label' has 30 different labels in 30 rows; "
            "name the right column with --label-column"
        )

    def test_numbers_of_rows_with_a_few_equal_ones(self) -> None:
        labels = [*range(30), *range(5)]
        assert refusal([(f"text {row}", label) for row, label in enumerate(labels)]) == (
            "column 'label' has 30 different labels in 35 rows; "
            "name the right column with --label-column"
        )

    @pytest.mark.parametrize("counts", [[2] * 20, [4] * 30, [1] * 10 + [2] * 10, [3, 1], [1, 1, 2]])
    def test_a_few_rows_of_each_label(self, counts: list[int]) -> None:
        labels = [f"c{label}" for label, count in enumerate(counts) for _ in range(count)]
        data = read([(f"text {row}", label) for row, label in enumerate(labels)])
        assert len(data.labels) == len(counts)
        assert set(names_of(data, data.train)) == set(labels)

    @pytest.mark.parametrize("value", [None, "", "  "])
    def test_missing(self, value: str | None) -> None:
        rows = make_rows()
        rows[3] = rows[7] = ("unlabelled", value)
        assert refusal(rows) == (
            "2 of 40 rows of split 'train' cannot be used: "
            "in row 3 (counted from 0) 'label' is missing; --skip-unusable leaves such rows out"
        )

    def test_an_empty_list_among_lists_of_one(self) -> None:
        rows: list[tuple[str, Any]] = [(text, [label]) for text, label in make_rows()]
        rows[3] = ("unlabelled", [])
        assert refusal(rows) == (
            "1 of 40 rows of split 'train' cannot be used: in row 3 (counted from 0) 'label' is "
            "missing or an empty list, where others hold one label; --skip-unusable leaves such "
            "rows out"
        )

    def test_missing_among_numbers(self) -> None:
        table = pandas.DataFrame(make_rows(labels=[0, 1]), columns=["text", "label"])
        table["label"] = table["label"].astype(float)
        table.loc[5, "label"] = float("nan")
        rows = Dataset(pa.Table.from_pandas(table, preserve_index=False))
        assert "1 of 40 rows of split 'train' cannot be used: in row 5" in refusal(rows)

    def test_unlabelled_rows(self) -> None:
        rows = make_rows(labels=[0, 1])
        rows[2] = ("unlabelled", -1)
        assert refusal(with_classes(rows)) == (
            "1 of 40 rows of split 'train' cannot be used: in row 2 (counted from 0) 'label' is "
            "missing or -1, which marks a row without a label; "
            "--skip-unusable leaves such rows out"
        )

    @pytest.mark.parametrize("labels", [[-1, 0, 1], [-1, 1], ["-1", "+1"], [0.5, 1.0, 4.5]])
    def test_negative_numbers_and_halves_are_classes(self, labels: list[Any]) -> None:
        names = tuple(f"{label}".removesuffix(".0") for label in labels)
        assert read(make_rows(60, labels=labels)).labels == names


class TestTexts:
    def test_missing(self) -> None:
        rows = make_rows()
        rows[39] = (None, "pos")
        assert refusal(rows) == (
            "1 of 40 rows of split 'train' cannot be used: "
            "in row 39 (counted from 0) 'text' is missing; --skip-unusable leaves such rows out"
        )

    def test_numbers(self) -> None:
        assert refusal([(row, "ab"[row % 2]) for row in range(40)]) == (
            "40 of 40 rows of split 'train' cannot be used: "
            "in row 0 (counted from 0) 'text' is no text but int; "
            "--skip-unusable leaves such rows out"
        )

    def test_mixed(self) -> None:
        texts = [text for text, _ in make_rows()]
        rows = Dataset.from_dict(
            {"text": [*texts[:-1], ["a list"]], "label": ["a", "b"] * 20},
            features=Features(text=Json(), label=Value("string")),
        )
        assert "in row 39 (counted from 0) 'text' is no text but list" in refusal(rows)

    @pytest.mark.parametrize("column", ["text", "label"])
    def test_not_utf8(self, column: str) -> None:
        broken = pa.array([b"sch\xf6n", b"gut"], pa.binary()).view(pa.string())
        rows = Dataset(pa.table({"text": ["a", "b"], "label": ["a", "b"]} | {column: broken}))
        assert refusal(rows).startswith(
            f"column {column!r} of split 'train' is not text in UTF-8 ('utf-8' codec can't decode"
        )

    def test_empty_text_is_a_text(self) -> None:
        data = read([("", "a"), *make_rows(labels=["a", "b"])])
        assert "" in data.train.texts + data.validation.texts


class TestSplits:
    def test_given(self) -> None:
        validation, test = make_dataset(make_rows(6)), make_dataset(make_rows(8))
        data = read(make_rows(), validation=validation, test=test)
        assert (len(data.train), len(data.validation), len(data.test or ())) == (40, 6, 8)
        assert [split.name for split in data.splits.values()] == ["train", "validation", "test"]
        assert [split.rows.tolist() for split in data.splits.values()] == [
            list(range(rows)) for rows in (40, 6, 8)
        ]
        assert data.notices == ()

    @pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
    def test_names_of_validation(self, name: str) -> None:
        data = read(make_rows(), **{name: make_dataset(make_rows(6))})
        assert (len(data.validation), data.validation.name) == (6, name)

    def test_held_out(self) -> None:
        data = read(make_rows(200))
        assert (len(data.train), len(data.validation)) == (180, 20)
        assert data.test is None
        assert list(data.splits) == ["train", "validation"]
        assert data.validation.name == "train (held out, seed 0)"
        assert data.notices == (
            "no validation split: 20 rows of train held out for it",
            "no labelled test split: all figures are on validation rows",
        )

    def test_no_train(self) -> None:
        source = Source("", "", None, None, {"test": make_dataset(), "all": make_dataset()})
        with pytest.raises(DataError, match=r"^no split 'train'; there are: test, all$"):
            read_data(source, seed=0)

    def test_no_rows(self) -> None:
        assert refusal(make_dataset().select([])) == "split 'train' has no rows"

    @pytest.mark.parametrize("name", ["test", "validation"])
    def test_unlabelled_is_not_used(self, name: str) -> None:
        unlabelled = with_classes([("x", -1), ("y", -1)])
        data = read(with_classes(make_rows(labels=[0, 1])), **{name: unlabelled})
        assert f"split {name!r} has no 'label' and is not used" in data.notices
        assert data.test is None
        assert len(data.validation) == 4

    def test_without_label_column_is_not_used(self) -> None:
        data = read(make_rows(), test=make_dataset().remove_columns("label"))
        assert data.test is None
        assert data.notices[0] == "split 'test' has no 'label' and is not used; there are: text"

    def test_without_rows_is_not_used(self) -> None:
        data = read(make_rows(), validation=make_dataset().select([]))
        assert len(data.validation) == 4

    def test_partly_unlabelled(self) -> None:
        test = make_dataset([*make_rows(4), ("x", None)])
        assert refusal(make_rows(), test=test) == (
            "1 of 5 rows of split 'test' cannot be used: "
            "in row 4 (counted from 0) 'label' is missing; --skip-unusable leaves such rows out"
        )

    def test_unknown_class(self) -> None:
        validation = make_dataset([*make_rows(4), ("x", "neutral")])
        assert refusal(make_rows(), validation=validation) == (
            "1 of 5 rows of split 'validation' cannot be used: in row 4 (counted from 0) "
            "'label' is 'neutral', a class that train does not have; "
            "--skip-unusable leaves such rows out"
        )

    def test_no_usable_row_of_test(self) -> None:
        data = read_data(
            source_of(train=make_dataset(make_rows()), test=make_dataset([("x", "neutral")])),
            reading=Reading(skip_unusable=True),
            seed=0,
        )
        assert data.test is None
        assert "split 'test' has no row that can be used, and counts as absent" in data.notices
        assert "no labelled test split: all figures are on validation rows" in data.notices

    def test_no_usable_row_of_validation(self) -> None:
        source = source_of(
            train=make_dataset(make_rows()), validation=make_dataset([("x", "neutral")])
        )
        with pytest.raises(DataError) as caught:
            read_data(source, reading=Reading(skip_unusable=True), seed=0)
        assert str(caught.value) == (
            "split 'validation' has no row that can be used: 1 of 1 rows of split 'validation' "
            "cannot be used: in row 0 (counted from 0) 'label' is 'neutral', a class that train "
            "does not have; left out"
        )

    def test_no_readable_row(self) -> None:
        rows = TableRows({}, (), (Unreadable("v.csv, line 2", "3 fields"),))
        train = make_dataset(make_rows())
        assert refusal(train, validation=rows).startswith(  # type: ignore[arg-type]
            "1 of 1 rows of split 'validation' cannot be read: in v.csv, line 2: 3 fields"
        )
        with pytest.raises(DataError, match="^split 'validation' has no row that can be used: 1 r"):
            skipping = Reading(skip_unusable=True)
            read_data(source_of(train=train, validation=rows), reading=skipping, seed=0)

    def test_without_text_column(self) -> None:
        test = make_dataset().rename_column("text", "sentence")
        assert refusal(make_rows(), test=test) == (
            "split 'test' has no column 'text'; there are: sentence, label"
        )

    def test_classes_in_another_order(self) -> None:
        test = with_classes(make_rows(labels=[0, 1]), ClassLabel(names=["pos", "neg"]))
        assert refusal(with_classes(make_rows(labels=[0, 1])), test=test) == (
            "split 'test' has the classes ['pos', 'neg'], but train has ['neg', 'pos']"
        )


def hold(split: Split, *, seed: int = 1) -> tuple[Split, Split]:
    """Hold rows out none of which must stay together."""
    return hold_out(split, families=np.arange(len(split)), seed=seed)


class TestHoldOut:
    def make_split(self, counts: list[int]) -> Split:
        labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        labels = np.random.default_rng(0).permutation(labels)
        return self.number(labels)

    def number(self, labels: np.ndarray) -> Split:
        """Return a split whose texts say the numbers of their rows."""
        rows = np.arange(len(labels))
        return Split("train", [str(row) for row in rows], labels, rows, np.ones(len(rows), bool))

    def make_several(self, rows: int) -> Split:
        """Return a split of rows with none to four of four labels."""
        labels = np.random.default_rng(0).integers(0, 2, (rows, 4)).astype(np.int32)
        return self.number(labels)

    def test_share_of_each_class(self) -> None:
        split = self.make_split([1000, 100, 10])
        rest, held = hold(split)
        assert Counter(held.labels.tolist()) == {0: 100, 1: 10, 2: 1}
        assert Counter(rest.labels.tolist()) == {0: 900, 1: 90, 2: 9}

    def test_seed_decides(self) -> None:
        split = self.make_split([500, 500])
        parts = [hold(split, seed=seed)[1].sha256 for seed in (1, 1, 2)]
        assert parts[0] == parts[1] != parts[2]

    def test_rows_are_drawn_from_everywhere(self) -> None:
        held = hold(self.make_split([500, 500]))[1]
        assert held.rows.min() < 100
        assert held.rows.max() > 900

    def test_neighbours_stay_together(self) -> None:
        one_label = self.number(np.repeat(np.arange(2, dtype=np.int32), 1_000))
        for split in (one_label, self.make_several(2_000)):
            _, held = hold(split)
            assert len(held) == 200
            # at random it would be about 180
            assert np.count_nonzero(np.diff(held.rows) > 1) < 20

    def test_rows_keep_their_numbers_and_labels(self) -> None:
        for split in (self.make_split([300, 200]), self.make_several(500)):
            parts = hold(split)
            for part in parts:
                assert part.texts == [str(row) for row in part.rows]
                np.testing.assert_array_equal(part.labels, split.labels[part.rows])
            assert sorted(np.concatenate([part.rows for part in parts])) == list(range(500))

    @pytest.mark.parametrize(("rows", "held"), [(6, 1), (100, 10), (1_234, 120), (100_000, 5_000)])
    def test_share_of_rows_with_several_labels(self, rows: int, held: int) -> None:
        rest, validation = hold(self.make_several(rows))
        assert len(validation) == pytest.approx(held, rel=0.05)
        assert len(rest) + len(validation) == rows

    def test_limit(self) -> None:
        _, held = hold(self.make_split([60_000, 60_000]))
        assert len(held) == 5_000

    def test_families_stay_together(self) -> None:
        split = self.make_split([500, 500])
        families = np.arange(1_000) // 4 * 4
        rest, held = hold_out(split, families=families, seed=1)
        assert len(held) == pytest.approx(100, abs=20)
        assert not set(families[held.rows]) & set(families[rest.rows])

    @pytest.mark.parametrize("large", [120, 600])
    def test_a_large_family_stays_in_train(self, large: int) -> None:
        split = self.make_split([500, 500])
        families = np.where(np.arange(1_000) < large, 0, np.arange(1_000))
        for seed in range(40):
            rest, held = hold_out(split, families=families, seed=seed)
            assert 30 <= len(held) <= 110
            assert set(range(large)) <= set(rest.rows.tolist())

    def test_families_of_more_than_the_share_give_the_smallest(self) -> None:
        families = np.repeat([0, 300, 500], [300, 200, 500])
        _, held = hold_out(self.make_split([500, 500]), families=families, seed=1)
        assert held.rows.tolist() == list(range(300, 500))

    def test_no_class_goes_with_a_family(self) -> None:
        labels = np.repeat(np.arange(3, dtype=np.int32), [300, 5, 300])
        families = np.arange(605)
        families[299:305] = 299
        for seed in range(40):
            rest, _ = hold_out(self.number(labels), families=families, seed=seed)
            assert set(rest.labels.tolist()) == {0, 1, 2}

    def test_no_class_of_several_goes(self) -> None:
        labels = np.zeros((200, 3), np.int32)
        labels[np.arange(200), np.arange(200) % 2] = 1
        labels[7, 2] = labels[8, 2] = 1
        for seed in range(40):
            rest, held = hold(self.number(labels), seed=seed)
            assert rest.labels.any(axis=0).all()
            assert len(held) >= 19

    @pytest.mark.parametrize("counts", [[300, 100, 40, 6], [50, 50, 3], [20] * 30 + [2] * 30])
    def test_classes_that_give_enough_are_drawn_as_before(self, counts: list[int]) -> None:
        """A training of before has the same split, and so goes on from its checkpoint."""
        split, random, before = self.make_split(counts), np.random.default_rng(1), []
        for label in range(len(counts)):
            rows = np.flatnonzero(split.labels == label)
            blocks = np.array_split(rows, min(len(rows), 100))
            drawn = random.permutation(len(blocks))[: round(0.1 * len(blocks))]
            before += [row for block in drawn for row in blocks[block].tolist()]
        assert hold(split)[1].rows.tolist() == sorted(before)

    @pytest.mark.parametrize(
        ("counts", "held"),
        [
            ([5] * 40, 20),
            ([4] * 1_500, 600),
            ([4, 4], 1),
            ([2, 2], 1),
            ([1] * 20 + [3] * 20, 8),
            ([6] + [4] * 100, 41),  # the first alone would give one row of 406
            ([1] * 300 + [2], 1),
        ],
    )
    def test_classes_of_a_few_rows(self, counts: list[int], held: int) -> None:
        rest, validation = hold(self.make_split(counts))
        assert len(validation) == held
        assert set(rest.labels.tolist()) == set(range(len(counts)))
        assert sorted([*rest.rows, *validation.rows]) == list(range(sum(counts)))

    def test_few_rows_are_drawn_by_the_seed_from_many_classes(self) -> None:
        split = self.make_split([5] * 40)
        held = [hold(split, seed=seed)[1] for seed in (1, 1, 2)]
        assert held[0].sha256 == held[1].sha256 != held[2].sha256
        assert Counter(held[0].labels.tolist()).most_common(1)[0][1] == 1

    def test_families_of_few_rows_stay_together(self) -> None:
        split = self.number(np.repeat(np.arange(20, dtype=np.int32), 4))
        families = np.arange(80) // 2 * 2
        rest, held = hold_out(split, families=families, seed=1)
        assert len(held) == 8
        assert not set(families[held.rows]) & set(families[rest.rows])

    def test_a_few_rows_with_several_labels(self) -> None:
        labels = np.eye(4, dtype=np.int32)[[0, 0, 1, 1, 3]]  # no row has the third label
        for seed in range(9):
            rest, held = hold(self.number(labels), seed=seed)
            assert len(held) == 1
            assert rest.labels.any(axis=0).tolist() == [True, True, False, True]
        assert len(hold(self.make_several(4))[1]) == 1

    def test_nothing_but_last_rows(self) -> None:
        several = self.number(np.eye(3, dtype=np.int32))
        for split in (self.make_split([1, 1]), self.make_split([1, 1, 1]), several):
            with pytest.raises(DataError, match=r"^the . rows of train are too few to hold any"):
                hold(split)
        one_family = self.make_split([2, 2])
        with pytest.raises(DataError, match="add rows, or a split 'validation'"):
            hold_out(one_family, families=np.zeros(4, np.int64), seed=1)


class TestDigest:
    def make(self, texts: list[str], labels: list[Any], *, first: int = 0) -> str:
        count = len(texts)
        rows, whole = np.arange(first, first + count), np.ones(count, bool)
        return Split("x", texts, np.array(labels, np.int32), rows, whole).sha256

    def test_depends_on_texts_labels_and_order(self) -> None:
        digests = {
            self.make(["ab", "c"], [0, 1]),
            self.make(["a", "bc"], [0, 1]),
            self.make(["ab", "c"], [1, 0]),
            self.make(["c", "ab"], [0, 1]),
            self.make(["ab", "ç"], [0, 1]),
        }
        assert len(digests) == 5

    def test_depends_on_every_set_of_labels(self) -> None:
        sets = [[int(digit) for digit in f"{number:04b}"] for number in range(16)]
        digests = {self.make(["ab"], [labels]) for labels in sets}
        assert len(digests) == 16

    def test_is_that_of_the_content(self) -> None:
        expected = hashlib.sha256(b"1 3\n\xc3\xa9a0 0\n").hexdigest()
        assert self.make(["éa", ""], [1, 0]) == expected
        expected = hashlib.sha256(b"0,2 3\n\xc3\xa9a 1\nb").hexdigest()
        assert self.make(["éa", "b"], [[1, 0, 1], [0, 0, 0]]) == expected

    def test_is_not_that_of_the_row_numbers(self) -> None:
        assert self.make(["a", "b"], [0, 1]) == self.make(["a", "b"], [0, 1], first=5)


class TestNestedRows:
    """Rows that are pieces of one another, as in treebanks of phrases."""

    def make_phrases(self) -> list[tuple[str, int]]:
        """Return 60 sentences of 8 words with two long phrases and a short one of each."""
        sentences = [[f"w{number}x{word}" for word in range(8)] for number in range(60)]
        cuts = ((0, 8), (0, 5), (3, 8), (6, 8))
        pieces = [words[start:end] for words in sentences for start, end in cuts]
        return [(" ".join(words), row // 4 % 2) for row, words in enumerate(pieces)]

    def test_a_sentence_is_held_out_with_its_phrases(self) -> None:
        data = read(self.make_phrases())
        long = [[t for t in s.texts if t.count(" ") > 2] for s in (data.train, data.validation)]
        train, validation = ({text.split("x")[0] for text in texts} for texts in long)
        assert len(validation) == 6
        assert not train & validation

    def test_only_whole_sentences_decide(self) -> None:
        data = read(self.make_phrases())
        texts = data.validation.whole_texts
        assert [text.count(" ") for text in texts] == [7] * 6
        notice = (
            "180 of 240 rows of train and validation are parts of other rows: "
            "of validation only the 6 that are not decide"
        )
        assert notice in data.notices

    def test_a_word_counts_once_however_many_phrases_have_it(self) -> None:
        train = read(self.make_phrases()).train
        assert len(train.whole_texts) == 54
        assert {text.count(" ") for text in train.whole_texts} == {7}

    def test_of_a_row_that_stands_twice_one_gives_its_words(self) -> None:
        rows = [(f"row {row} says a thing of its own", row % 2) for row in range(40)]
        train = read(rows * 2).train
        assert len(train) == 72
        assert sorted(train.whole_texts) == sorted(set(train.texts))

    def test_a_split_of_its_own_may_have_parts_of_train(self) -> None:
        rows = make_rows(labels=[0, 1])
        text = "these words stand in train"
        validation = make_dataset([(text, 0), ("something else", 1)])
        data = read([*rows, (f"{text} and more follow", 1)], validation=validation)
        assert data.validation.whole.tolist() == [False, True]

    def test_what_stands_in_validation_too_is_still_learned_from(self) -> None:
        rows = [(f"row {row} says a thing of its own", row % 2) for row in range(20)]
        longer = make_dataset([(f"{text}, and that is not all", label) for text, label in rows])
        train = read(rows, validation=longer).train
        assert train.whole_texts == [text for text, _ in rows]
