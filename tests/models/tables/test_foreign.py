"""Files that hold something other than their name says are named as what they are."""

import gzip
import zipfile
from pathlib import Path

import pandas
import pytest

from models.tables.opening import open_table
from models.tables.rows import TableError
from tests.models.tables.reading import open_written, rows_of, write

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:66\nsize 1\n"
PAGE = "<!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n"
TABLES = ["r.csv", "r.tsv", "r.json", "r.jsonl", "r.parquet"]


@pytest.mark.parametrize("name", [*TABLES, "r.txt", "r.ndjson"])
def test_a_pointer_of_git_lfs(tmp_path: Path, name: str) -> None:
    with pytest.raises(TableError, match=r"is a pointer of Git LFS, .*: run git lfs pull"):
        open_written(tmp_path, name, POINTER)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("page", [PAGE, "\n\n<HTML>\n<head>", "\ufeff<html lang=en>"])
def test_a_web_page(tmp_path: Path, name: str, page: str) -> None:
    with pytest.raises(TableError, match="is a web page"):
        open_written(tmp_path, name, page)
    with pytest.raises(TableError, match="is a web page"):
        open_written(tmp_path, f"{name}.gz", gzip.compress(page.encode()))


def test_pages_may_be_texts(tmp_path: Path) -> None:
    lines = rows_of(open_written(tmp_path, "r.txt", PAGE))
    assert [row.values["text"] for row in lines] == PAGE.splitlines()
    assert open_written(tmp_path, "r.csv", "text,html\n" + PAGE).columns == ("text", "html")


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"BZh91AY&SY", "compressed by bzip2"),
        (b"\xfd7zXZ\x00", "compressed by xz"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    ],
)
@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.txt", "r.parquet"])
def test_other_contents(tmp_path: Path, name: str, head: bytes, what: str) -> None:
    with pytest.raises(TableError, match=what):
        open_written(tmp_path, name, head + bytes(range(256)))


def test_a_workbook_under_the_name_of_text(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(TableError, match="a zip archive, such as an Excel workbook"):
        open_table(path)


def test_parquet_under_another_name(tmp_path: Path) -> None:
    pandas.DataFrame({"text": ["a"]}).to_parquet(tmp_path / "r.parquet")
    path = write(tmp_path, "r.json", (tmp_path / "r.parquet").read_bytes())
    with pytest.raises(TableError, match=r"is Parquet; name it \.parquet"):
        open_table(path)
