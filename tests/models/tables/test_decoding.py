"""Files are decompressed and decoded, or refused with the encoding to name."""

import gzip
from pathlib import Path

import pytest

from models.tables.decoding import digest_of
from models.tables.rows import TableError
from tests.models.tables.reading import open_written, rows_of, values_of, write

CONTENT = "text,label\nschön 😀,a\nfine,b\n"
VALUES = [["schön 😀", "a"], ["fine", "b"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["r.csv", "R.CSV.gz", "r.Csv.GZ"])
def test_found_by_the_mark(tmp_path: Path, name: str, encoding: str) -> None:
    content = CONTENT.encode(encoding)
    packed = gzip.compress(content) if name.lower().endswith(".gz") else content
    assert values_of(open_written(tmp_path, name, packed)) == VALUES


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_named(tmp_path: Path, encoding: str, mark: str) -> None:
    content = (mark + CONTENT).encode(encoding)
    assert values_of(open_written(tmp_path, "r.csv", content, encoding=encoding)) == VALUES


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp1250"])
def test_one_byte_a_character(tmp_path: Path, encoding: str) -> None:
    content = "text,label\nschön,a\n".encode(encoding)
    table = open_written(tmp_path, "r.csv", content, encoding=encoding)
    assert values_of(table) == [["schön", "a"]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(TableError, match=f"UTF-16 without a mark does: --encoding {encoding}"):
        open_written(tmp_path, "r.csv", CONTENT.encode(encoding))


@pytest.mark.parametrize("encoding", ["latin-99", "", "rot13", "zip"])
def test_no_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(TableError, match="there is no such encoding; usual are"):
        open_written(tmp_path, "r.csv", CONTENT, encoding=encoding)


def test_another_encoding_than_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"is not text in ascii behind line \d"):
        open_written(tmp_path, "r.csv", CONTENT, encoding="ascii")


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_broken_gzip_file(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(CONTENT.encode() * 500)
    with pytest.raises(TableError, match="is not a whole gzip file"):
        rows_of(open_written(tmp_path, "r.csv.gz", packed[:-cut]))


def test_bytes_that_are_not_utf_8_are_kept(tmp_path: Path) -> None:
    table = open_written(tmp_path, "r.csv", b"text,label\n\xff\xfe!,a\n")
    assert values_of(table)[0][0].encode(errors="surrogateescape") == b"\xff\xfe!"


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    one = digest_of(write(tmp_path, "a/1.txt", "x"))
    assert digest_of(write(tmp_path, "a/2.txt", "x")) == one
    assert digest_of(write(tmp_path, "a/2.txt", "y")) != one
    before = digest_of(tmp_path / "a")
    write(tmp_path, "a/2.txt", "z")
    assert digest_of(tmp_path / "a") != before


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n", "\r\r\r\n"])
@pytest.mark.parametrize("name", ["r.csv", "r.tsv", "r.txt", "r.jsonl"])
def test_ends_of_lines(tmp_path: Path, name: str, end: str) -> None:
    lines = {
        "r.csv": ["text,label", '"a, b",x', "c,y"],
        "r.tsv": ["text\tlabel", "a, b\tx", "c\ty"],
        "r.txt": ["__label__x a, b", "__label__y c"],
        "r.jsonl": ['{"text": "a, b", "label": "x"}', '{"text": "c", "label": "y"}'],
    }[name]
    table = open_written(tmp_path, name, "".join(line + end for line in lines))
    label = (lambda one: [one]) if name == "r.txt" else str
    assert values_of(table) == [["a, b", label("x")], ["c", label("y")]]
    assert table.notes == []
