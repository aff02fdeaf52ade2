"""What people have in their files is read as they meant it, or refused; nothing is lost unsaid."""

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from tests.training.labelled_files import make_rows, write_csv, write_jsonl, write_parquet
from training.data.sources import Source, load_source
from training.data.splits import LabelledData, read_data
from training.errors import DataError
from training.inspection.rows import read_rows
from training.reading import Reading


def load(path: Path, **wishes: Any) -> Source:
    return load_source(str(path), config=None, revision=None, reading=Reading(**wishes))


def read(path: Path, **wishes: Any) -> LabelledData:
    return read_data(load(path, **wishes), reading=Reading(**wishes), seed=0)


def labels_of(data: LabelledData) -> dict[str, str]:
    """Return the label of each text, of all splits."""
    return {
        text: data.labels[label]
        for split in data.splits.values()
        for text, label in zip(split.texts, split.labels, strict=True)
    }


def refusal(path: Path, **wishes: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **wishes)
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestSeveralLabelsInOneCell:
    LABELS = ("toxic", "rude", "spam", "toxic{}rude", "rude{}spam", "toxic{}rude{}spam")

    @pytest.mark.parametrize("joint", ["|", ";", "#", ",", ", ", "/", " + "])
    def test_they_are_pointed_out(self, tmp_path: Path, joint: str) -> None:
        labels = [label.replace("{}", joint) for label in self.LABELS]
        path = write_csv(tmp_path / "r.csv", make_rows(120, labels=labels))
        (notice,) = (one for one in read(path).notices if "--split-labels" in one)
        assert f"3 labels such as {labels[4]!r} look like several in one text" in notice
        raw = read_rows(load(path), reading=Reading())
        assert notice in raw.notices

    @pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "folder/train.csv"])
    def test_they_are_read_as_several(self, tmp_path: Path, name: str) -> None:
        rows = make_rows(120, labels=[label.replace("{}", "|") for label in self.LABELS])
        (tmp_path / "folder").mkdir()
        path = (write_jsonl if name == "r.jsonl" else write_csv)(tmp_path / name, rows)
        data = read(path.parent if "folder" in name else path, split_labels="|")
        assert (data.task, data.labels) == ("multi_label", ("rude", "spam", "toxic"))
        assert data.train.labels.sum(axis=1).max() == 3

    @pytest.mark.parametrize(
        "labels", [("pos", "neg"), ("rock, pop", "jazz"), ("a/b", "c/d", "x"), ("R&B", "D&D", "B")]
    )
    def test_names_with_such_characters_are_left_alone(
        self, tmp_path: Path, labels: tuple[str, ...]
    ) -> None:
        data = read(write_csv(tmp_path / "r.csv", make_rows(120, labels=labels)))
        assert not any("--split-labels" in notice for notice in data.notices)


class TestPipesAndLinks:
    def test_a_pipe_is_named(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "r.csv")
        for path in (tmp_path / "r.csv", Path("/dev/null")):
            assert refusal(path) == (
                f"--dataset {path} is a pipe; write it to a file such as data.csv"
            )
        assert "is a pipe" in refusal(Path("-"))

    def test_a_link_to_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "r.csv").symlink_to("gone.csv")
        assert refusal(tmp_path / "r.csv") == (
            f"{tmp_path / 'r.csv'} is a link to gone.csv, which is not there"
        )

    def test_a_link_to_a_file(self, tmp_path: Path) -> None:
        write_csv(tmp_path / "there.csv")
        (tmp_path / "r.csv").symlink_to("there.csv")
        assert len(load(tmp_path / "r.csv").splits["train"]) == 40


class TestObjects:
    ROWS = tuple(
        {"example": {"text": text, "n": 1}, "answer": {"label": {"name": label}}}
        for text, label in make_rows(40)
    )
    NAMES: ClassVar = {"text_column": "example.text", "label_column": "answer.label.name"}

    @pytest.mark.parametrize("name", ["r.jsonl", "r.json", "r.parquet", "folder/train.jsonl"])
    def test_fields_are_named_with_a_dot(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "folder").mkdir()
        path = tmp_path / name
        if name == "r.parquet":
            pandas.DataFrame(list(self.ROWS)).to_parquet(path)
        elif name == "r.json":
            path.write_text(json.dumps(list(self.ROWS)))
        else:
            path.write_text("\n".join(map(json.dumps, self.ROWS)))
        data = read(path.parent if "folder" in name else path, **self.NAMES)
        assert labels_of(data) == dict(make_rows(40))

    def test_the_way_is_pointed_out(self, tmp_path: Path) -> None:
        (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, self.ROWS)))
        assert "a field in an object is named like example.text" in refusal(tmp_path / "r.jsonl")
        message = refusal(tmp_path / "r.jsonl", text_column="example.txt")
        assert "--text-column 'example.txt': no such column" in message

    def test_rows_without_the_field_are_named(self, tmp_path: Path) -> None:
        rows = [*self.ROWS, {"example": "text", "answer": {"label": {"name": "pos"}}}]
        (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
        message = refusal(tmp_path / "r.jsonl", **self.NAMES)
        assert "line 41 'example.text' is missing" in message

    def test_a_column_with_a_dot_goes_first(self, tmp_path: Path) -> None:
        rows = [{"a.b": text, "a": {"b": "no"}, "label": label} for text, label in make_rows(40)]
        (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert labels_of(read(tmp_path / "r.jsonl", text_column="a.b")) == dict(make_rows(40))


class TestJoinedFiles:
    def test_the_header_again_is_left_out(self, tmp_path: Path) -> None:
        content = write_csv(tmp_path / "a.csv", make_rows(30)).read_text()
        (tmp_path / "r.csv").write_text(f"{content}\ufeff{content}{content}")
        source = load(tmp_path / "r.csv")
        assert len(source.splits["train"]) == 90
        assert source.notes == [
            "r.csv: the header is there again and left out: lines 32, 63",
        ]
        assert set(read(tmp_path / "r.csv").labels) == {"neg", "pos"}

    def test_a_first_row_for_a_header_is_still_refused(self, tmp_path: Path) -> None:
        path = write_csv(
            tmp_path / "r.csv", [*make_rows(10), ("fine", "pos")], header=("text", "pos")
        )
        assert "'pos' is also a label" in refusal(path)


class TestParquet:
    @pytest.mark.parametrize("kind", ["binary", "large_binary"])
    def test_texts_that_are_bytes(self, tmp_path: Path, kind: str) -> None:
        texts, labels = zip(*make_rows(40), strict=True)
        columns = [
            pyarrow.array([value.encode() for value in values], getattr(pyarrow, kind)())
            for values in (texts, labels)
        ]
        path = tmp_path / "r.parquet"
        pyarrow.parquet.write_table(pyarrow.table(columns, names=["text", "label"]), path)
        assert labels_of(read(path)) == dict(make_rows(40))

    def test_columns_of_one_name(self, tmp_path: Path) -> None:
        columns = [[f"text {row}" for row in range(40)], ["neg", "pos"] * 20, ["x"] * 40]
        table = pyarrow.table(columns, names=["text", "label", "label"])
        pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
        assert read(tmp_path / "r.parquet").labels == ("neg", "pos")
        assert "2 columns have the name 'label'" in load(tmp_path / "r.parquet").notes[0]

    def test_decimals(self, tmp_path: Path) -> None:
        texts = [f"text {row}" for row in range(40)]
        table = pyarrow.table({"text": texts, "label": [Decimal("1.0"), Decimal("2.5")] * 20})
        pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
        assert read(tmp_path / "r.parquet").labels == ("1", "2.5")


class TestLabels:
    @pytest.mark.parametrize(
        "labels",
        [("00501", "501"), ("01", "1"), ("1E5", "100000"), ("+1", "-1"), ("TRUE", "true"),
         ("1.10", "1.1"), ("-1", "0", "1"), ("0.5", "4.5"), ("1", "2", "10")],
    )  # fmt: skip
    @pytest.mark.parametrize("name", ["r.csv", "folder/train.csv", "r.tsv"])
    def test_stay_as_they_stand(self, tmp_path: Path, name: str, labels: tuple[str, ...]) -> None:
        separator = "\t" if name.endswith(".tsv") else ","
        rows = make_rows(60, labels=labels)
        path = write_csv(tmp_path / name, rows, separator=separator)
        data = read(path.parent if "folder" in name else path)
        assert set(data.labels) == set(labels)
        assert labels_of(data) == dict(rows)

    @pytest.mark.parametrize("labels", [[-1, 0, 1], [-1, 1], [0.5, 4.5], [True, False]])
    @pytest.mark.parametrize("write", [write_jsonl, write_parquet])
    def test_numbers_and_truths(self, tmp_path: Path, write: Any, labels: list[Any]) -> None:
        suffix = {write_jsonl: "jsonl", write_parquet: "parquet"}[write]
        data = read(write(tmp_path / f"r.{suffix}", make_rows(60, labels=labels)))
        assert set(data.labels) == {str(label).lower() for label in labels}

    @pytest.mark.parametrize("other", [1, 1.0, "1"])
    def test_one_name_is_one_class_whatever_its_type(self, tmp_path: Path, other: Any) -> None:
        data = read(write_jsonl(tmp_path / "r.jsonl", make_rows(60, labels=["1", other, 2])))
        assert data.labels == ("1", "2")

    def test_lists_as_score_writes_them(self, tmp_path: Path) -> None:
        lists = ['["a", "b"]', "[]", '["c"]']
        data = read(write_csv(tmp_path / "r.csv", make_rows(60, labels=lists)))
        assert (data.task, data.labels) == ("multi_label", ("a", "b", "c"))

    @pytest.mark.parametrize("name", ["r.jsonl", "r.parquet"])
    def test_multi_hot(self, tmp_path: Path, name: str) -> None:
        rows = make_rows(60, labels=[[1, 0, 0], [0, 1, 1], [0, 0, 0]])
        if name == "r.jsonl":
            path = write_jsonl(tmp_path / name, rows)
        else:
            path = tmp_path / name
            pandas.DataFrame(rows, columns=["text", "labels"]).to_parquet(path)
        data = read(path)
        assert (data.task, data.labels) == ("multi_label", ("0", "1", "2"))
        assert data.train.labels.sum(axis=1).max() == 2
        assert any("0 or 1 for 3 labels" in notice for notice in data.notices)

    def test_a_column_for_each_label(self, tmp_path: Path) -> None:
        rows = [(f"text {n}", n % 2, n % 3 == 0) for n in range(60)]
        frame = pandas.DataFrame(rows, columns=["comment", "toxic", "rude"])
        frame.to_csv(tmp_path / "r.csv", index=False)
        data = read(tmp_path / "r.csv")
        assert (data.task, data.labels, data.text_column) == (
            "multi_label", ("toxic", "rude"), "comment",
        )  # fmt: skip
        frame.insert(0, "id", [f"x{n}" for n in range(60)])
        frame.to_csv(tmp_path / "r.csv", index=False)
        named = read(tmp_path / "r.csv", label_columns="toxic,rude", text_column="comment")
        assert named.train.sha256 == data.train.sha256

    def test_a_label_that_no_row_has(self, tmp_path: Path) -> None:
        content = "comment,toxic,rude,never\n" + "".join(
            f"text {n},{n % 2},{n % 3 // 2},0\n" for n in range(60)
        )
        (tmp_path / "r.csv").write_text(content)
        assert read(tmp_path / "r.csv").labels == ("toxic", "rude", "never")


DIRTY = ["neg", "pos", "neg ", "Neg", "neg\u200b", " pos"]


class TestDirtyLabels:
    def test_are_classes_of_their_own_unless_asked(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", make_rows(120, labels=DIRTY))
        assert set(read(path).labels) == set(DIRTY)

    def test_are_merged_when_asked(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", make_rows(120, labels=DIRTY))
        data = read(path, clean_labels=True)
        assert data.labels == ("neg", "pos")
        assert sum(labels_of(data)[text] == "pos" for text in labels_of(data)) == 40

    def test_the_most_frequent_spelling_stays(self, tmp_path: Path) -> None:
        rows = make_rows(60, labels=["Neg", "Neg", "neg", "POS"])
        assert read(write_csv(tmp_path / "r.csv", rows), clean_labels=True).labels == ("Neg", "POS")

    def test_in_lists(self, tmp_path: Path) -> None:
        rows = make_rows(60, labels=[["a", "b "], ["A"], ["b"], []])
        data = read(write_jsonl(tmp_path / "r.jsonl", rows), clean_labels=True)
        assert set(data.labels) == {"A", "b"} or set(data.labels) == {"a", "b"}


class TestRows:
    def test_empty_rows_are_left_out_and_named(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv")
        path.write_text(path.read_text() + ",\n , \n")
        source = load(path)
        assert source.notes == ["r.csv: 2 empty rows are left out: lines 42, 43"]
        assert len(source.splits["train"]) == 40

    @pytest.mark.parametrize("line", ["only", "a,b,c", 'x "y,z",a', ",neg", "no label,"])
    def test_unusable_rows_are_named_and_left_out_when_asked(
        self, tmp_path: Path, line: str
    ) -> None:
        path = write_csv(tmp_path / "r.csv")
        path.write_text(path.read_text() + f"{line}\nlast,neg\n")
        message = refusal(path)
        assert "r.csv, line 42" in message
        assert message.endswith("--skip-unusable leaves such rows out")
        data = read(path, skip_unusable=True)
        assert len(labels_of(data)) == 41
        assert labels_of(data)["last"] == "neg"
        assert any("line 42" in notice and "left out" in notice for notice in data.notices)

    def test_rows_keep_their_numbers(self, tmp_path: Path) -> None:
        rows = [*make_rows(5), (7, "neg"), *make_rows(40)]
        data = read(write_jsonl(tmp_path / "r.jsonl", rows), skip_unusable=True)
        numbers = sorted(row for split in data.splits.values() for row in split.rows.tolist())
        assert numbers == [row for row in range(46) if row != 5]

    def test_columns_that_are_not_used_are_not_looked_at(self, tmp_path: Path) -> None:
        content = b"text,label,id,odd\n" + b"".join(
            b"text %d,%s,%s,\xff\n" % (n, b"ab"[n % 2 : n % 2 + 1], b"9" * 40) for n in range(40)
        )
        (tmp_path / "r.csv").write_bytes(content)
        assert len(labels_of(read(tmp_path / "r.csv"))) == 40

    def test_mixed_values_in_a_column_that_is_not_used(self, tmp_path: Path) -> None:
        odd = [1, "x", [2], {"a": None}, None, 10**30]
        rows = [{"text": f"text {n}", "label": "ab"[n % 2], "more": odd[n % 6]} for n in range(40)]
        (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert len(labels_of(read(tmp_path / "r.jsonl"))) == 40

    def test_keys_that_come_late(self, tmp_path: Path) -> None:
        rows = [{"text": f"text {n}"} | ({"label": "ab"[n % 2]} if n else {}) for n in range(40)]
        (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert "in r.jsonl, line 1 'label' is missing" in refusal(tmp_path / "r.jsonl")


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("r.csv.gz", gzip.compress(b"text,label\na,x\nb,y\nc,x\nd,y\n", mtime=0)),
            ("r.csv", "text;label\na;x\nb;y\nc;x\nd;y\n".encode("utf-16")),
            ("r.csv", b"sep=|\ntext|label\na|x\nb|y\nc|x\nd|y\n"),
            ("r.json", b'{"text": {"0": "a", "1": "b"}, "label": {"0": "x", "1": "y"}}'),
            ("r.json", b'{"data": [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]}'),
            ("r.json", b'[["a", {"cats": {"x": 1, "y": 0}}], ["b", {"cats": {"x": 0, "y": 1}}]]'),
            ("r.jsonl", b'{"text": "a", "label": ["x"]}\n{"text": "b", "label": ["y"]}'),
            ("r.txt", b"__label__x a\n__label__y b\n"),
        ],
    )
    def test_layouts(self, tmp_path: Path, name: str, content: bytes) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        rows = load(path).splits["train"]
        assert len(rows) in (2, 4)
        validated = tmp_path / "folder"
        validated.mkdir()
        for split in ("train", "validation"):
            (validated / name.replace("r.", f"{split}.")).write_bytes(content)
        data = read(validated)
        assert data.labels == ("x", "y")
        assert labels_of(data)["a"] == "x"
        assert labels_of(data)["b"] == "y"

    def test_a_folder_for_each_class(self, tmp_path: Path) -> None:
        for split in ("train", "test"):
            for row in range(24):
                file = tmp_path / split / ("pos", "neg")[row % 2] / f"{row}.txt"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"{split} {row}")
        (tmp_path / "train" / "unsup").mkdir()
        (tmp_path / "train" / "unsup" / "1.txt").write_text("no label")
        data = read(tmp_path)
        assert data.labels == ("neg", "pos")
        assert data.test is not None
        assert len(data.test) == 24
        assert "no label" not in labels_of(data)

    @pytest.mark.parametrize(
        ("name", "write"),
        [("train.jsonl", write_jsonl), ("train.csv", write_csv), ("train.parquet", write_parquet)],
    )
    @pytest.mark.parametrize("as_folder", [True, False])
    def test_what_decides_is_the_content_not_the_time(
        self, tmp_path: Path, name: str, write: Any, as_folder: bool
    ) -> None:
        path = tmp_path / "data" / name
        path.parent.mkdir()
        for text in ("old", "new"):
            write(path, [(f"{text} {row}", "ab"[row % 2]) for row in range(40)])
            os.utime(path, (1_000_000_000, 1_000_000_000))
            texts = labels_of(read(path.parent if as_folder else path))
            assert {found.split()[0] for found in texts} == {text}

    def test_an_encoding_by_name(self, tmp_path: Path) -> None:
        rows = [(f"schön {row}", "ab"[row % 2]) for row in range(40)]
        path = write_csv(tmp_path / "r.csv", rows, encoding="cp1252")
        assert "name the --encoding of the file" in refusal(path)
        assert labels_of(read(path, encoding="cp1252")) == dict(rows)
        assert "there is no such encoding" in refusal(path, encoding="cp9999")

    def test_a_separator_by_name(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "r.csv", separator="~")
        assert "name the --separator" in refusal(path)
        assert labels_of(read(path, separator="~")) == dict(make_rows())

    def test_a_stray_quote(self, tmp_path: Path) -> None:
        rows = [f"{chr(34) * (n % 3 == 0)}text {n}\t{'ab'[n % 2]}" for n in range(80)]
        (tmp_path / "r.tsv").write_text("text\tlabel\n" + "\n".join(rows) + "\n")
        assert len(labels_of(read(tmp_path / "r.tsv"))) == 80
