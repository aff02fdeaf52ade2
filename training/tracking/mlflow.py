"""Logs a training to MLflow where the environment names a tracking server.

The training never depends on it. Figures that cannot be delivered wait for the next attempt; at
the end of the training they are given up.
"""

import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from models.installation import install_command
from models.versions import CARD, REPORT, Version
from training.console import console
from training.errors import TrainingError
from training.fitting.observer import FitEpoch, Observer
from training.workspace.atomic import save_json
from training.workspace.interrupt import Interrupted

if TYPE_CHECKING:  # it starts TensorFlow
    from training.run import Run

TRACKING_URI = "MLFLOW_TRACKING_URI"
# They replace those of MLflow, which waits for minutes, reports its use, and prints links.
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
SECONDS_BETWEEN = 60.0  # until the next attempt after a failed one
LONGEST_VALUE = 500  # characters of a parameter; the lowest limit of any server release
MOST_AT_ONCE = 100  # figures of one request
LONGEST_REASON = 600  # characters of a warning
# Error codes of a server for an unknown or deleted run.
GONE = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
FIRST_STAGE = "network"
EPOCH_NAMES = {"loss": "train_loss", "log_loss": "validation_loss"}


def check_installed() -> None:
    """Raise TrainingError if a tracking server is named and MLflow is missing."""
    if os.environ.get(TRACKING_URI):
        _import_mlflow()


class MlflowLog:
    """Logs one training to MLflow: opens a run when entered, closes it when left.

    It does nothing without a tracking server in the environment.

    Args:
        run: The training. A resumed training resumes its run at MLflow.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._uri = os.environ.get(TRACKING_URI)
        self._note = run.note("mlflow.json")
        self._client: Any = None
        self._id = ""
        self._former = ""  # id of the run of the training that is resumed
        self._epochs: dict[str, int] = {}  # that MLflow has, by stage
        self._params: list[Any] = []
        self._metrics: list[Any] = []
        self._complete = self._warned = self._over = False
        self._next_attempt = -math.inf

    def __enter__(self) -> Self:
        """Open a run."""
        if self._uri:
            _import_mlflow()
            self._params = self._make_params()
            self._read_note()
            self._attempt(self._deliver)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        """Deliver the rest, and how the training ended."""
        if not self._uri:
            return
        closed = self._attempt(lambda: self._close(_status(kind)), at_once=True)
        if self._warned:
            state = "has it all" if closed and (self._complete or kind) else "has not got it all"
            console.print(f"MLflow {state}")

    def observer(self, stage: str) -> Observer:
        """Return the observer that passes the epochs of a stage to MLflow."""
        return _Stage(self, stage)

    def add_epoch(self, figures: Mapping[str, float], *, stage: str, epoch: int) -> None:
        """Log the figures of an epoch, unless the stopped training has delivered them."""
        if not self._uri or epoch <= self._epochs.get(stage, 0):
            return
        prefix = "" if stage == FIRST_STAGE else f"{stage}/"
        for name, value in figures.items():
            if name != "score":  # a copy of another figure
                self._add(prefix + EPOCH_NAMES.get(name, f"validation_{name}"), value, step=epoch)
        self._epochs[stage] = epoch
        self._attempt(self._deliver)

    def end_resuming(self) -> None:
        """Leave no note from now on: without checkpoints nothing resumes this training."""
        self._over = True

    def add_version(self, version: Version) -> None:
        """Log the published version: its figures, those of the baseline, report and card."""
        if not self._uri:
            return
        self.end_resuming()
        metadata = version.metadata
        baseline = {f"baseline/{name}": figures for name, figures in metadata.baseline.items()}
        for group, figures in (metadata.metrics | baseline).items():
            for name, value in figures.items():
                self._add(f"{group}/{name}", value, step=0)
        self._complete = self._attempt(lambda: self._deliver_version(version), at_once=True)

    @cached_property
    def _facts(self) -> dict[str, str]:
        """What is known before the training, by the name of its parameter."""
        settings, data = self._run.settings, self._run.prepared.data
        hashes = {f"{name}_sha256": split.sha256 for name, split in data.splits.items()}
        record = {"dataset": settings.dataset} | settings.record() | hashes
        return {name: str(value)[:LONGEST_VALUE] for name, value in record.items()}

    def _make_params(self) -> list[Any]:
        from mlflow.entities import Param

        return [Param(name, value) for name, value in self._facts.items()]

    def _add(self, name: str, value: float, *, step: int) -> None:
        from mlflow.entities import Metric

        if math.isfinite(value):
            now = time.time_ns() // 1_000_000  # ms
            self._metrics.append(Metric(name, float(value), now, step))

    def _attempt(self, deliver: Callable[[], None], *, at_once: bool = False) -> bool:
        """Return whether the delivery succeeded; warn at the first failure."""
        if not at_once and time.monotonic() < self._next_attempt:
            return False
        try:
            deliver()
        except Exception as error:  # server, client and network raise anything
            self._next_attempt = time.monotonic() + SECONDS_BETWEEN
            if not self._warned:
                console.print(f"warning: training continues without MLflow: {_shorten(error)}")
            self._warned = True
            return False
        return True

    def _deliver(self) -> None:
        """Open the run if it is not open yet; log the waiting figures."""
        if self._client is None:
            self._client = _import_mlflow().MlflowClient(self._uri)
        if not self._id:
            self._open()
        if self._params:
            self._client.log_batch(self._id, params=self._params, synchronous=True)
            self._params = []
        while self._metrics:
            now = self._metrics[:MOST_AT_ONCE]
            self._client.log_batch(self._id, metrics=now, synchronous=True)
            del self._metrics[:MOST_AT_ONCE]
        if not self._over:
            self._write_note()

    def _deliver_version(self, version: Version) -> None:
        self._deliver()
        name = f"{version.metadata.name}:{version.number}"
        self._client.set_tag(self._id, "version", name, synchronous=True)
        self._client.log_artifacts(self._id, str(version.path / REPORT), "report")
        self._client.log_artifact(self._id, str(version.path / CARD))

    def _close(self, status: str) -> None:
        self._deliver()
        self._client.set_terminated(self._id, status)

    def _open(self) -> None:
        """Open the run of the resumed training, else a new one."""
        if not (self._former and self._reopen()):
            tags = {"model": self._run.settings.name, "task": self._run.prepared.data.task}
            created = self._client.create_run(self._find_experiment(), tags=tags)
            self._id = created.info.run_id
        console.print(f"MLflow: run {self._id} at {_hide_password(str(self._uri))}")

    def _reopen(self) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            self._client.update_run(self._former, status="RUNNING")
        except MlflowException as error:
            if error.error_code not in GONE:
                raise
            return False
        self._id = self._former
        return True

    def _find_experiment(self) -> str:
        """Return the id of the experiment in the environment, else of the model's own."""
        if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return given
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or self._run.settings.name
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    def _read_note(self) -> None:
        if not self._run.resume or not self._note.is_file():
            return
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if note["params"] == self._facts:  # a run keeps its parameters for ever
                self._former, self._epochs = note["run"], note["epochs"]
        except (ValueError, KeyError) as error:
            console.print(f"warning: {self._note} is unreadable ({error}); MLflow gets a new run")

    def _write_note(self) -> None:
        """Note the delivered epochs, for a training that resumes this one."""
        note = {"run": self._id, "epochs": self._epochs, "params": self._facts}
        save_json(note, path=self._note)


class _Stage(Observer):
    """Passes the epochs of one stage to MLflow; steps are too many for a server."""

    def __init__(self, log: MlflowLog, stage: str) -> None:
        self._log = log
        self._stage = stage

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Log an epoch."""
        self._log.add_epoch(epoch.figures, stage=self._stage, epoch=epoch.number)


def _import_mlflow() -> Any:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
    except ImportError as error:
        raise TrainingError(
            f"{TRACKING_URI} is set, but MLflow cannot be imported ({error}); "
            f"install it: {install_command('mlflow')}, or unset {TRACKING_URI}"
        ) from error
    return mlflow


def _status(kind: type[BaseException] | None) -> str:
    """Return MLflow's status for a training that ends with such an exception."""
    if kind is None:
        return "FINISHED"
    killed = issubclass(kind, Interrupted | KeyboardInterrupt | SystemExit)
    return "KILLED" if killed else "FAILED"


def _shorten(error: Exception) -> str:
    reason = _hide_password(" ".join(str(error).split())) or type(error).__name__
    return reason if len(reason) <= LONGEST_REASON else reason[:LONGEST_REASON] + "…"


def _hide_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//…@", text)
