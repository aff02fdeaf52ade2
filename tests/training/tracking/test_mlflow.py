"""What a training logs to MLflow, and that no server can harm it."""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import train_tiny, write_reviews
from tests.training.labelled_files import make_rows
from tests.training.test_run import make_run
from training.errors import GateRefused, TrainingError
from training.fitting.observer import FitEpoch, FitStep
from training.settings import FitSettings
from training.tracking import mlflow as mlflow_log
from training.tracking.mlflow import DEFAULTS, MlflowLog, check_installed
from training.workspace.interrupt import Interrupted

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the modules of a run import

FIGURES = {"loss": 0.9, "accuracy": 0.5, "macro_f1": 0.4, "log_loss": 0.7, "score": 0.5}

STEP = FitStep(number=1, epoch=1, batch=1, loss=0.9, mean_loss=0.9, norm=1.0, tokens_per_second=1.0)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what is set here, and wait a second at most for any server."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    for name, value in DEFAULTS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a tracking store in a folder, which the environment names."""
    import mlflow

    uri = (tmp_path / "mlruns").as_uri()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return mlflow.MlflowClient(uri)


def find_runs(store: Any, experiment: str = "mine") -> list[Any]:
    """Return the runs of an experiment, the newest first."""
    found = store.get_experiment_by_name(experiment)
    return list(store.search_runs([found.experiment_id])) if found else []


def make_epoch(number: int) -> FitEpoch:
    return FitEpoch(number=number, figures=FIGURES, tokens_per_second=1.0)


def log_epochs(run: "Run", *epochs: int, stage: str = "network", error: Any = None) -> None:
    """Log as a training with these epochs would that ends with `error`."""
    run.note("").mkdir(parents=True, exist_ok=True)
    with MlflowLog(run) as log:
        for epoch in epochs:
            log.observer(stage).add_step(STEP)
            log.observer(stage).add_epoch(make_epoch(epoch))
        if error is not None:
            raise error


@pytest.mark.slow
def test_a_training_is_logged(store: Any, tmp_path: Path) -> None:
    columns = {"text_column": "what they wrote", "label_column": "Was it any good?"}
    version = train_tiny(
        tmp_path,
        write_reviews(tmp_path / "reviews.csv", rows=120),
        fit=FitSettings(epochs=2, learning_rate=0.02, adversarial=0.0),
        **columns,
    )
    (run,) = find_runs(store, "tiny")
    data = version.metadata.data
    assert run.info.status == "FINISHED"
    assert run.data.tags.items() >= {
        ("model", "tiny"),
        ("version", "tiny:1"),
        ("task", "single_label"),
    }
    assert run.data.params.items() >= {
        ("dataset", str(tmp_path / "reviews.csv")),
        ("cell", "gru"),
        ("units", "8"),
        ("learning_rate", "0.02"),
        ("train_sha256", data.train.sha256),
    }
    for split, figures in version.metadata.metrics.items():
        for name, value in figures.items():
            assert run.data.metrics[f"{split}/{name}"] == value
    baseline = version.metadata.baseline["validation"]["macro_f1"]
    assert run.data.metrics["baseline/validation/macro_f1"] == baseline
    for name in ("train_loss", "validation_loss", "validation_accuracy", "validation_macro_f1"):
        history = store.get_metric_history(run.info.run_id, name)
        epochs = int(version.metadata.training["epochs"])
        assert [point.step for point in history] == list(range(1, epochs + 1))
    assert {file.path for file in store.list_artifacts(run.info.run_id)} == {"README.md", "report"}
    report = {file.path for file in store.list_artifacts(run.info.run_id, "report")}
    assert "report/report.html" in report
    assert list((tmp_path / "work" / "checkpoints").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Interrupted(signal.SIGINT), "KILLED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(143), "KILLED"),
        (TrainingError("the loss is no longer a number"), "FAILED"),
    ],
)
def test_how_it_ended(store: Any, tmp_path: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)):
        log_epochs(make_run(tmp_path), 1, error=error)
    (run,) = find_runs(store)
    assert run.info.status == status
    assert run.data.metrics["train_loss"] == 0.9


def test_a_resumed_training_goes_on_in_the_same_run(store: Any, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        log_epochs(make_run(tmp_path), 1, 2, error=Interrupted(signal.SIGINT))
    log_epochs(make_run(tmp_path), 2, 3)  # what a killed fit had not saved it does again
    (run,) = find_runs(store)
    assert run.info.status == "FINISHED"
    steps = [point.step for point in store.get_metric_history(run.info.run_id, "train_loss")]
    assert steps == [1, 2, 3]


def test_a_training_that_is_over_leaves_no_note(store: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path)
    with pytest.raises(GateRefused), MlflowLog(run) as log:
        log.observer("network").add_epoch(make_epoch(1))
        run.clean_up()
        log.end_resuming()
        raise GateRefused("it is worse")
    assert not run.note("mlflow.json").exists()


def test_another_training_has_its_own_run(store: Any, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        log_epochs(make_run(tmp_path), 1, error=Interrupted(signal.SIGINT))
    other = make_run(tmp_path, rows=make_rows(61))
    log_epochs(other, 1)
    logged = {run.info.status: run for run in find_runs(store)}
    assert sorted(logged) == ["FINISHED", "KILLED"]
    digest = other.prepared.data.train.sha256
    assert logged["FINISHED"].data.params["train_sha256"] == digest
    assert logged["FINISHED"].data.metrics["train_loss"] == 0.9


@pytest.mark.parametrize(
    "change",
    [lambda note: "", lambda note: "{}", lambda note: json.dumps(note | {"run": "0" * 16})],
)
def test_a_run_that_is_not_there_is_begun_anew(
    store: Any, tmp_path: Path, change: Callable[[dict], str]
) -> None:
    run = make_run(tmp_path)
    log_epochs(run, 1)
    path = run.note("mlflow.json")
    path.write_text(change(json.loads(path.read_text())))
    for logged in find_runs(store):
        store.delete_run(logged.info.run_id)
    log_epochs(run, 1)
    (logged,) = find_runs(store)
    assert logged.info.status == "FINISHED"


def test_a_training_that_is_not_resumed_has_its_own_run(store: Any, tmp_path: Path) -> None:
    log_epochs(make_run(tmp_path), 1)
    log_epochs(make_run(tmp_path, resume=False), 1)
    assert len(find_runs(store)) == 2


def test_the_environment_may_name_the_experiment(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "everything")
    log_epochs(make_run(tmp_path), 1, stage="round-1")
    (run,) = find_runs(store, "everything")
    assert run.data.metrics["round-1/validation_loss"] == 0.7


class _Server(BaseHTTPRequestHandler):
    """Refuses or never answers."""

    def do_GET(self) -> None:
        if self.server.hangs:  # type: ignore[attr-defined]
            self.server.closing.wait()  # type: ignore[attr-defined]
            return
        self.send_error(503, "out of order")

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serve(*, hangs: bool) -> Iterator[str]:
    """Serve until left; return the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.hangs, server.closing = hangs, threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://me:secret@127.0.0.1:{server.server_port}"
    finally:
        server.closing.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def nobody() -> Iterator[str]:
    """Return an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://me:secret@127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    "server", [nobody(), serve(hangs=False), serve(hangs=True)], ids=["none", "refuses", "hangs"]
)
def test_a_server_that_does_not_answer(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path)
    capsys.readouterr()
    with server as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        log_epochs(run, 1, 2, 3)
    output = capsys.readouterr()
    warning, end = output.err.splitlines()
    assert warning.startswith("warning: training continues without MLflow: API request to http")
    assert "secret" not in warning
    assert end == "MLflow has not got it all"
    assert output.out == ""


def out_of_order(*_: Any, **__: Any) -> None:
    raise ConnectionError("the server is gone")


def test_what_a_server_missed_is_delivered_later(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mlflow_log, "SECONDS_BETWEEN", 0.0)
    run = make_run(tmp_path)
    run.note("").mkdir(parents=True, exist_ok=True)
    with pytest.raises(Interrupted), MlflowLog(run) as log:
        log.observer("network").add_epoch(make_epoch(1))
        with monkeypatch.context() as patch:
            patch.setattr(type(log._client), "log_batch", out_of_order)
            log.observer("network").add_epoch(make_epoch(2))
        raise Interrupted(signal.SIGINT)
    (logged,) = find_runs(store)
    steps = [point.step for point in store.get_metric_history(logged.info.run_id, "train_loss")]
    assert steps == [1, 2]
    said = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("warning: ") for line in said) == 1
    assert said[-1] == "MLflow has it all"


def test_what_is_no_number_is_left_out(store: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path)
    run.note("").mkdir(parents=True, exist_ok=True)
    with MlflowLog(run) as log:
        log.add_epoch({"loss": float("nan"), "log_loss": 1.0}, stage="network", epoch=1)
    (logged,) = find_runs(store)
    assert set(logged.data.metrics) == {"validation_loss"}


class TestWithoutMlflow:
    @pytest.fixture(autouse=True)
    def missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let no module of MLflow be imported."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "mlflow", None)

    @pytest.mark.parametrize("uri", [None, ""])
    def test_nothing_is_missed_where_no_server_is_named(
        self, uri: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if uri is not None:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        check_installed()
        run = make_run(tmp_path)
        log_epochs(run, 1)
        assert not run.note("mlflow.json").exists()

    def test_a_training_with_a_server_does_not_begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from training.__main__ import app

        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
        with pytest.raises(TrainingError, match="install it: make setup, or unset MLFLOW_TRA"):
            app(["train", "--dataset=nowhere.csv", "--name=x"], standalone_mode=False)
