"""A training that fails says how to resume, where that helps."""

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from models import locks
from models.golden import Golden
from models.registry import Store
from models.steering import give_label
from models.version_labels import FILE
from models.versions import EXTRA, GOLDEN, Version
from tests.conftest import train_tiny
from tests.training.labelled_files import write_csv
from tests.training.test_run import make_run, save
from tests.training.workspace.test_checkpoint import Course, make_tracked
from tests.versions import publish
from training.errors import CannotWrite, ExportError, GateRefused, TrainingError
from training.export.cases import GOLDEN_TEXTS
from training.linear import ngrams
from training.settings import FitSettings
from training.tracking.mlflow import DEFAULTS
from training.workspace.interrupt import Interrupted

pytestmark = pytest.mark.tensorflow  # which the module imports

HINT = "checkpoints are kept; to resume, give the same command and --resume"


@pytest.mark.parametrize(
    ("error", "fitted", "hints"),
    [
        (OSError("no such device"), True, [HINT]),
        (CannotWrite("cannot write to the store"), True, [HINT]),
        (CannotWrite("cannot write to the store"), False, []),
        (ExportError("an engine was killed"), True, [HINT]),
        (KeyboardInterrupt(), True, [HINT]),
        (SystemExit(143), True, [HINT]),  # by SIGTERM
        (OSError("no space left"), False, []),
        (TrainingError("the loss is no longer a number"), True, []),  # nor would it be again
        (Interrupted(2), True, []),  # which is told elsewhere
    ],
)
def test_how_to_go_on(
    error: BaseException,
    fitted: bool,
    hints: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training import pipeline

    def build(run, **_: object) -> None:
        if fitted:
            save(run)
        raise error

    run = make_run(tmp_path)
    monkeypatch.setattr(pipeline, "_build", build)
    capsys.readouterr()
    with pytest.raises(type(error)):
        pipeline.train(run, store=Store(tmp_path / "store"))
    assert capsys.readouterr().err.splitlines() == hints
    assert run.has_checkpoints == fitted
    assert not list((tmp_path / "store").rglob("*"))


def test_a_new_training_begins_without_what_a_stopped_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from training import pipeline

    stopped = make_run(tmp_path)
    for stage in ("network", "round-1", "teacher-25"):
        stopped.checkpoint(stage).save(make_tracked(1), Course(epoch=1))
    stopped.note("plan.json").write_text("{}")
    stopped.curves_folder("round-1").mkdir(parents=True)
    kept = [stopped.work / place for place in ("encoders/a.npz", "teachers/a.jsonl")]
    for path in kept:  # which cost more than a fit, and are of any training
        path.parent.mkdir()
        path.touch()
    monkeypatch.setattr(pipeline, "_build", fail_with(KeyboardInterrupt()))
    capsys.readouterr()
    with pytest.raises(KeyboardInterrupt):
        pipeline.train(replace(stopped, resume=False), store=Store(tmp_path / "store"))
    assert capsys.readouterr().err.splitlines() == [
        "note: without --resume a new training begins; the checkpoints of the last one are deleted"
    ]
    assert not stopped.has_checkpoints
    assert not stopped.note("plan.json").exists()
    assert not stopped.curves_folder("round-1").exists()
    assert all(path.exists() for path in kept)


def test_metadata_says_what_a_default_came_to(trained: Version) -> None:
    assert trained.metadata.settings["subwords"] is True  # its texts are few


QUICK = FitSettings(epochs=1, adversarial=0.0)


def fail_with(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


FULL = OSError(errno.ENOSPC, "No space left on device")


def of_tensorflow(name: str, message: str) -> Callable[[], Exception]:
    def make() -> Exception:
        import tensorflow as tf

        error: Exception = getattr(tf.errors, name)(None, None, message)
        return error

    return make


@pytest.mark.parametrize(
    ("step", "make"),
    [
        ("export_version", lambda: FULL),
        ("export_version", of_tensorflow("ResourceExhaustedError", "No space left on device")),
        ("export_version", of_tensorflow("InternalError", "No space left on device")),
        ("export_version", of_tensorflow("PermissionDeniedError", "Read-only file system")),
        ("export_version", of_tensorflow("UnknownError", "Input/output error")),
        ("report_trained", lambda: FULL),
        ("write_card", lambda: OSError(errno.EDQUOT, "Disk quota exceeded")),
        ("publish", lambda: OSError(errno.EROFS, "Read-only file system")),
    ],
)
def test_a_disk_that_takes_no_more(
    step: str,
    make: Callable[[], Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training import pipeline

    run, store = make_run(tmp_path), Store(tmp_path / "store")
    anything: Any = MagicMock()
    done = {"_fit_baseline", "learn", "make_metadata", "export_version", "_verify"}
    done |= {"measure_trained", "fit_early_exit", "report_trained", "write_card", "headline"}
    done.add("write_settings")
    for name in {*done, "answer_times"}:
        monkeypatch.setattr(pipeline, name, anything)
    monkeypatch.setattr(pipeline, "size_of_version", lambda _: 20_000_000)
    monkeypatch.setattr(pipeline, "write_card", lambda *_, **__: "a card")
    monkeypatch.setattr(pipeline, "CARD", "card.md")
    save(run)
    error, holder = make(), Store if step == "publish" else pipeline
    monkeypatch.setattr(holder, step, fail_with(error))
    capsys.readouterr()
    with pytest.raises(CannotWrite) as caught:
        pipeline.train(run, store=store)
    told = str(caught.value)
    assert told.startswith(f"cannot write to {store.root / 'mine'}: ")
    assert ("about 20.0 MB are needed" in told) == (step != "publish")
    assert told.endswith(" MB are free")
    assert "\n" not in told
    assert capsys.readouterr().err.splitlines() == [HINT]
    assert run.has_checkpoints
    assert not list(store.root.rglob("*"))


@pytest.mark.parametrize(
    ("holder", "step", "folder"),
    [(Store, "staging", "store/mine"), (locks, "lock", "work/checkpoints")],
)
def test_a_folder_that_takes_no_files_is_named_before_the_work(
    holder: Any, step: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import pipeline

    run = make_run(tmp_path)
    monkeypatch.setattr(pipeline, "_build", fail_with(AssertionError("it began")))
    error = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(holder, step, fail_with(error))
    with pytest.raises(CannotWrite, match=rf"^cannot write to {tmp_path / folder}: Read-only"):
        pipeline.train(run, store=Store(tmp_path / "store"))


@pytest.mark.slow
def test_a_finished_fit_outlives_a_wrong_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from training import pipeline

    first = make_run(tmp_path, resume=False, fit=QUICK, ngrams=False)
    store = Store(tmp_path / "store")
    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "verify_export", fail_with(ExportError("the export is wrong")))
        with pytest.raises(ExportError):
            pipeline.train(first, store=store)
    assert HINT in capsys.readouterr().err.splitlines()
    published = pipeline.train(replace(first, resume=True), store=store)
    assert "resumed after the fit, which was complete" in capsys.readouterr().err
    published.verify()
    assert not first.has_checkpoints


@pytest.mark.slow
def test_a_few_rows_of_each_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)
    counts = [1, 1, 2, 3, 4, 5, 5, 5]
    labels = [f"intent {label}" for label, count in enumerate(counts) for _ in range(count)]
    rows = [(f"please do {label} now, case {row}", label) for row, label in enumerate(labels)]
    version = train_tiny(tmp_path, write_csv(tmp_path / "few.csv", rows), fit=QUICK)
    version.verify()
    data = version.metadata.data
    assert (data.train.rows, data.validation.rows) == (sum(counts) - 3, 3)
    assert len(version.metadata.labels) == len(counts)
    assert version.metadata.stopping is None
    told = capsys.readouterr().err
    assert "note: no validation split: 3 rows of train held out for it" in told
    assert "note: validation has 3 rows, of 3 of the 8 classes of train: calibration" in told


@pytest.mark.parametrize("kept", [[0, 3], list(range(len(GOLDEN_TEXTS)))])
def test_golden_texts_are_those_that_rounding_leaves_as_they_are(
    kept: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training import pipeline

    rows = len(GOLDEN_TEXTS)
    verified = SimpleNamespace(
        golden=np.tile(np.arange(rows)[:, None] / rows, 2), steady=np.isin(np.arange(rows), kept)
    )
    monkeypatch.setattr(pipeline, "verify_export", lambda *_, **__: verified)
    run, folder = make_run(tmp_path), tmp_path / "version"
    (folder / EXTRA).mkdir(parents=True)
    capsys.readouterr()
    classifier: Any = None
    pipeline._verify(run, classifier, folder=folder)
    golden = Golden.load(folder / GOLDEN)
    assert golden.texts == tuple(GOLDEN_TEXTS[row] for row in kept)
    assert [row[0] for row in golden.probabilities] == [row / rows for row in kept]
    golden.check_ids(run.prepared.tokenizer)
    lost = rows - len(kept)
    told = f"note: rounding moves {lost} golden texts; left out"
    assert capsys.readouterr().err.splitlines() == [told] * bool(lost)


def test_where_labels_decide_the_old_version_goes_on_answering(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from training import pipeline

    store = Store(tmp_path)
    first = publish(tmp_path)
    tell = pipeline._tell_who_answers
    tell(first, store=store)
    assert capsys.readouterr().err == ""
    give_label(store, first, "stable")
    tell(publish(tmp_path), store=store)
    told = " ".join(capsys.readouterr().err.split())
    assert told == (
        "toy:1 is stable and goes on answering; "
        "to try the new one: python -m models label toy:2 canary"
    )
    (tmp_path / "toy" / FILE).write_text("{")
    tell(publish(tmp_path), store=store)
    assert "it is not known which version answers" in capsys.readouterr().err


class TestGate:
    """What the gate refuses is put aside; what passes may be tried, where labels are in use."""

    @pytest.fixture
    def run_with(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[list[str]], Version]:
        from training import pipeline
        from training.evaluation.gate import Judgement

        source = publish(tmp_path / "other")

        def run_with(reasons: list[str]) -> Version:
            equal = {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "at_most": False, "test": ""}
            found = Judgement(
                old="toy:1",
                measure="accuracy",
                rows=100,
                new_score=0.8,
                old_score=0.9,
                before=0.9,
                difference=equal,
                p_of_fall=0.5,
                seen=False,
                flips=[],
                golden_flips=[],
                reasons=reasons,
            )

            def build(_: Any, *, folder: Path) -> Any:
                shutil.copytree(source.path, folder, dirs_exist_ok=True)
                (folder / "assets.extra/report").mkdir()
                found.save(folder / "assets.extra/report")
                return source.metadata, MagicMock(), found

            monkeypatch.setattr(pipeline, "_build", build)
            monkeypatch.setattr(pipeline, "print_summary", MagicMock())
            run = make_run(tmp_path, name="toy")
            save(run)
            try:
                return pipeline.train(run, store=Store(tmp_path / "store"))
            finally:
                assert not run.has_checkpoints

        return run_with

    def test_what_is_refused_is_put_aside(self, run_with: Any, tmp_path: Path) -> None:
        publish(tmp_path / "store")
        with pytest.raises(GateRefused, match="it is worse; and so is the data; it is in"):
            run_with(["it is worse", "so is the data"])
        assert [each.number for each in Store(tmp_path / "store").versions("toy")] == [1]
        (aside,) = Store(tmp_path / "work/refused").versions("toy")
        aside.verify()
        assert (aside.path / "assets.extra/report/gate.json").is_file()

    def test_nothing_of_what_is_refused_is_resumed(
        self, run_with: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uri = (tmp_path / "mlruns").as_uri()
        server = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_TRACKING_URI": uri}
        for name, value in (DEFAULTS | server).items():
            monkeypatch.setenv(name, value)
        publish(tmp_path / "store")
        with pytest.raises(GateRefused):
            run_with(["it is worse"])
        assert not (tmp_path / "work/checkpoints/toy").exists()

    def test_what_passes_is_published(self, run_with: Any, tmp_path: Path) -> None:
        publish(tmp_path / "store")
        assert run_with([]).number == 2
        assert Store(tmp_path / "store").labels("toy").versions == {}

    def test_what_passes_is_the_canary_where_there_are_labels(
        self, run_with: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        first, store = publish(tmp_path / "store"), Store(tmp_path / "store")
        give_label(store, first, "stable")
        run_with([])
        assert store.labels("toy").versions == {"stable": 1, "canary": 2}
        told = " ".join(capsys.readouterr().err.split())
        assert "toy:1 is stable and goes on answering; python -m models promote toy lets" in told

    @pytest.mark.parametrize("kind", ["share", "shadow"])
    def test_a_canary_on_trial_stays(
        self, run_with: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
    ) -> None:
        first, store = publish(tmp_path / "store"), Store(tmp_path / "store")
        give_label(store, first, "stable")
        give_label(store, publish(tmp_path / "store"), "canary", **{kind: 0.1})
        assert run_with([]).number == 3
        labels = store.labels("toy")
        assert (labels.versions, labels.parts) == ({"stable": 1, "canary": 2}, {"canary": 0.1})
        told = " ".join(capsys.readouterr().err.split())
        assert f"toy:2 is canary with a {kind} of 10% and stays it; toy:3 gets no label" in told
        assert "to try the new one: python -m models label toy:3 canary" in told

    def test_a_canary_that_is_not_on_trial_is_replaced(
        self, run_with: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        first, store = publish(tmp_path / "store"), Store(tmp_path / "store")
        give_label(store, first, "stable")
        give_label(store, publish(tmp_path / "store"), "canary")
        run_with([])
        assert store.labels("toy").versions == {"stable": 1, "canary": 3}
        assert "toy:3 is canary in place of toy:2" in capsys.readouterr().err
