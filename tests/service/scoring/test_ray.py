"""What the tasks of a cluster do, each in this process: no row is lost, and none is there twice.

`tests/e2e/test_ray.py` runs them on a cluster.
"""

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet
import pytest

from models.errors import GatewiseError
from models.ray_cluster import ClusterError
from models.registry import Store
from service.scoring import ray, sources
from service.scoring.part_folder import PartFolder, PartNames
from service.scoring.progress import ScoringProgress
from service.scoring.request import ScoreError, ScoringRun
from service.scoring.score import added_columns
from service.scoring.shipped_version import VersionPlace
from service.scoring.sources import list_sources
from tests.versions import CountingEngine, publish

TEXTS = ["good", "bad film", "", "good good", "a"] * 2


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let parts be small and engines be countable; return the versions that were opened."""
    opened: list[str] = []

    def open_engine(version: Any, *, kind: str) -> Any:
        opened.append(version.reference)
        return SimpleNamespace(engine=CountingEngine())

    monkeypatch.setattr(ray, "PART_ROWS", 4)
    monkeypatch.setattr(ray, "open_engine", open_engine)
    monkeypatch.setattr(ray, "_nodes", {})
    return opened


@pytest.fixture
def job(tmp_path: Path) -> Iterator[ray.Job]:
    publish(tmp_path / "store")
    for name in ("one", "two"):
        lines = [json.dumps({"text": f"{text} {name}"}) for text in TEXTS]
        lines.insert(2, json.dumps({"text": 7}))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    version = Store(tmp_path / "store").resolve("toy")
    run = ScoringRun(
        source=tmp_path / "*.jsonl",
        target=tmp_path / "out",
        format=None,
        column=None,
        prefix="predicted_",
        encoding=None,
        separator=None,
        engine="onnx",
        threads=1,
        probabilities=True,
    )
    folder = PartFolder(run.target)
    with folder.held():
        yield ray.Job(
            run=run,
            sources=[
                PartNames.of(source, identity=run.identify(version))
                for source in list_sources(run.source)
            ],
            folder=folder,
            place=VersionPlace.of(version),
            shipped=None,
            columns=added_columns(version.metadata, prefix="predicted_", probabilities=True),
        )


def read_all(job: ray.Job) -> list[ray.Item]:
    return [item for n in range(len(job.sources)) for item in ray.read({"item": n}, job=job)]


def finish(job: ray.Job, items: list[ray.Item]) -> list[dict[str, Any]]:
    """Put the result together of answered items, and return its rows."""
    tallies = [ray.Tally() for _ in job.sources]
    with ScoringProgress() as progress:
        for item in items:
            ray.note(item, tallies[item["source"]], progress)
    assert all(tally.whole for tally in tallies)
    parts = {
        names: [tally.rows[n] for n in range(len(tally.rows))]
        for names, tally in zip(job.sources, tallies, strict=True)
    }
    job.folder.finish(parts, about={})
    manifest = json.loads((job.run.target / "_manifest.json").read_text())
    names = [part for source in manifest["sources"] for part in source["parts"]]
    return [
        row
        for name in names
        for row in pyarrow.parquet.read_table(job.run.target / name).to_pylist()
    ]


def check(rows: list[dict[str, Any]]) -> None:
    """Check that each row is there once, in order, with its answer."""
    wanted = [f"{text} {name}" for name in ("one", "two") for text in TEXTS]
    assert [row["text"] for row in rows if row["text"] != "7"] == wanted
    assert len(rows) == len(wanted) + 2
    for row in rows:
        bad = row["text"] == "7"
        assert row["predicted_label"] == (
            None if bad else "pos" if "good" in row["text"] else "neg"
        )
        assert (row["predicted_error"] is not None) == bad


@pytest.mark.medium
def test_in_any_order_and_again(job: ray.Job, small: list[str]) -> None:
    job = pickle.loads(pickle.dumps(job))  # as it comes to a node
    items = read_all(job)
    answered = [ray.answer(item, job=job) for item in [*reversed(items), *items[:3]]]
    assert small == ["toy:1"]  # opened once
    check(finish(job, answered))


def test_a_rerun_computes_what_is_not_there(job: ray.Job, small: list[str]) -> None:
    first = [ray.answer(item, job=job) for item in read_all(job)[:2]]
    written = {path: path.stat().st_mtime_ns for path in job.folder.path.glob("*.parquet")}
    assert len(written) == len(first) == 2
    again = [ray.answer(item, job=job) for item in read_all(job)]
    assert [item["known"] for item in again[:3]] == [True, True, False]
    assert {path: path.stat().st_mtime_ns for path in written} == written
    check(finish(job, again))


def test_a_missing_part_is_noticed(job: ray.Job) -> None:
    tally = ray.Tally()
    with ScoringProgress() as progress:
        for item in [*ray.read({"item": 0}, job=job)][1:]:
            ray.note(ray.answer(item, job=job), tally, progress)
    assert not tally.whole


def test_bad_rows_are_told_by_file_and_line(
    job: ray.Job, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(job, [ray.answer(item, job=job) for item in read_all(job)])
    told = capsys.readouterr().err
    assert "one.jsonl: line 3: not a text but 7" in told
    assert "two.jsonl: line 3: not a text but 7" in told


def test_a_file_that_changes_while_it_is_read(job: ray.Job) -> None:
    items = ray.read({"item": 0}, job=job)
    next(items)
    with job.sources[0].source.path.open("a") as file:
        file.write('{"text": "more"}\n')
    with pytest.raises(ScoreError, match=r"one\.jsonl was changed meanwhile"):
        list(items)


def test_a_node_of_another_release(job: ray.Job) -> None:
    with pytest.raises(ClusterError, match=r"has Gatewise .*, not 0\.0\.9"):
        list(ray.read({"item": 0}, job=replace(job, release="0.0.9")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": Path("-")}, "a cluster reads and writes files"),
        ({"target": Path("out.csv")}, "a cluster writes a folder of Parquet files"),
        ({"target": Path("/")}, "/ is there already"),
        ({"source": Path("nowhere/*.csv")}, r"there is no file nowhere/\*\.csv"),
    ],
)
def test_what_cannot_be_asked(job: ray.Job, changes: dict[str, Any], message: str) -> None:
    run = replace(job.run, **changes)
    version = job.place.find()
    assert version is not None
    with pytest.raises(GatewiseError, match=message):
        ray.score_on_ray(run, version, address="local")


def test_a_node_that_does_not_see_a_file(job: ray.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def unseen(*_: Any) -> Any:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(sources.Source, "of", unseen)
    with pytest.raises(ScoreError, match="all nodes have to share its folder"):
        list(ray.read({"item": 0}, job=job))
