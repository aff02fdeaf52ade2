"""What is read is written again in every kind of file, with answers behind it."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from models.tables.kinds import Kind, find_kind
from models.tables.opening import open_table
from models.tables.rows import Table
from service.scoring.writing import FormatError, Writer, compressing, make_writer
from tests.models.tables.reading import open_written, values_of

COLUMNS = {"said": str, "score": float, "all": list}
ANSWER = {"said": "pos", "score": 0.5, "all": ["a", "é"]}
NOTHING = dict.fromkeys(COLUMNS)


def write(table: Table, name: str, folder: Path, *, size: int = 2, **options: Any) -> Path:
    """Write a table in parts, every second row of a part without an answer, and join them."""
    kind = find_kind(Path(name))
    writer = make_writer(kind, table.columns, columns=COLUMNS, **options)
    target = folder / f"written-{name}"
    parts = []
    for number, batch in enumerate(table.batches(size)):
        answers = [ANSWER if row % 2 == 0 else NOTHING for row in range(len(batch.rows))]
        parts.append(folder / f"part-{number}")
        writer.write(batch, answers, parts[-1])
    with target.open("wb") as file, compressing(file, kind) as packed:
        writer.join(parts, packed)
    return target


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


CSV = 'id,text\n1,plain\n2,"a ""quoted"", one\nin two lines"\n3,\n'
TEXTS = ["plain", 'a "quoted", one\nin two lines', ""]


class TestCsv:
    def test_rows_come_back_with_answers(self, tmp_path: Path) -> None:
        target = write(open_written(tmp_path, "r.csv", CSV), "r.csv", tmp_path)
        found = read_csv(target)
        assert found[0] == ["id", "text", "said", "score", "all"]
        assert found[1] == ["1", "plain", "pos", "0.5", '["a", "é"]']
        assert found[2] == ["2", TEXTS[1], "", "", ""]
        assert found[3] == ["3", "", "pos", "0.5", '["a", "é"]']
        assert len(found) == 4

    def test_a_header_of_several_lines(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", '"two\nlines",text\n1,a\n2,b\n3,c\n')
        found = read_csv(write(table, "r.csv", tmp_path))
        assert [row[1] for row in found] == ["text", "a", "b", "c"]

    def test_bytes_that_are_no_utf_8_are_kept(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", b"\xef\xbb\xbftext,\xff\n\xff\xfe!,1\n")
        lines = write(table, "r.csv", tmp_path).read_bytes().splitlines()
        assert lines[0].startswith(b"text,\xff,said")
        assert lines[1].startswith(b"\xff\xfe!,1,pos")

    def test_rows_with_faults_are_kept(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "id,text\n1\n,,\n2,b,c\n\n3,d\n")
        found = read_csv(write(table, "r.csv", tmp_path))
        assert [row[:2] for row in found[1:]] == [["1", ""], ["", ""], ["2", "b"], ["3", "d"]]

    def test_a_carriage_return_within_a_field(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", 'id,text\n1,"good\rfilm"\n2,b\n')
        found = read_csv(write(table, "r.csv", tmp_path))
        assert [row[:3] for row in found] == [
            ["id", "text", "said"], ["1", "good\rfilm", "pos"], ["2", "b", ""],
        ]  # fmt: skip

    def test_separators(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "id;text\n1;a\n")
        assert write(table, "r.csv", tmp_path, separator=";").read_text().startswith("id;text;said")
        assert write(table, "r.tsv", tmp_path).read_text().startswith("id\ttext\tsaid")


@pytest.mark.parametrize("name", ["r.csv", "r.tsv", "r.json", "r.jsonl", "R.JSONL.gz", "r.parquet"])
@pytest.mark.parametrize("source", ["r.csv", "r.jsonl", "r.parquet"])
def test_every_kind_becomes_every_other(tmp_path: Path, source: str, name: str) -> None:
    rows = [{"id": str(row), "text": text} for row, text in enumerate(TEXTS[:2])]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    contents: dict[str, str | bytes] = {
        "r.csv": CSV.replace("3,\n", "").replace("1,p", "0,p").replace("2,", "1,"),
        "r.jsonl": "\n".join(map(json.dumps, rows)),
        "r.parquet": file.getvalue(),
    }
    table = open_written(tmp_path, source, contents[source])
    found = open_table(write(table, name, tmp_path))
    assert found.columns == ("id", "text", *COLUMNS)
    kept = [[values[0], values[1], values[2] or None] for values in values_of(found)]
    assert kept == [["0", TEXTS[0], "pos"], ["1", TEXTS[1], None]]


class TestJson:
    def test_all_values_are_kept(self, tmp_path: Path) -> None:
        rows = [{"text": "ä", "n": [1, None]}, {"text": "b"}, {"text": None}]
        table = open_written(tmp_path, "r.jsonl", "\n\n".join(map(json.dumps, rows)))
        target = write(table, "r.jsonl", tmp_path)
        assert [json.loads(line) for line in target.read_text().splitlines()] == [
            rows[0] | ANSWER, rows[1] | NOTHING, rows[2] | ANSWER,
        ]  # fmt: skip
        assert "ä" in target.read_text()

    def test_half_a_character(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.jsonl", '{"text": "é\\ud83d"}')
        line = write(table, "r.jsonl", tmp_path).read_text()
        assert json.loads(line)["text"] == "é\ud83d"

    def test_a_list(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.json", '[{"text": "a"}, {"text": "b"}, {"text": "c"}]')
        found = json.loads(write(table, "r.json", tmp_path).read_text())
        assert [row["text"] for row in found] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["r.csv", "r.tsv", "r.txt", "r.parquet"])
def test_half_a_character_is_a_question_mark(tmp_path: Path, name: str) -> None:
    table = open_written(tmp_path, "r.jsonl", '{"text": "a\\ud83d"}\n{"text": "é"}')
    found = open_table(write(table, name, tmp_path))
    assert [row.values["text"] for row in found.rows()] == ["a?", "é"]


class TestText:
    def test_labels_of_fasttext(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.txt", "__label__x one\ntwo  words\n")
        assert write(table, "r.txt", tmp_path).read_text() == "__label__pos one\ntwo words\n"

    def test_the_text_is_that_of_its_column(self, tmp_path: Path) -> None:
        rows = [{"my": {"review": text}, "text": "not this"} for text in ("one", "two", None, 5)]
        content = "\n".join(map(json.dumps, [*rows, {"my": 3}]))
        table = open_written(tmp_path, "r.jsonl", content)
        target = write(table, "r.txt", tmp_path, text="my.review")
        assert target.read_text().split("\n")[:-1] == [
            "__label__pos one", "two", "__label__pos", "", "__label__pos",
        ]  # fmt: skip

    def test_a_label_with_a_space(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.txt", "one\n")
        writer = make_writer(Kind("txt", False), table.columns, columns={"said": str})
        (batch,) = table.batches(2)
        with pytest.raises(FormatError, match="cannot hold the label 'a b', which has a space"):
            writer.write(batch, [{"said": "a b"}], tmp_path / "part")


class TestParquet:
    def test_types_are_kept(self, tmp_path: Path) -> None:
        table = {"text": ["a", None, "c"], "n": [1, 2, None]}
        pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "r.parquet")
        target = write(open_table(tmp_path / "r.parquet"), "r.parquet", tmp_path)
        assert pyarrow.parquet.read_table(target).to_pydict() == table | {
            "said": ["pos", None, "pos"],
            "score": [0.5, None, 0.5],
            "all": [["a", "é"], None, ["a", "é"]],
        }

    def test_a_part_without_answers_has_the_same_types(self, tmp_path: Path) -> None:
        table = open_written(tmp_path, "r.csv", "text\na\nb\n")
        writer: Writer = make_writer(Kind("parquet", False), table.columns, columns=COLUMNS)
        for (name, answer), batch in zip(
            (("0", NOTHING), ("1", ANSWER)), table.batches(1), strict=True
        ):
            writer.write(batch, [answer], tmp_path / name)
        writer.join([tmp_path / "0", tmp_path / "1"], io.BytesIO())


def test_nothing_is_written_over(tmp_path: Path) -> None:
    for name, content in (("r.csv", "text,score\na,1\n"), ("r.jsonl", '{"text": "a", "score": 1}')):
        table = open_written(tmp_path, name, content)
        with pytest.raises(FormatError, match=r"'score' already; give another --prefix"):
            write(table, name, tmp_path)


def test_the_same_rows_compress_to_the_same_bytes(tmp_path: Path) -> None:
    table = open_written(tmp_path, "r.csv", CSV)
    first = write(table, "r.csv.gz", tmp_path).read_bytes()
    assert write(table, "r.csv.gz", tmp_path).read_bytes() == first
    assert gzip.decompress(first).startswith(b"id,text")


@pytest.mark.parametrize("name", ["r.jsonl", "r.json"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have(tmp_path: Path, name: str, number: str) -> None:
    content = f'{{"text": "a", "n": {number}, "in": [{{"deep": {number}}}, 1.5]}}\n'
    target = write(open_written(tmp_path, "r.jsonl", content), name, tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    written = json.loads(target.read_text().strip("[]\n"), parse_constant=refuse)
    assert written == {"text": "a", "n": None, "in": [{"deep": None}, 1.5], **ANSWER}


def test_numbers_of_parquet_that_json_does_not_have(tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a"], "n": [float("nan")]})
    pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
    target = write(open_table(tmp_path / "r.parquet"), "r.jsonl", tmp_path)
    assert json.loads(target.read_text())["n"] is None
    assert "NaN" not in target.read_text()
