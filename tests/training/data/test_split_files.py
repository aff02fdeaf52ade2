"""The files of a folder are found by their names; what is not read is said."""

from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, Value

from tests.training.labelled_files import make_rows, write_csv, write_jsonl, write_parquet
from training.data.sources import Source, load_source
from training.data.split_files import find_split_files
from training.data.splits import LabelledData, read_data
from training.errors import DataError
from training.reading import Reading


def find(folder: Path, *names: str) -> dict[str, list[str]]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    found = find_split_files(folder)
    assert found is not None
    return {
        split: [file.relative_to(folder).as_posix() for file in files]
        for split, files in found.splits.items()
    }


def load(folder: Path, **wishes: Any) -> Source:
    return load_source(str(folder), config=None, revision=None, reading=Reading(**wishes))


def read(folder: Path, **wishes: Any) -> LabelledData:
    return read_data(load(folder, **wishes), reading=Reading(**wishes), seed=0)


class TestNames:
    @pytest.mark.parametrize(
        ("train", "validation", "test"),
        [
            ("train.csv", "valid.csv", "test.csv"),
            ("Train.csv", "Valid.csv", "Test.csv"),
            ("TRAIN.TSV", "DEV.TSV", "TEST.TSV"),
            ("reviews_Train-1.jsonl", "reviews_Val-1.jsonl", "reviews_Eval-1.jsonl"),
            ("training.parquet", "validation.csv.gz", "testing.json"),
            ("Train/1.csv", "Dev/1.csv", "Test/1.csv"),
            ("data/train/a/x.csv", "data/val/a/x.csv", "data/test/a/x.csv"),
        ],
    )
    def test_each_says_its_split(
        self, tmp_path: Path, train: str, validation: str, test: str
    ) -> None:
        assert find(tmp_path, train, validation, test) == {
            "train": [train],
            "validation": [validation],
            "test": [test],
        }

    def test_words_within_words_say_nothing(self, tmp_path: Path) -> None:
        names = ["contest.csv", "devices.csv", "retrained.csv", "value.csv"]
        assert find(tmp_path, *names) == {"train": names}

    def test_files_go_before_folders(self, tmp_path: Path) -> None:
        assert find(tmp_path, "test/train.csv", "test/test.csv") == {
            "train": ["test/train.csv"],
            "test": ["test/test.csv"],
        }

    def test_what_is_no_table_is_no_matter(self, tmp_path: Path) -> None:
        names = ("train.csv", "LICENSE.txt", "test-readme.md", "dataset_infos.json", "plot.png")
        assert find(tmp_path, *names) == {"train": ["train.csv"]}

    def test_hidden_files(self, tmp_path: Path) -> None:
        hidden = ("._train.csv", ".cache/train.csv", "__MACOSX/train.csv", "~$train.csv")
        assert find(tmp_path, "train.csv", *hidden) == {"train": ["train.csv"]}


class TestNotes:
    def test_files_that_are_not_read(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "train.csv")
        for name in ("extra.csv", "more/new.jsonl"):
            write_csv(tmp_path / name)
        assert load(tmp_path).notes == [
            "not read, as their names say no split: extra.csv, more/new.jsonl"
        ]

    def test_splits_of_several_files(self, tmp_path: Path) -> None:
        for name in ("a.csv", "b.csv"):
            write_csv(tmp_path / name, make_rows(10))
        source = load(tmp_path)
        assert source.notes == ["split 'train' is read from 2 files: a.csv, b.csv"]
        assert len(source.splits["train"]) == 20

    def test_no_note_without_a_choice(self, tmp_path: Path) -> None:
        for name in ("train.csv", "test.csv"):
            write_csv(tmp_path / name)
        assert load(tmp_path).notes == []


class TestKinds:
    def test_each_split_may_be_of_another(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "train.csv", make_rows(40))
        write_jsonl(tmp_path / "validation.jsonl", make_rows(8))
        write_parquet(tmp_path / "test.parquet", make_rows(6))
        data = read(tmp_path)
        assert {name: len(split) for name, split in data.splits.items()} == {
            "train": 40,
            "validation": 8,
            "test": 6,
        }

    def test_texts_of_one_split_may_be_of_several(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "a.csv", make_rows(30))
        write_jsonl(tmp_path / "b.jsonl", [("more", "pos")])
        assert len(load(tmp_path).splits["train"]) == 31

    def test_parquet_and_others_in_one_split(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "train-1.csv")
        write_parquet(tmp_path / "train-2.parquet")
        with pytest.raises(DataError, match=r"one split: train-1\.csv, train-2\.parquet"):
            load(tmp_path)

    def test_patterns_in_the_path(self, tmp_path: Path) -> None:
        folder = tmp_path / "reviews [new] *?"
        write_parquet(folder / "train.parquet")
        assert len(load(folder).splits["train"]) == 40


class TestColumns:
    @pytest.mark.parametrize("write", ["csv", "parquet"])
    def test_other_order_and_further_columns(self, tmp_path: Path, write: str) -> None:
        train = Dataset.from_list([{"text": text, "label": label} for text, label in make_rows()])
        test = Dataset.from_list([{"id": 1, "label": "pos", "text": "fine"}] * 3)
        for name, rows in (("train", train), ("test", test)):
            getattr(rows, f"to_{write}")(tmp_path / f"{name}.{write}")
        data = read(tmp_path)
        assert data.test is not None
        assert data.test.texts == ["fine"] * 3

    def test_parts_of_one_split(self, tmp_path: Path) -> None:
        write_parquet(tmp_path / "train-1.parquet", make_rows(30))
        other = Dataset.from_list([{"label": "pos", "text": "fine", "id": 1}] * 3)
        other.to_parquet(tmp_path / "train-2.parquet")
        rows = load(tmp_path).splits["train"]
        assert list(rows["text"])[-1] == "fine"
        assert len(rows) == 33

    def test_parts_of_other_types(self, tmp_path: Path) -> None:
        write_parquet(tmp_path / "train-1.parquet")
        Dataset.from_dict({"text": ["a"], "label": [1]}).to_parquet(tmp_path / "train-2.parquet")
        with pytest.raises(DataError, match="a column has other types in other files of train-1"):
            load(tmp_path)

    def test_declared_classes_are_kept(self, tmp_path: Path) -> None:
        features = Features(text=Value("string"), label=ClassLabel(names=["no", "yes"]))
        for number in (1, 2):
            rows = Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
            rows.to_parquet(tmp_path / f"train-{number}.parquet")
        assert load(tmp_path).splits["train"].features == features
        other = Features(text=Value("string"), label=ClassLabel(names=["yes", "no"]))
        rows = Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=other)
        rows.to_parquet(tmp_path / "train-3.parquet")
        with pytest.raises(DataError, match="declare other classes"):
            load(tmp_path)


class TestNamesOfColumns:
    @pytest.mark.parametrize("header", [("Text", "LABEL"), (" text ", "label"), ("TEXT", "Label ")])
    @pytest.mark.parametrize("write", [write_csv, None])
    def test_capitals_and_spaces(self, tmp_path: Path, header: tuple[str, str], write: Any) -> None:
        write_csv(tmp_path / "train.csv")
        if write is None:
            text, label = header
            rows = Dataset.from_list([{text: f"a {row}", label: "pos"} for row in range(5)])
            rows.to_parquet(tmp_path / "test.parquet")
        else:
            write(tmp_path / "test.csv", [(f"a {row}", "pos") for row in range(5)], header=header)
        data = read(tmp_path)
        assert data.test is not None
        assert len(data.test) == 5
        renamed = [name for name in header if name not in ("text", "label")]
        (notice,) = (one for one in data.notices if "the names of columns differ" in one)
        assert all(repr(name) in notice for name in renamed)

    def test_a_column_of_the_name_goes_first(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "train.csv")
        rows = [("a", "pos", "x")] * 3
        write_csv(tmp_path / "test.csv", rows, header=("text", "label", "Label"))
        data = read(tmp_path)
        assert data.test is not None
        assert not any("differ" in one for one in data.notices)

    def test_two_alike_are_no_choice(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "train.csv")
        rows = [("a", "pos", "x")] * 3
        write_csv(tmp_path / "test.csv", rows, header=("text", "LABEL", "Label"))
        notice = "split 'test' has no 'label' and is not used; there are: text, LABEL, Label"
        assert notice in read(tmp_path).notices


class TestHiddenFilesOfClasses:
    @pytest.mark.parametrize("hidden", [".DS_Store", "Thumbs.db", "._1.txt", "desktop.ini"])
    def test_they_are_no_texts(self, tmp_path: Path, hidden: str) -> None:
        for split in ("Train", "Test"):
            for label in ("pos", "neg"):
                folder = tmp_path / split / label
                folder.mkdir(parents=True)
                for number in range(1, 13):
                    (folder / f"{number}.txt").write_text(f"text {label} {number}")
                (folder / hidden).write_bytes(b"\0\5\x16\7")
        data = read(tmp_path)
        assert data.labels == ("neg", "pos")
        assert {name: len(split) for name, split in data.splits.items()} == {
            "train": 22,
            "validation": 2,
            "test": 24,
        }


class TestOtherFilesOfClasses:
    def test_they_are_counted(self, tmp_path: Path) -> None:
        for label in ("pos", "neg"):
            for number in range(12):
                write_text(tmp_path / label / f"{number}.txt", f"text {label} {number}")
        for name in ("README.md", "neg/notes.pdf", "pos/old.html"):
            write_text(tmp_path / name, "x")
        source = load(tmp_path)
        assert len(source.splits["train"]) == 24
        assert source.notes == [
            f"{tmp_path.name}: 3 files do not end in .txt and are not read: README.md"
        ]

    @pytest.mark.parametrize("name", ["neg/rows.csv", "neg/deeper/1.txt"])
    def test_tables_and_folders_are_no_classes(self, tmp_path: Path, name: str) -> None:
        for path in ("pos/1.txt", "neg/1.txt", name):
            write_text(tmp_path / path, "text,label\na,b\n")
        assert "label" not in load(tmp_path).splits["train"].features or name.endswith(".csv")


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
