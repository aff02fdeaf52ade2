"""Files are scored as the service would answer; stopped and gone on with, nothing is lost."""

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.__main__ import app
from service.answering.classifier import Classifier
from service.engines.runner import Runner
from service.scoring import score
from service.scoring.formats import JsonLines
from service.scoring.parts import Parts, PartsError
from service.scoring.score import Scorer, ScoringObserver
from tests.versions import STATE, CountingEngine, publish

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
    assert "row 4: not a text but None" in said
    assert "35 rows" in said
    assert "10 bad" in said
    assert not out.with_name("out.jsonl.parts").exists()


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
    scorer = Scorer(classifier, format=JsonLines(None), threads=2, prefix="predicted_")
    observer = ScoringObserver(advance=advance, complain=lambda *_: None)
    folder = tmp_path / "parts"
    with pytest.raises(Stopped), lines.open("rb") as source:
        scorer.score(source, Parts(folder, identity={"a": 1}), observer=observer)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("0*")}
    assert len(before) == after + 1
    computed.clear()
    with lines.open("rb") as source:
        parts = Parts(folder, identity={"a": 1})
        count = scorer.score(source, parts, observer=observer)
    assert computed == [0] * (after + 1) + [1] * (count - after - 1)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    out = tmp_path / "out"
    parts.join(count, out, JsonLines(None).join)
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

    def test_parts_of_another_run_are_not_taken(self, tmp_path: Path) -> None:
        Parts(tmp_path, identity={"input": "a", "model": "b"})
        with pytest.raises(PartsError, match="another model: delete it to begin anew"):
            Parts(tmp_path, identity={"input": "a", "model": "c"})

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

    def test_the_input_is_missing(self, store: Path, tmp_path: Path) -> None:
        options = ["--out", tmp_path / "o.csv", "--model", "toy", "--store", store]
        self.fails("--in", tmp_path / "i.csv", *options, expected="there is no file")

    def test_formats_differ(self, store: Path, lines: Path) -> None:
        options = ["--out", lines.with_suffix(".csv"), "--model", "toy", "--store", store]
        self.fails("--in", lines, *options, expected="one format, not csv and jsonl")

    def test_no_format(self, store: Path, tmp_path: Path) -> None:
        options = ["--out", "-", "--model", "toy", "--store", store]
        self.fails("--in", "-", *options, expected="name the --format")
        self.fails("--in", tmp_path / "x.txt", *options, expected="not 'txt'")

    def test_parquet_from_standard_input(self, store: Path) -> None:
        options = ["--format", "parquet", "--model", "toy", "--store", store]
        self.fails(
            "--in",
            "-",
            "--out",
            "-",
            *options,
            expected="Parquet cannot be read from standard input",
        )

    def test_no_rows(self, store: Path, tmp_path: Path) -> None:
        (tmp_path / "i.csv").write_text("text\n")
        options = ["--out", tmp_path / "o.csv", "--model", "toy", "--store", store]
        self.fails("--in", tmp_path / "i.csv", *options, expected="has no rows")

    def test_no_model(self, store: Path, lines: Path) -> None:
        options = ["--out", lines.with_name("o.jsonl"), "--model", "other", "--store", store]
        self.fails("--in", lines, *options, expected="other")
