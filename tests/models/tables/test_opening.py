"""A file is opened as what its name says."""

import sys
from pathlib import Path

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from models.tables.kinds import find_kind, is_table
from models.tables.opening import open_table
from models.tables.rows import TableError, list_places
from tests.models.tables.reading import open_written, rows_of, values_of, write


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("r.csv", ("csv", False)),
        ("R.CSV", ("csv", False)),
        ("a.b.NdJson.GZ", ("jsonl", True)),
        ("r.txt.gz", ("txt", True)),
        ("r.TSV", ("tsv", False)),
    ],
)
def test_kinds(name: str, kind: tuple[str, bool]) -> None:
    assert find_kind(Path(name)) == kind
    assert is_table(name)


@pytest.mark.parametrize("name", ["r", "r.xlsx", "r.gz", "csv", "r.csv.zip"])
def test_unknown_kinds(name: str) -> None:
    assert not is_table(name)
    with pytest.raises(TableError, match=r"unknown kind of file; known are \.csv"):
        find_kind(Path(name))


def test_a_format_decides(tmp_path: Path) -> None:
    assert values_of(open_written(tmp_path, "r.data", "text\na\n", format="CSV")) == [["a"]]


def test_empty_files(tmp_path: Path) -> None:
    for name in ("r.csv", "r.json", "r.jsonl", "r.txt", "r.parquet"):
        with pytest.raises(TableError, match="is empty"):
            open_written(tmp_path, name, "")


class TestPlainText:
    def test_fasttext(self, tmp_path: Path) -> None:
        content = "__label__a __label__b-c hello you\n\n__label__a x  y\nno label\n"
        assert values_of(open_written(tmp_path, "r.txt", content)) == [
            ["hello you", ["a", "b-c"]],
            ["x  y", ["a"]],
            ["no label", []],
        ]

    @pytest.mark.parametrize("space", [" ", "\t", "\v", "\f", "\0"])
    def test_fasttext_with_other_white_space(self, space: str, tmp_path: Path) -> None:
        content = f"__label__a{space}hello\tyou __label__b\n__label__a\u00a0x{space}y\n"
        assert values_of(open_written(tmp_path, "r.txt", content)) == [
            ["hello\tyou", ["a", "b"]],
            ["y", ["a\u00a0x"]],
        ]

    def test_a_label_within_a_word_is_none(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.txt", "my foo__label__bar text\n")
        assert [dict(row.values) for row in rows_of(table)] == [{"text": "my foo__label__bar text"}]

    def test_lines(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.txt", 'one "\n\ntwo, three\n')
        assert [(row.place, dict(row.values)) for row in rows_of(table)] == [
            (1, {"text": 'one "'}),
            (3, {"text": "two, three"}),
        ]


class TestParquet:
    def test_only_what_is_asked_for_is_looked_at(self, tmp_path: Path) -> None:
        odd = pyarrow.array([b"\xff"], pyarrow.binary()).view(pyarrow.string())
        times = pyarrow.array([1], pyarrow.timestamp("ns"))
        path = tmp_path / "r.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"text": ["a"], "odd": odd, "at": times}), path)
        (row,) = rows_of(open_table(path))
        assert row.values["text"] == "a"
        assert row.values["odd"] == b"\xff"

    def test_batches(self, tmp_path: Path) -> None:
        pandas.DataFrame({"text": list("abcde")}).to_parquet(tmp_path / "r.parquet")
        table = open_table(tmp_path / "r.parquet")
        assert [len(batch.rows) for batch in table.batches(2)] == [2, 2, 1]
        assert [row.place for row in rows_of(table, size=2)] == [1, 2, 3, 4, 5]
        assert table.size == 5

    def test_a_broken_file(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="Parquet magic bytes not found"):
            open_written(tmp_path, "r.parquet", "no parquet at all, but long enough")


class TestFolders:
    def test_each_file_is_a_row(self, tmp_path: Path) -> None:
        write(tmp_path, "b/1.txt", " two\nlines ")
        write(tmp_path, "a/2.TXT", "one")
        write(tmp_path, "a/readme.md", "no")
        assert values_of(open_table(tmp_path)) == [["a/2.TXT", "one"], ["b/1.txt", "two\nlines"]]

    def test_no_files(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match=r"holds no files that end in \.txt"):
            open_table(tmp_path)


def test_places_in_words() -> None:
    assert list_places([3], unit="line") == "line 3"
    assert list_places([3, 1_200], unit="line") == "lines 3, 1,200"
    assert list_places(list(range(1, 11)), unit="row", most=2) == "rows 1, 2 and 8 more"


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TableError, match="needs pyarrow: make setup"):
        open_written(tmp_path, "r.parquet", "PAR1 and so on")
