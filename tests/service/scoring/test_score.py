"""Files are scored as the service would answer; stopped and gone on with, nothing is lost."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pandas
import pytest
from typer.testing import CliRunner

from models.tables.opening import open_table
from service.__main__ import app
from service.answering.classifier import Classifier
from service.engines.runner import Runner
from service.scoring import score
from service.scoring.parts import Parts
from service.scoring.score import Scorer, ScoringObserver, added_columns
from service.scoring.target import held
from service.scoring.writing import JsonLinesWriter
from tests.versions import STATE, CountingEngine, publish

ROOT = Path(__file__).resolve().parents[3]
SCORE = [sys.executable, "-m", "service", "score", "--model", "imdb-gru", "--engine", "onnx"]
TEXTS = ["good", "bad film", "", None, "good good", 7, "a"] * 5


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "PART_ROWS", 4)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    publish(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    return path


def run(*arguments: object, stdin: bytes | None = None) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["score", *map(str, arguments)], input=stdin)
    return found.exit_code, found.stdout, found.stderr


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def check(rows: list[dict]) -> None:
    """Check that each row has its answer."""
    assert [row["text"] for row in rows] == TEXTS
    for row in rows:
        if isinstance(row["text"], str):
            wanted = "pos" if "good" in row["text"] else "neg"
            assert row["predicted_label"] == wanted
            assert 0.5 <= row["predicted_score"] < 1
            assert row["predicted_error"] is None
        else:
            assert row["predicted_label"] is None
            assert "not a text" in row["predicted_error"]


def test_rows_keep_their_order_and_bad_ones_are_told(store: Path, lines: Path) -> None:
    out = lines.with_name("out.jsonl")
    code, _, said = run("--in", lines, "--out", out, "--model", "toy", "--store", store)
    assert code == 0, said
    check(read(out))
    assert "line 4: not a text but None" in said
    assert "35 rows" in said
    assert "10 bad" in said
    assert not out.with_name("out.jsonl.parts").exists()


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_probabilities_are_what_a_teacher_gives(
    store: Path, lines: Path, tmp_path: Path, name: str
) -> None:
    options = ("--model", "toy", "--store", store, "--probabilities")
    code, _, said = run("--in", lines, "--out", tmp_path / name, *options)
    assert code == 0, said
    rows = [row.values for batch in open_table(tmp_path / name).batches(100) for row in batch.rows]
    answered = [row for row in rows if row["predicted_label"]]
    assert len(answered) > 2
    for row in answered:
        found = row["predicted_probabilities"]
        found = json.loads(found) if isinstance(found, str) else found
        assert max(found, key=found.get) == row["predicted_label"]
        assert found[row["predicted_label"]] == pytest.approx(float(row["predicted_score"]))
        assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    assert any(not row["predicted_probabilities"] for row in rows)


def test_lines_of_text_have_no_place_for_probabilities(store: Path, lines: Path) -> None:
    out = lines.with_name("out.txt")
    options = ("--model", "toy", "--store", store, "--probabilities")
    code, _, said = run("--in", lines, "--out", out, *options)
    assert code != 0
    assert "a .txt file has no place for --probabilities" in said
    assert not out.exists()


def test_standard_input_and_output(store: Path, lines: Path) -> None:
    options = ["--in", "-", "--out", "-", "--format", "jsonl", "--model", "toy", "--store", store]
    code, out, _ = run(*options, stdin=lines.read_bytes())
    assert code == 0
    check([json.loads(line) for line in out.splitlines()])


class Stopped(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 5, 8])
def test_a_stopped_run_goes_on(after: int, store: Path, lines: Path, tmp_path: Path) -> None:
    from models.registry import Store

    computed: list[int] = []

    def advance(_rows: int, known: bool) -> None:
        computed.append(0 if known else 1)
        if sum(computed) > after and not stopped:
            stopped.append(True)
            raise Stopped

    stopped: list[bool] = []
    classifier = Classifier(
        Store(store).resolve("toy"), runner=Runner(CountingEngine(), state=STATE)
    )
    table = open_table(lines)
    columns = added_columns(classifier.metadata, prefix="predicted_")
    writer = JsonLinesWriter(table.columns, columns=columns)
    scorer = Scorer(classifier, column="text", writer=writer, threads=2, prefix="predicted_")
    observer = ScoringObserver(advance=advance, complain=lambda *_: None)
    folder = tmp_path / "parts"
    with pytest.raises(Stopped):
        scorer.score(table, Parts(folder, identity={"a": 1}), observer=observer)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/0*")}
    assert len(before) == after + 1
    computed.clear()
    parts = Parts(folder, identity={"a": 1})
    count = scorer.score(table, parts, observer=observer)
    assert computed == [0] * (after + 1) + [1] * (count - after - 1)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    out = tmp_path / "out"
    parts.join(count, out, writer.join)
    check(read(out))
    assert not folder.exists()


class TestParts:
    def test_half_a_part_is_none(self, tmp_path: Path) -> None:
        parts = Parts(tmp_path / "parts", identity={})

        def fail(path: Path) -> None:
            path.write_text("half")
            raise Stopped

        with pytest.raises(Stopped):
            parts.add(0, fail)
        assert not parts.has(0)

    def test_parts_of_another_run_are_not_taken_and_not_lost(self, tmp_path: Path) -> None:
        wrong = Parts(tmp_path / "parts", identity={"input": "a", "model": "b"})
        wrong.add(0, lambda path: path.write_text("of b"))
        corrected = Parts(tmp_path / "parts", identity={"input": "a", "model": "c"})
        assert not corrected.has(0)
        assert Parts(tmp_path / "parts", identity={"model": "b", "input": "a"}).has(0)
        corrected.add(0, lambda path: path.write_text("of c"))
        corrected.join(1, tmp_path / "out", lambda paths, file: file.write(paths[0].read_bytes()))
        assert (tmp_path / "out").read_text() == "of c"
        assert not (tmp_path / "parts").exists()

    def test_a_run_that_kept_nothing_leaves_nothing(self, tmp_path: Path) -> None:
        Parts(tmp_path / "parts", identity={}).drop_if_empty()
        assert not (tmp_path / "parts").exists()
        parts = Parts(tmp_path / "parts", identity={})
        parts.add(0, lambda path: path.write_text("a"))
        parts.drop_if_empty()
        assert parts.has(0)

    def test_what_is_joined_is_whole_or_not_there(self, tmp_path: Path) -> None:
        parts = Parts(tmp_path / "parts", identity={})
        parts.add(0, lambda path: path.write_text("a"))

        def fail(_parts: list[Path], file: io.BytesIO) -> None:
            file.write(b"half")
            raise Stopped

        with pytest.raises(Stopped):
            parts.join(1, tmp_path / "out", fail)
        assert not (tmp_path / "out").exists()
        assert parts.has(0)


class TestFaults:
    def fails(self, *arguments: object, expected: str) -> None:
        code, _, said = run(*arguments)
        assert code == 2
        assert expected in said.replace("\n", " ")
        assert "Traceback" not in said

    def test_the_result_is_there_already(self, store: Path, lines: Path) -> None:
        options = ["--model", "toy", "--store", store]
        self.fails("--in", lines, "--out", lines, *options, expected="is there already")

    def test_the_result_came_while_another_run_made_it(
        self, store: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = lines.with_name("o.jsonl")

        @contextmanager
        def held_late(target: Path) -> Iterator[None]:
            target.write_text("of the other")
            yield

        monkeypatch.setattr("service.scoring.run.held", held_late)
        options = ["--model", "toy", "--store", store]
        self.fails("--in", lines, "--out", out, *options, expected="is there already")
        assert out.read_text() == "of the other"

    def test_another_run_makes_the_result(self, store: Path, lines: Path) -> None:
        options = ["--in", lines, "--out", lines.with_name("o.jsonl"), "--model", "toy"]
        options += ["--store", store]
        with held(lines.with_name("o.jsonl")):
            self.fails(*options, expected="another process is scoring to")
        code, _, said = run(*options)
        assert code == 0, said

    def test_the_input_is_missing(self, store: Path, tmp_path: Path) -> None:
        options = ["--out", tmp_path / "o.csv", "--model", "toy", "--store", store]
        self.fails("--in", tmp_path / "i.csv", *options, expected="there is no file")

    def test_no_format(self, store: Path, tmp_path: Path) -> None:
        options = ["--model", "toy", "--store", store]
        self.fails("--in", "-", "--out", "-", *options, expected="name the --format")
        (tmp_path / "x.doc").write_text("a")
        self.fails(
            *("--in", tmp_path / "x.doc", "--out", "-", *options), expected="unknown kind of file"
        )

    def test_no_such_column(self, store: Path, lines: Path) -> None:
        options = ["--out", lines.with_name("o.csv"), "--model", "toy", "--store", store]
        said = "no column 'body'; there are: 'text'"
        self.fails("--in", lines, "--text-column", "body", *options, expected=said)
        assert not lines.with_name("o.csv.parts").exists()
        code, _, said = run("--in", lines, "--text-column", "text", *options)
        assert code == 0, said

    def test_a_column_must_be_named_among_several(self, store: Path, tmp_path: Path) -> None:
        (tmp_path / "i.csv").write_text("a,b\n1,2\n")
        options = ["--out", tmp_path / "o.csv", "--model", "toy", "--store", store]
        self.fails("--in", tmp_path / "i.csv", *options, expected="--text-column, one of: 'a', 'b'")

    def test_every_row_is_bad(self, store: Path, tmp_path: Path) -> None:
        (tmp_path / "i.jsonl").write_text('{"text": 1}\nrubbish\n')
        out = tmp_path / "o.jsonl"
        code, _, said = run(
            "--in", tmp_path / "i.jsonl", "--out", out, "--model", "toy", "--store", store
        )
        assert code == 1
        assert "no row has a text that could be scored" in said
        assert len(read(out)) == 2

    @pytest.mark.parametrize(
        "content", [b"text,label\ra,x\rb,y\r", "text,label\na,x\n".encode("utf-16")]
    )
    def test_old_macs_and_utf_16_are_no_faults(
        self, store: Path, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "i.csv").write_bytes(content)
        options = ["--out", tmp_path / "o.csv", "--model", "toy", "--store", store]
        code, _, said = run("--in", tmp_path / "i.csv", *options)
        assert code == 0, said

    def test_no_rows(self, store: Path, tmp_path: Path) -> None:
        (tmp_path / "i.csv").write_text("text\n")
        options = ["--out", tmp_path / "o.csv", "--model", "toy", "--store", store]
        self.fails("--in", tmp_path / "i.csv", *options, expected="has no rows")

    def test_no_model(self, store: Path, lines: Path) -> None:
        options = ["--out", lines.with_name("o.jsonl"), "--model", "other", "--store", store]
        self.fails("--in", lines, *options, expected="other")


KETTLE = 'text\tlabel\n"Nice kettle\tpos\ncold soup\tneg\nbroken lamp"\tneg\nfine day\tpos\n'


@pytest.mark.parametrize("name", ["o.tsv", "o.csv", "o.JSON", "o.jsonl.gz", "o.parquet", "o.txt"])
def test_a_stray_quote_loses_no_row(store: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "i.tsv").write_text(KETTLE)
    code, _, said = run(
        "--in", tmp_path / "i.tsv", "--out", tmp_path / name, "--model", "toy", "--store", store
    )
    assert code == 0, said
    assert "note: i.tsv: quotes do not balance and are read as characters" in said
    written = [row for batch in open_table(tmp_path / name).batches(9) for row in batch.rows]
    assert [row.values["text"] for row in written] == [
        line.split("\t")[0] for line in KETTLE.splitlines()[1:]
    ]


def test_a_file_that_changed_is_scored_anew_whatever_its_time(store: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "i.csv", tmp_path / "o.csv"
    options = ["--in", source, "--out", out, "--model", "toy", "--store", store]
    for text in ("good", "bad!"):
        source.write_text(f"text\n{text}\n")
        os.utime(source, (1_000_000, 1_000_000))
        out.unlink(missing_ok=True)
        assert run(*options)[0] == 0
        assert f"{text}," in out.read_text()


def test_a_folder_of_texts(store: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "texts" / name).write_text("good")
    out = tmp_path / "o.csv"
    code, _, said = run(
        "--in", tmp_path / "texts", "--out", out, "--model", "toy", "--store", store
    )
    assert code == 0, said
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == [
        "file",
        "a.txt",
        "b.txt",
    ]


def test_parquet_from_standard_input(store: Path, tmp_path: Path) -> None:
    pandas.DataFrame({"text": ["good"]}).to_parquet(tmp_path / "i.parquet")
    options = ["--in", "-", "--out", tmp_path / "o.parquet", "--model", "toy", "--store", store]
    code, _, said = run(*options, stdin=(tmp_path / "i.parquet").read_bytes())
    assert code == 0, said


class TestWhatIsNoTable:
    @pytest.mark.parametrize("name", ["i.csv", "i.jsonl"])
    @pytest.mark.parametrize(
        ("content", "what"),
        [
            ("<!DOCTYPE html>\n<html>\n", "is a web page"),
            ("version https://git-lfs.github.com/spec/v1\noid sha256:66\nsize 1\n", "Git LFS"),
            ("PK\x03\x04\x14", "is a zip archive"),
        ],
    )
    def test_nothing_is_scored(
        self, store: Path, tmp_path: Path, name: str, content: str, what: str
    ) -> None:
        (tmp_path / name).write_text(content)
        out = tmp_path / "o.csv"
        code, _, said = run(
            "--in", tmp_path / name, "--out", out, "--model", "toy", "--store", store
        )
        assert code == 2
        assert what in said
        assert "Traceback" not in said
        assert not out.exists()

    def test_the_header_again_is_a_row_with_an_error(self, store: Path, tmp_path: Path) -> None:
        (tmp_path / "i.csv").write_text("text,id\ngood,1\ntext,id\nbad,2\n")
        out = tmp_path / "o.jsonl"
        code, _, said = run(
            "--in", tmp_path / "i.csv", "--out", out, "--model", "toy", "--store", store
        )
        assert code == 0
        assert "line 3: the line is the header again" in said
        assert [row["predicted_label"] for row in read(out)] == ["pos", None, "neg"]


class TestStreams:
    @pytest.mark.parametrize("name", ["pipe.csv", "pipe"])
    def test_a_pipe_is_read_like_a_file(self, store: Path, tmp_path: Path, name: str) -> None:
        os.mkfifo(tmp_path / name)
        writer = Thread(target=(tmp_path / name).write_text, args=["text,id\ngood,1\nbad,2\n"])
        writer.start()
        out = tmp_path / "o.csv"
        code, _, said = run(
            "--in", tmp_path / name, "--out", out, "--model", "toy", "--store", store
        )
        writer.join()
        assert code == 0, said
        assert [line.split(",")[2] for line in out.read_text().splitlines()[1:]] == ["pos", "neg"]

    def test_a_device_is_no_target(self, store: Path, lines: Path) -> None:
        options = ["--format", "jsonl", "--model", "toy", "--store", store]
        code, _, said = run("--in", lines, "--out", "/dev/null", *options)
        assert code == 2
        assert "/dev/null is there already; --out - writes to standard output" in said

    @pytest.mark.medium
    def test_nobody_reads_on(self, tmp_path: Path) -> None:
        longer_than_any_pipe = "x" * 4_000_000
        (tmp_path / "i.csv").write_text(f"text,more\ngood,{longer_than_any_pipe}\n")
        command = [*SCORE, "--in", str(tmp_path / "i.csv"), "--out", "-", "--format", "csv"]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline().startswith("text,more,predicted_label")
            process.stdout.close()
            said = process.stderr.read()
        assert process.returncode == 128 + signal.SIGPIPE
        assert "rror" not in said
        assert "Traceback" not in said


@pytest.mark.medium
def test_a_locale_without_unicode(tmp_path: Path) -> None:
    (tmp_path / "größe 😀.csv").write_text("text,né\ngut 😀,中\n", encoding="utf-8")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [*SCORE, "--in", str(tmp_path / "größe 😀.csv"), "--out", str(tmp_path / "ö.csv")]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | locale, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ö.csv").read_text("utf-8").startswith("text,né,predicted_label,")
    assert "gut 😀,中," in (tmp_path / "ö.csv").read_text("utf-8")


def test_a_text_in_an_object(store: Path, tmp_path: Path) -> None:
    rows = [{"example": {"text": "good"}}, {"example": "bad"}, {"example": {"text": "bad"}}]
    (tmp_path / "i.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "o.jsonl"
    options = ["--out", out, "--model", "toy", "--store", store, "--text-column", "example.text"]
    code, _, said = run("--in", tmp_path / "i.jsonl", *options)
    assert code == 0, said
    assert "line 2: no column 'example.text'; there are: example" in said
    assert [row["predicted_label"] for row in read(out)] == ["pos", None, "neg"]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("i.csv", b"text\ngood\nb\xffd\n", "character 1 is a byte that is not UTF-8"),
        (
            "i.jsonl",
            b'{"text": "good"}\n{"text": "b\\ud83dd"}\n',
            "character 1 is half a character",
        ),
    ],
)
def test_what_is_no_text_is_told_by_its_character(
    store: Path, tmp_path: Path, name: str, content: bytes, fault: str
) -> None:
    (tmp_path / name).write_bytes(content)
    out = tmp_path / name.replace("i.", "o.")
    code, _, said = run("--in", tmp_path / name, "--out", out, "--model", "toy", "--store", store)
    assert code == 0, said
    assert fault in said


def test_lines_of_text_have_the_column_that_was_scored(store: Path, tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("id,review\n1,good film\n2,bad\n")
    options = ["--in", tmp_path / "i.csv", "--text-column", "review", "--out", tmp_path / "o.txt"]
    code, _, said = run(*options, "--model", "toy", "--store", store)
    assert code == 0, said
    assert (tmp_path / "o.txt").read_text() == "__label__pos good film\n__label__neg bad\n"


def test_a_separator_must_be_one_character(store: Path, lines: Path) -> None:
    options = ["--in", lines, "--out", lines.with_name("o.csv"), "--store", store]
    code, _, said = run(*options, "--model", "toy", "--separator", "::")
    assert code == 2
    assert "no single character" in said
