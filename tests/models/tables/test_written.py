"""What libraries write is read as it was written, or an error names the line."""

import csv
import gzip
import io
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas
import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.tables.delimited import FURTHER
from models.tables.opening import open_table
from models.tables.rows import Row, Table

pytestmark = pytest.mark.slow  # with hundreds of files in each test

# Characters that have a meaning in some file, and a few that have none.
CHARACTERS = "ab\"'\\,;|\t \n\r:={}[]é😀\u2028\x0b"
TEXTS = st.text(CHARACTERS, max_size=20).map(lambda text: f"w{text}w")
LABELS = st.sampled_from(
    ["pos", "neg", "01", "1", "1E5", "+1", "TRUE", "a b", "é", "x,y", 'q"', "-1", "0.50", "[1]"]
)
TABLES = st.lists(st.tuples(TEXTS, LABELS, st.sampled_from(["", "n", "7"])), min_size=1, max_size=8)
NAMES = ("text", "label", "note")
Rows = list[tuple[str, str, str]]


def read(path: Path, **options: str) -> list[Row]:
    table: Table = open_table(path, **options)
    return [row for batch in table.batches(3) for row in batch.rows]


def check(found: list[Row], written: Rows) -> None:
    """Check that all rows are as written, unless one is named that holds what looks like rows."""
    assert {row.fault for row in found} <= {None, FURTHER}
    if any(row.fault for row in found):
        assert all(row.place > 1 for row in found)
        return
    assert [tuple(str(row.values[name] or "") for name in NAMES) for row in found] == written


def write_and_check(content: bytes, written: Rows, *, name: str, **options: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        check(read(path, **options), written)


patient = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)


@patient
@given(
    rows=TABLES,
    separator=st.sampled_from([",", ";", "|", "\t"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    name=st.sampled_from(["r.csv", "r.tsv", "R.CSV.gz"]),
)
def test_csv_of_python(
    rows: Rows, separator: str, quoting: int, end: str, encoding: str, name: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerows([NAMES, *rows])
    content = file.getvalue().encode(encoding)
    write_and_check(content, rows, name=name, separator=separator)


@patient
@given(rows=TABLES, lines=st.booleans(), name=st.sampled_from(["r.csv", "r.json", "r.jsonl"]))
def test_pandas(rows: Rows, lines: bool, name: str) -> None:
    frame = pandas.DataFrame(rows, columns=list(NAMES))
    if name == "r.csv":
        content = frame.to_csv(index=False)
    elif name == "r.jsonl":
        content = frame.to_json(orient="records", lines=True, force_ascii=lines)
    else:
        content = frame.to_json(force_ascii=lines)
    write_and_check(content.encode(), rows, name=name)


@patient
@given(rows=TABLES, kind=st.sampled_from(["csv", "parquet"]))
def test_pyarrow(rows: Rows, kind: str) -> None:
    table = pyarrow.table(dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True)))
    file = io.BytesIO()
    if kind == "csv":
        pyarrow.csv.write_csv(table, file)
    else:
        pyarrow.parquet.write_table(table, file)
    write_and_check(file.getvalue(), rows, name=f"r.{kind}")


@patient
@given(rows=TABLES, separator=st.sampled_from(["\t", ","]), end=st.sampled_from(["\n", "\r\n"]))
def test_by_hand_without_quotes(rows: Rows, separator: str, end: str) -> None:
    unwritable = re.compile(rf"[\r\n{separator}]")
    rows = [row for row in rows if not any(map(unwritable.search, row))]
    # A field that is all in quotes, or begins with a space and a quote, can be meant both ways.
    rows = [row for row in rows if separator == "\t" or not any('"' in field for field in row)]
    lines = [separator.join(row) + end for row in [NAMES, *rows]]
    write_and_check("".join(lines).encode(), rows, name="r.tsv" if separator == "\t" else "r.csv")


@patient
@given(rows=TABLES, by_lines=st.booleans())
def test_json_by_hand(rows: Rows, by_lines: bool) -> None:
    objects = [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) for row in rows]
    content = "\n".join(objects) if by_lines else f'{{"data": [{",".join(objects)}]}}'
    write_and_check(content.encode(), rows, name="r.jsonl" if by_lines else "r.json")


@patient
@given(content=st.text('ab,"\n\r\t;\\', max_size=60))
def test_any_text_is_read_or_refused(content: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "r.csv"
        whole = f"text,label\n{content}"
        path.write_bytes(whole.encode())
        lines = re.split("\r\n|\n|\r", whole)
        found = read(path)
        places = [row.place for row in found]
        assert places == sorted(set(places))
        assert all(1 < place <= len(lines) for place in places)
        assert all(row.fault or set(row.values) == {"text", "label"} for row in found)


@pytest.mark.parametrize("rows", [[("a\r", "x", "")]])
def test_what_a_writer_leaves_bare_is_lost_to_every_reader(tmp_path: Path, rows: Rows) -> None:
    """Python 3.11 writes a carriage return at the end of a line without quotes."""
    path = tmp_path / "r.csv"
    path.write_text("note,label,text\n,x,a\r\n", newline="")
    assert read(path)[0].values["text"] == "a"
