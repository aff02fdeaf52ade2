"""A comparison examines everyone under equal conditions, goes on after a stop, and reports."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.training.labelled_files import make_rows
from tests.training.pretrained.networks import make_pretrained
from tests.training.side_by_side import Eager
from tests.training.test_run import make_run
from training.errors import Diverged, TrainingError
from training.linear import ngrams
from training.settings import FitSettings, NetworkSettings

if TYPE_CHECKING:
    from training.comparison.summary import Summary
    from training.fitting.observer import FitStep

pytestmark = pytest.mark.tensorflow  # which the modules import

COST = {"megabytes": 1.0, "engines": {}}


@contextmanager
def quickly() -> Iterator[None]:
    """Let tables and texts be small, nothing be traced, and nothing be exported.

    The export has a test of its own.
    """
    import tensorflow as tf

    from training.comparison import examine, interruption, summary

    engine = {"texts": [1.0], "token": 0.1, "microseconds": 2.0}
    cost = COST | {"engines": {"onnx": engine, "savedmodel": engine}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "TABLE_BYTES", 1)
        patch.setattr(examine, "_price", lambda *_: cost)
        for module in (interruption, summary):
            patch.setattr(module, "INSERTED", (0, 2, 5))  # tokens
        tf.config.run_functions_eagerly(True)
        yield
        tf.config.run_functions_eagerly(False)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quickly():
        yield


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no report, for drawing takes longer than all else here."""
    from training.comparison import compare

    monkeypatch.setattr(compare, "write_comparison", lambda *_, **__: None)


def compare(
    folder: Path,
    *,
    seeds: int = 1,
    resume: bool = False,
    cells: Any = ("rnn", "gru"),
    workers: Any = None,
) -> "Summary":
    from training.comparison.compare import Plan, compare
    from training.workers import ALONE

    run = make_run(
        folder,
        rows=make_rows(60),
        resume=resume,
        network=NetworkSettings(cell="gru", units=3, embedding=4),
        fit=FitSettings(epochs=2, adversarial=0.0),
    )
    plan = Plan(cells=cells, seeds=seeds)
    return compare(run, plan, folder=folder / "out", workers=workers or ALONE)


def without_times(summary: "Summary") -> str:
    """Return all figures but those of time."""
    text = json.loads(json.dumps(summary))
    for each in text["contestants"]:
        del each["effort"], each["cost"]
        for epoch in each["ease"]["epochs"]:
            del epoch["seconds"]
    return json.dumps(text)


class Whole(NamedTuple):
    """A comparison that nothing disturbed, and the folder that it was made in."""

    summary: "Summary"
    folder: Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    with quickly():
        return Whole(compare(folder), folder)


def test_everyone_is_examined_and_reported(whole: Whole) -> None:
    summary = whole.summary
    assert [each["name"] for each in summary["contestants"]][:2] == ["simple cell 3", "GRU 3"]
    assert all(each["scores"] for each in summary["contestants"])
    report = whole.folder / "out" / "report"
    page = (report / "comparison.html").read_text()
    assert summary["verdict"]["headline"] in page
    assert "text number" not in page  # what the rows say stays where it is
    kept = json.loads((report / "comparison.json").read_text())
    assert kept["verdict"] == summary["verdict"]
    assert {"norms.png", "flips.png", "fading-state.png"} <= {p.name for p in report.iterdir()}


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_it_is_the_same_every_time(whole: Whole, tmp_path: Path) -> None:
    assert without_times(compare(tmp_path)) == without_times(whole.summary)


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_side_by_side_it_is_the_same(whole: Whole, tmp_path: Path) -> None:
    workers = Eager()
    assert without_times(compare(tmp_path, workers=workers)) == without_times(whole.summary)
    assert workers.calls == len(whole.summary["contestants"])


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_a_stopped_one_goes_on(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.comparison import entries as module

    examine, done = module.examine, []

    def stop_at_the_second(*arguments: Any, **options: Any) -> Any:
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(None)
        return examine(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, "examine", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            compare(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "fits").iterdir()}
    assert len(before) == 1
    resumed = without_times(compare(tmp_path, resume=True))
    assert resumed == without_times(whole.summary)
    assert all(p.stat().st_mtime_ns == when for p, when in before.items())


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_a_stopped_fit_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.comparison.examine import StepRecord
    from training.workspace.checkpoint import Checkpoint

    add_step, taken = StepRecord.add_step, []

    def stop_at_the_third(self: StepRecord, step: "FitStep") -> None:
        taken.append(step)
        if len(taken) == 3:
            raise KeyboardInterrupt
        add_step(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(StepRecord, "add_step", stop_at_the_third)
        patch.setattr(Checkpoint, "is_due", lambda _: True)
        with pytest.raises(KeyboardInterrupt):
            compare(tmp_path, cells=("rnn",))
    assert list((tmp_path / "work" / "checkpoints").rglob("*.npz"))
    resumed = compare(tmp_path, cells=("rnn",), resume=True)
    whole = compare(tmp_path / "undisturbed", cells=("rnn",))
    assert without_times(resumed) == without_times(whole)


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_without_resume_it_begins_anew(tmp_path: Path) -> None:
    compare(tmp_path, cells=("rnn",))
    (path,) = (tmp_path / "out" / "fits").iterdir()
    before = path.stat().st_mtime_ns
    curves = tmp_path / "work/tensorboard/mine"
    (curves / "lstm-9-1").mkdir()  # of a comparison of other cells
    compare(tmp_path, cells=("rnn",))
    assert path.stat().st_mtime_ns > before
    assert [len(list(stage.iterdir())) for stage in curves.iterdir()] == [1]


@pytest.mark.usefixtures("unwritten")
def test_it_does_not_go_on_with_something_else(whole: Whole) -> None:
    with pytest.raises(TrainingError, match="comparison of something else: seeds was 1 and is 2"):
        compare(whole.folder, seeds=2, resume=True)


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_what_fails_with_one_seed_is_not_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.comparison import examine as module

    fit_network = module.fit_network

    def fail_once(run: Any, *arguments: Any, **options: Any) -> Any:
        if run.settings.network.cell == "gru" and run.settings.seed == 1:
            raise Diverged("the loss is no longer a number")
        return fit_network(run, *arguments, **options)

    monkeypatch.setattr(module, "fit_network", fail_once)
    summary = compare(tmp_path, seeds=2)
    gru = next(each for each in summary["contestants"] if each["cell"] == "gru")
    assert (
        len(gru["failures"]),
        len(gru["scores"]["validation"]["alone"]["accuracy"]["seeds"]),
    ) == (
        1,
        1,
    )
    assert gru["cost"]
    assert summary["verdict"]["cell"] != gru["key"]


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_a_fit_that_fails_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.comparison import examine as module

    fit_network = module.fit_network

    def fail_for_the_simple_cell(run: Any, *arguments: Any, **options: Any) -> Any:
        if run.settings.network.cell == "rnn":
            raise Diverged("the loss is no longer a number")
        return fit_network(run, *arguments, **options)

    monkeypatch.setattr(module, "fit_network", fail_for_the_simple_cell)
    summary = compare(tmp_path)
    simple, gru, _ = summary["contestants"]
    assert (simple["scores"], len(simple["failures"])) == (None, 1)
    assert summary["verdict"]["cell"] == gru["key"]
    reason = "1 of 1 fits of the simple cell 3 failed; it is left out of the choice."
    assert reason in summary["verdict"]["reasons"]
    with pytest.raises(TrainingError, match="no fit succeeded"):
        compare(tmp_path / "other", cells=("rnn",))


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_cells_begin_with_the_networks_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.comparison import examine as module
    from training.comparison.compare import Plan, compare

    run = make_run(
        tmp_path,
        rows=make_rows(60),
        pretrained=True,
        network=NetworkSettings(cell="gru", units=3, embedding=4),
        fit=FitSettings(epochs=1, adversarial=0.0),
    )
    starts = {cell: make_pretrained(cell) for cell in ("gru", "lstm")}
    fit_network, found = module.fit_network, {}

    def look(run: Any, *arguments: Any, **options: Any) -> Any:
        found[run.settings.network.cell] = run.pretrained
        return fit_network(run, *arguments, **options)

    monkeypatch.setattr(module, "fit_network", look)
    plan = Plan(cells=("rnn", "gru", "lstm"), seeds=1, starts=starts)
    summary = compare(run, plan, folder=tmp_path / "out")
    assert found == starts
    assert [each["name"] for each in summary["contestants"]] == ["GRU 3", "LSTM 3"]
    assert summary["settings"]["pretrained"]
    with pytest.raises(TrainingError, match="start of gru was "):
        other = Plan(cells=plan.cells, seeds=1, starts={"lstm": starts["lstm"]})
        compare(replace(run, resume=True), other, folder=tmp_path / "out")


def test_the_texts_of_gradients_are_drawn_from_all(tmp_path: Path) -> None:
    """Files are often sorted by label, so the first texts would have only one."""
    from training.comparison.material import Material

    rows = sorted(make_rows(200), key=lambda row: row[1])
    judged = Material.of(make_run(tmp_path, rows=rows)).judged["validation"]
    assert sorted(judged.order) == list(range(len(judged.ids)))
    assert [judged.ids[row] for row in judged.order] == judged.drawn
    half = judged.labels[judged.order[: len(judged.ids) // 2]]
    assert 0 < half.sum() < len(half)
