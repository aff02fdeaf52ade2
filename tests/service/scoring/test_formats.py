"""What is read is written again, with answers behind it, and bad rows are told apart."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from service.scoring.formats import BadRow, Csv, Format, FormatError, JsonLines, Parquet

COLUMNS = {"said": str, "score": float, "all": list}
ANSWER = {"said": "pos", "score": 0.5, "all": ["a", "b"]}
NOTHING = dict.fromkeys(COLUMNS)


def read(form: Format, content: bytes, *, rows: int = 2) -> list[Any]:
    return list(form.batches(io.BytesIO(content), rows=rows))


def parquet(table: dict[str, list]) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(table), file)
    return file.getvalue()


def write(form: Format, batches: list[Any], folder: Path) -> bytes:
    """Write each batch as a part, every second row without an answer; return them joined."""
    parts = []
    for number, batch in enumerate(batches):
        answers = [ANSWER if row % 2 == 0 else NOTHING for row in range(len(batch))]
        parts.append(folder / str(number))
        form.write(batch, answers, parts[-1], columns=COLUMNS)
    joined = io.BytesIO()
    form.join(parts, joined)
    return joined.getvalue()


class TestCsv:
    TEXT = b'id,text\n1,plain\n2,"a ""quoted"", one\nin two lines"\n3,\n'

    def test_rows_come_back_with_answers(self, tmp_path: Path) -> None:
        form = Csv(None)
        batches = read(form, self.TEXT)
        assert [form.texts(batch) for batch in batches] == [
            ["plain", 'a "quoted", one\nin two lines'],
            [""],
        ]
        found = list(csv.reader(io.StringIO(write(form, batches, tmp_path).decode())))
        assert found[0] == ["id", "text", "said", "score", "all"]
        assert found[1] == ["1", "plain", "pos", "0.5", '["a", "b"]']
        assert found[2] == ["2", 'a "quoted", one\nin two lines', "", "", ""]
        assert found[3] == ["3", "", "pos", "0.5", '["a", "b"]']
        assert len(found) == 4

    def test_a_header_of_several_lines_is_joined_once(self, tmp_path: Path) -> None:
        form = Csv("text")
        batches = read(form, b'"two\nlines",text\n1,a\n2,b\n3,c\n')
        found = list(csv.reader(io.StringIO(write(form, batches, tmp_path).decode())))
        assert [row[1] for row in found] == ["text", "a", "b", "c"]

    def test_what_follows_many_empty_lines_is_read(self) -> None:
        form = Csv(None)
        batches = read(form, b"text\na\n" + b"\n" * 9 + b"b\nc\n")
        assert [form.texts(batch) for batch in batches] == [["a", "b"], ["c"]]

    def test_a_header_that_is_no_utf_8_is_joined(self, tmp_path: Path) -> None:
        form = Csv("text")
        batches = read(form, b"\xff,text\n1,a\n2,b\n3,c\n")
        lines = write(form, batches, tmp_path).splitlines()
        assert [line.split(b",")[0] for line in lines] == [b"\xff", b"1", b"2", b"3"]

    def test_bytes_that_are_no_utf_8_are_kept(self, tmp_path: Path) -> None:
        form = Csv(None)
        batches = read(form, b"\xef\xbb\xbftext\n\xff\xfe!\n")
        assert b"\xff\xfe!" in write(form, batches, tmp_path)

    def test_rows_of_another_width_are_bad(self, tmp_path: Path) -> None:
        form = Csv(None)
        batches = read(form, b"id,text\n1\n2,b,c\n\n3,d\n", rows=9)
        one, two, three = form.texts(batches[0])
        assert str(one) == "1 fields, where the header has 2"
        assert str(two) == "3 fields, where the header has 2"
        assert three == "d"
        assert len(write(form, batches, tmp_path).splitlines()) == 4


class TestJsonLines:
    def test_rows_come_back_with_answers(self, tmp_path: Path) -> None:
        form = JsonLines(None)
        lines = [{"text": "ä", "n": [1, None]}, {"text": "b"}, {"text": None}]
        content = "\n\n".join(map(json.dumps, lines)).encode()
        batches = read(form, content)
        assert [form.texts(batch) for batch in batches] == [["ä", "b"], [None]]
        found = [json.loads(line) for line in write(form, batches, tmp_path).splitlines()]
        assert found == [lines[0] | ANSWER, lines[1] | NOTHING, lines[2] | ANSWER]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (b'{"text": "a"', "not JSON"),
            (b"\xff", "not JSON"),
            (b"[1]", "not a JSON object"),
            (b'{"a": 1, "b": 2}', "name the column"),
        ],
    )
    def test_lines_that_are_no_rows_are_bad(self, line: bytes, said: str, tmp_path: Path) -> None:
        form = JsonLines(None)
        batches = read(form, line + b'\n{"text": "a"}\n')
        bad, good = form.texts(batches[0])
        assert isinstance(bad, BadRow)
        assert said in str(bad)
        assert good == "a"
        assert len(write(form, batches, tmp_path).splitlines()) == 2


class TestParquet:
    def test_rows_come_back_with_answers(self, tmp_path: Path) -> None:
        form = Parquet(None)
        table = {"text": ["a", None, "c"], "n": [1, 2, None]}
        batches = read(form, parquet(table))
        assert [text for batch in batches for text in form.texts(batch)] == ["a", None, "c"]
        found = pyarrow.parquet.read_table(io.BytesIO(write(form, batches, tmp_path)))
        assert found.to_pydict() == table | {
            "said": ["pos", None, "pos"],
            "score": [0.5, None, 0.5],
            "all": [["a", "b"], None, ["a", "b"]],
        }

    def test_a_part_without_answers_has_the_same_types(self, tmp_path: Path) -> None:
        form = Parquet(None)
        (batch,) = read(form, parquet({"text": ["a"]}))
        for name, answer in (("0", NOTHING), ("1", ANSWER)):
            form.write(batch, [answer], tmp_path / name, columns=COLUMNS)
        form.join([tmp_path / "0", tmp_path / "1"], io.BytesIO())


MADE = {
    Csv: lambda names: (",".join(names) + "\n" + ",".join("x" for _ in names)).encode(),
    Parquet: lambda names: parquet({name: ["x"] for name in names}),
}


@pytest.mark.parametrize("kind", MADE)
class TestColumns:
    @pytest.mark.parametrize(
        ("names", "asked"), [(["review"], None), (["a", "text"], None), (["a", "b"], "b")]
    )
    def test_the_text_is_found(self, kind: type[Format], names: list[str], asked) -> None:
        form = kind(asked)
        (batch,) = read(form, MADE[kind](names))
        assert form.texts(batch) == ["x"]

    def test_it_must_be_named_among_several(self, kind: type[Format]) -> None:
        with pytest.raises(FormatError, match=r"--text-column, one of: 'a', 'b'"):
            read(kind(None), MADE[kind](["a", "b"]))

    def test_it_must_be_there(self, kind: type[Format]) -> None:
        with pytest.raises(FormatError, match=r"no column 'c'; there are: 'a', 'b'"):
            read(kind("c"), MADE[kind](["a", "b"]))

    def test_nothing_is_written_over(self, kind: type[Format], tmp_path: Path) -> None:
        form = kind("text")
        batches = read(form, MADE[kind](["text", "score"]))
        with pytest.raises(FormatError, match=r"'score' already; give another --prefix"):
            write(form, batches, tmp_path)


def test_an_empty_file_has_no_column() -> None:
    with pytest.raises(FormatError, match="name the column"):
        read(Csv(None), b"")
    assert read(JsonLines(None), b"\n\n") == []
