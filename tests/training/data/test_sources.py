"""Every kind of file and folder is read as it stands, or refused in one clear line."""

import errno
import os
from pathlib import Path

import datasets
import pandas
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from tests.training.labelled_files import (
    make_dataset,
    make_rows,
    write_csv,
    write_json,
    write_jsonl,
    write_parquet,
)
from training.data import sources
from training.data.sources import Source, load_source
from training.data.splits import read_data
from training.errors import DataError


def load(path: Path | str, *, config: str | None = None, revision: str | None = None) -> Source:
    return load_source(str(path), config=config, revision=revision)


def rows_of(source: Source, split: str = "train") -> list[tuple[object, object]]:
    rows = source.splits[split]
    return list(zip(rows["text"], rows["label"], strict=True))


def read_refusal(path: Path | str) -> str:
    """Return the message with which the rows of `path` are refused: one line."""
    with pytest.raises(DataError) as caught:
        read_data(load(path), seed=0)
    message = str(caught.value)
    assert "\n" not in message
    return message


def refusal(path: Path | str, *, config: str | None = None, revision: str | None = None) -> str:
    """Return the message with which `path` is refused: one line, without another's internals."""
    with pytest.raises(DataError) as caught:
        load(path, config=config, revision=revision)
    message = str(caught.value)
    assert "\n" not in message
    assert " object at 0x" not in message
    assert len(message) < 500
    return message


def write_declared(folder: Path) -> None:
    """Write a folder whose card declares its columns, so that `datasets` builds it."""
    write_parquet(folder / "train.parquet")
    columns = [f"  - name: {name}\n    dtype: string" for name in ("text", "label")]
    card = ["---", "dataset_info:", "  features:", *columns, "---", ""]
    (folder / "README.md").write_text("\n".join(card))


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "write"),
        [
            ("reviews.csv", write_csv),
            ("reviews.json", write_json),
            ("reviews.jsonl", write_jsonl),
            ("reviews.ndjson", write_jsonl),
            ("reviews.parquet", write_parquet),
            ("REVIEWS.CSV", write_csv),
            ("my reviews, größer.csv", write_csv),
        ],
    )
    def test_kinds(self, tmp_path: Path, name: str, write) -> None:
        source = load(write(tmp_path / name))
        assert rows_of(source) == make_rows()
        assert source.name == name
        assert source.revision is None
        assert source.description == f"local file {tmp_path / name}"

    def test_tsv(self, tmp_path: Path) -> None:
        rows = [("one, two", "a"), ("three", "b")]
        path = write_csv(tmp_path / "r.tsv", rows, separator="\t")
        assert rows_of(load(path)) == rows

    @pytest.mark.parametrize(
        ("suffix", "write"),
        [(".csv", write_csv), (".jsonl", write_jsonl), (".parquet", write_parquet)],
    )
    def test_name_is_no_pattern(self, tmp_path: Path, suffix: str, write) -> None:
        write(tmp_path / f"r1{suffix}", [("another file", "x")] * 3)
        for name in ("r[1]", "r*", "r?"):
            path = write(tmp_path / f"{name}{suffix}")
            assert rows_of(load(path)) == make_rows()

    def test_changed_file_is_read_again(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "r.jsonl", [("old", "a")])
        assert rows_of(load(path)) == [("old", "a")]
        write_jsonl(path, [("new", "a")])
        assert rows_of(load(path)) == [("new", "a")]

    def test_relative_path_and_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_csv(tmp_path / "r.csv")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert rows_of(load("r.csv")) == rows_of(load("~/r.csv")) == make_rows()

    def test_words_that_look_like_missing_values(self, tmp_path: Path) -> None:
        rows = [(word, "a") for word in ("NA", "None", "null", "nan", "N/A", "-")]
        assert rows_of(load(write_csv(tmp_path / "r.csv", rows))) == rows

    def test_quoted_fields_with_commas_quotes_and_lines(self, tmp_path: Path) -> None:
        rows = [('He said, "no"', "a"), ("two\nlines", "b")]
        assert rows_of(load(write_csv(tmp_path / "r.csv", rows))) == rows

    def test_csv_type_follows_from_all_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "r.csv"
        path.write_text("text,label\n" + "a,0\n" * 12_000 + "b,unsure\n")
        assert set(load(path).splits["train"]["label"]) == {"0", "unsure"}

    def test_bytes_before_the_header(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", encoding="utf-8-sig")
        assert rows_of(load(path)) == make_rows()

    def test_comma_at_the_end_of_each_line(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", [(*row, "") for row in make_rows()])
        assert rows_of(load(path)) == make_rows()

    def test_categories(self, tmp_path: Path) -> None:
        table = pandas.DataFrame(make_rows(), columns=["text", "label"])
        table["label"] = table["label"].astype("category")
        table.to_parquet(tmp_path / "r.parquet")
        assert rows_of(load(tmp_path / "r.parquet")) == make_rows()

    def test_class_names_of_a_parquet_file(self, tmp_path: Path) -> None:
        features = Features(text=Value("string"), label=ClassLabel(names=["no", "yes"]))
        rows = Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
        rows.to_parquet(tmp_path / "r.parquet")
        assert load(tmp_path / "r.parquet").splits["train"].features == features


class TestRefusedFiles:
    def test_unknown_kind(self, tmp_path: Path) -> None:
        path = tmp_path / "r.xlsx"
        path.touch()
        assert refusal(path) == (
            f"{path}: unknown kind of file; known are "
            ".csv, .tsv, .json, .jsonl, .ndjson, .parquet, .txt, each also with .gz"
        )

    @pytest.mark.parametrize(
        "dataset", ["nowhere/at/all", "./r", "/r.csv", "r.csv", "r.PARQUET", "~no-such-user/r.csv"]
    )
    def test_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str) -> None:
        monkeypatch.chdir(tmp_path)
        assert refusal(dataset) == f"no file or folder {dataset}"

    def test_nothing_named(self) -> None:
        assert "--dataset names nothing" in refusal("")

    @pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet"])
    def test_empty(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"r{suffix}"
        path.touch()
        assert refusal(path) == f"{path} is empty"

    def test_csv_of_empty_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "r.csv"
        path.write_text("\n\n")
        assert refusal(path) == f"{path} has no header with the names of the columns"

    def test_no_rows(self, tmp_path: Path) -> None:
        for path in (
            write_csv(tmp_path / "r.csv", []),
            write_json(tmp_path / "r.json", []),
            tmp_path / "r.parquet",
        ):
            if path.suffix == ".parquet":
                pandas.DataFrame({"text": [], "label": []}).to_parquet(path)
            assert "no rows" in refusal(path)
            assert str(path) in refusal(path)

    def test_corrupt_parquet(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path / "r.parquet")
        path.write_bytes(path.read_bytes()[:-20])
        assert refusal(path).startswith(f"cannot read {path}: Parquet magic bytes not found")

    def test_another_encoding(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", [("fine", "b"), ("schön", "a")], encoding="latin-1")
        assert read_refusal(path) == (
            "1 of 2 rows of split 'train' cannot be used: in r.csv, line 3 'text' holds bytes that "
            "are not UTF-8; name the --encoding of the file, such as cp1252; "
            "--skip-unusable leaves such rows out"
        )
        path = tmp_path / "r.jsonl"
        path.write_text('{"text": "schön", "label": "a"}\n{"text"', encoding="latin-1")
        assert "r.jsonl, line 1: not JSON: bytes that are not UTF-8" in read_refusal(path)

    @pytest.mark.parametrize(
        "names", [("schön", "gut", "gut"), ('["schön", "gut"]', '["gut"]', '["gut"]')]
    )
    def test_labels_in_another_encoding(self, tmp_path: Path, names: tuple[str, ...]) -> None:
        rows = [("fine", names[row % 3]) for row in range(60)]
        path = write_csv(tmp_path / "r.csv", rows, encoding="latin-1")
        assert read_refusal(path) == (
            "20 of 60 rows of split 'train' cannot be used: in r.csv, line 2 'label' holds bytes "
            "that are not UTF-8; name the --encoding of the file, such as cp1252; "
            "--skip-unusable leaves such rows out"
        )

    def test_names_of_labels_and_columns_in_another_encoding(self, tmp_path: Path) -> None:
        path = tmp_path / "r.csv"
        path.write_text("text,schön,gut\na,0,1\nb,1,0\n", encoding="latin-1")
        assert read_refusal(path).endswith(
            "the label 'sch\\udcf6n' holds bytes that are not UTF-8; "
            "name the --encoding of the file, such as cp1252"
        )
        path.write_text("text,schön\na,x\nb,y\n", encoding="latin-1")
        assert read_refusal(path).startswith("the name of the column 'sch\\udcf6n' holds bytes")

    def test_rows_longer_than_the_header(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", [("fine", "pos"), ("a", "comma", "pos")])
        assert read_refusal(path) == (
            "1 of 2 rows of split 'train' cannot be read: in r.csv, line 3: "
            "3 fields, where the header has 2; --skip-unusable leaves such rows out"
        )

    @pytest.mark.parametrize(
        ("name", "content", "fault"),
        [
            ("r.jsonl", '{"text": "a", "label": "b"}\nrubbish\n', "line 2: not JSON"),
            ("r.jsonl", '{"text": "a", "label": "b"}\n{"text": 1', "line 2: not JSON"),
            ("r.json", '[{"text": "a"},\n{"text" "b"}]', "line 2, column 9 is not JSON"),
            ("r.json", '"text"', "line 1 holds no object such as"),
            ("r.jsonl", '{"text": "a\u2028b", "label": 1}\nrubbish', "line 2: not JSON"),
            ("r.jsonl", '{"text": "half \\ud83d", "label": 1}\n', "half a character, \\ud83d"),
            ("r.jsonl", '{"text": "a", "label": "\\ud83d"}\n', "half a character, \\ud83d"),
            ("r.jsonl", '{"text": "a", "label": {"\\ud83d": 1}}\n', "half a character, \\ud83d"),
        ],
    )
    def test_broken_json(self, tmp_path: Path, name: str, content: str, fault: str) -> None:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert fault in read_refusal(path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv")
        path.chmod(0)
        assert f"cannot read {path}: [Errno 13] Permission denied" in refusal(path)

    def test_options_of_the_hub(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv")
        assert refusal(path, revision="main") == (
            f"--revision is for Hub datasets, but {path} is a local path"
        )
        assert refusal(path, config="de") == f"--dataset-config 'de': {path} has no configurations"


class TestFolders:
    def test_splits(self, tmp_path: Path) -> None:
        folder = tmp_path / "reviews"
        write_parquet(folder / "train-00000-of-00002.parquet", make_rows(10))
        write_parquet(folder / "train-00001-of-00002.parquet", make_rows(12))
        write_parquet(folder / "validation.parquet", make_rows(6))
        write_parquet(folder / "test.parquet", make_rows(8))
        source = load(folder)
        assert {name: len(rows) for name, rows in source.splits.items()} == {
            "train": 22,
            "validation": 6,
            "test": 8,
        }
        assert source.name == "reviews"
        assert source.description == f"local folder {folder}"

    def test_one_file_of_any_name_is_train(self, tmp_path: Path) -> None:
        write_parquet(tmp_path / "folder" / "2024.parquet")
        assert rows_of(load(tmp_path / "folder")) == make_rows()

    def test_csv_words_that_look_like_missing_values(self, tmp_path: Path) -> None:
        rows = [("NA", "None"), ("null", "x")]
        write_csv(tmp_path / "folder" / "train.csv", rows)
        assert rows_of(load(tmp_path / "folder")) == rows

    def test_tsv(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "folder" / "train.tsv", separator="\t")
        assert rows_of(load(tmp_path / "folder")) == make_rows()

    @pytest.mark.parametrize("name", ["csv", "json", "parquet"])
    def test_named_as_a_builder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        write_parquet(tmp_path / name / "train.parquet")
        monkeypatch.chdir(tmp_path)
        assert rows_of(load(name)) == make_rows()

    def test_a_folder_goes_before_the_hub(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_parquet(tmp_path / "org" / "reviews" / "train.parquet")
        monkeypatch.chdir(tmp_path)
        source = load("org/reviews")
        assert source.description == "local folder org/reviews"
        assert source.revision is None

    @pytest.fixture
    def configured(self, tmp_path: Path) -> Path:
        """A folder whose README names two configurations."""
        folder = tmp_path / "configured"
        card = ["---", "configs:"]
        for config in ("de", "en"):
            write_parquet(folder / config / "data.parquet", [(config, "a"), (config, "b")])
            card += [f"- config_name: {config}", "  data_files:", "  - split: train"]
            card += [f"    path: {config}/data.parquet"]
        (folder / "README.md").write_text("\n".join([*card, "---", ""]))
        return folder

    def test_configurations(self, configured: Path) -> None:
        source = load(configured, config="en")
        assert rows_of(source) == [("en", "a"), ("en", "b")]
        assert source.config == "en"

    def test_configuration_must_be_named(self, configured: Path) -> None:
        assert refusal(configured) == (
            f"{configured} has several configurations; name one with --dataset-config: de, en"
        )
        assert refusal(configured, config="fr") == (
            f"{configured} has no configuration 'fr'; there are: de, en"
        )

    @pytest.mark.parametrize("labels", [("00501", "501"), ("1E5", "NA")])
    def test_labels_of_configurations_stay_as_they_stand(
        self, tmp_path: Path, labels: tuple[str, str]
    ) -> None:
        write_csv(tmp_path / "de" / "rows.csv", make_rows(labels=labels))
        card = "---\nconfigs:\n- config_name: de\n  data_files: de/rows.csv\n---\n"
        (tmp_path / "README.md").write_text(card)
        assert rows_of(load(tmp_path, config="de")) == make_rows(labels=labels)

    @pytest.mark.parametrize("name", ["train.parquet", "train.csv", "train.jsonl"])
    @pytest.mark.parametrize("declared", [True, False])
    def test_a_clone_without_its_files(self, tmp_path: Path, name: str, declared: bool) -> None:
        folder = tmp_path / "reviews"
        folder.mkdir()
        if declared:
            write_declared(folder)
            (folder / "train.parquet").unlink()
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:66\nsize 1\n"
        (folder / name).write_text(pointer)
        assert "is a pointer of Git LFS, not the data: run git lfs pull" in refusal(folder)

    def test_saved_dataset(self, tmp_path: Path) -> None:
        make_dataset().save_to_disk(tmp_path / "saved")
        assert rows_of(load(tmp_path / "saved")) == make_rows()
        assert "--dataset-config 'x'" in refusal(tmp_path / "saved", config="x")

    def test_saved_dataset_dict(self, tmp_path: Path) -> None:
        splits = {"train": make_dataset(), "test": make_dataset(make_rows(6))}
        DatasetDict(splits).save_to_disk(tmp_path / "saved")
        source = load(tmp_path / "saved")
        assert rows_of(source) == make_rows()
        assert rows_of(source, "test") == make_rows(6)


class TestRefusedFolders:
    def test_empty(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        assert refusal(folder) == (
            f"cannot read {folder}: The directory at {folder} doesn't contain any data files"
        )

    def test_loading_script(self, tmp_path: Path) -> None:
        folder = tmp_path / "reviews"
        write_parquet(folder / "train.parquet")
        (folder / "reviews.py").touch()
        message = refusal(folder)
        assert message.startswith(f"cannot read {folder}: Dataset scripts are no longer supported")
        assert "reviews.py" in message

    def test_broken_csv(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        write_csv(folder / "train.csv", [("fine", "pos"), ("a", "comma", "pos")])
        assert "train.csv, line 3: 3 fields, where the header has 2" in read_refusal(folder)

    def test_pattern_in_the_path(self, tmp_path: Path) -> None:
        folder = tmp_path / "reviews [new]"
        write_declared(folder)
        assert refusal(folder) == (
            f"cannot read {folder}: a folder's path must not hold any of *?["
        )

    def test_revision(self, tmp_path: Path) -> None:
        write_parquet(tmp_path / "train.parquet")
        assert "--revision is for Hub datasets" in refusal(tmp_path, revision="main")

    def test_broken_saved_dataset(self, tmp_path: Path) -> None:
        make_dataset().save_to_disk(tmp_path / "saved")
        (tmp_path / "saved" / "data-00000-of-00001.arrow").unlink()
        message = refusal(tmp_path / "saved")
        assert message.startswith(f"cannot read {tmp_path / 'saved'}: [Errno 2]")
        assert "data-00000-of-00001.arrow" in message


def test_a_name_that_nothing_can_have() -> None:
    assert refusal("no such thing!").startswith("no file or folder 'no such thing!' here, and no")


def test_long_causes_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: str) -> None:
        raise ValueError("first line\n" + "x" * 1000)

    monkeypatch.setattr(datasets, "load_from_disk", fail)
    (tmp_path / "state.json").touch()
    message = refusal(tmp_path)
    assert message.startswith(f"cannot read {tmp_path}: first line xxx")
    assert message.endswith("x…")


class TestMisspelt:
    @pytest.mark.parametrize(
        ("dataset", "near"),
        [
            ("reveiws.csv", "reviews.csv"),
            ("./reviws.csv", "reviews.csv"),
            ("data/revs/", "data/rev"),
        ],
    )
    def test_a_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, near: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write_csv(tmp_path / "reviews.csv")
        write_csv(tmp_path / "data" / "rev" / "train.csv")
        assert refusal(dataset) == f"no file or folder {dataset}; is {near} meant?"

    @pytest.mark.parametrize(
        ("dataset", "near"), [("reveiws", "reviews"), ("data/reveiws", "data/reviews")]
    )
    def test_what_could_be_at_the_hub(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, near: str
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise DataError("cannot reach the Hub")

        monkeypatch.setattr(sources, "load_from_hub", fail)
        monkeypatch.chdir(tmp_path)
        for folder in ("reviews", "data/reviews"):
            write_csv(tmp_path / folder / "train.csv")
        assert refusal(dataset) == (
            f"cannot reach the Hub; no file or folder {dataset!r} is here; is {near} meant?"
        )


class TestUnwritableCache:
    def test_it_is_named_with_its_variable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "reviews"
        write_declared(folder)
        (tmp_path / "file").touch()
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "file" / "cache")
        message = refusal(folder)
        assert message.startswith(f"cannot keep converted data in {tmp_path / 'file' / 'cache'}")
        assert message.endswith("set HF_HOME to a folder that can be written")

    @pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
    def test_behind_other_errors(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            try:
                raise OSError(code, os.strerror(code))
            except OSError as error:
                raise RuntimeError("no luck") from error

        write_declared(tmp_path)
        monkeypatch.setattr(datasets.DatasetBuilder, "download_and_prepare", fail)
        assert f"({os.strerror(code)}); set HF_HOME" in refusal(tmp_path)
