"""Trainings as people run them: stopped, killed, gone on with."""

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from models.registry import Store
from models.versions import Version
from tests.conftest import train_tiny, write_reviews
from tests.training.command import run_training, start_training, wait_for

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.unmeasured,
]

OPTIONS = (
    "--text-column=what they wrote",
    "--label-column=Was it any good?",
    "--name=tiny",
    "--vocabulary=300",
    "--no-ngrams",  # which would know the answers before the network has learned anything
    "--units=8",
    "--embedding=8",
    "--dropout=0.2",
    "--epochs=6",
    "--patience=6",
    "--batch=16",
    "--learning-rate=0.02",
    "--adversarial=0",
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reviews(tmp_path_factory.mktemp("data") / "reviews.csv")


@pytest.fixture(scope="module")
def undisturbed(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """What the options lead to."""
    from training.settings import FitSettings

    return train_tiny(
        tmp_path_factory.mktemp("undisturbed"),
        dataset,
        text_column="what they wrote",
        label_column="Was it any good?",
        ngrams=False,
        fit=FitSettings(epochs=6, patience=6, batch=16, learning_rate=0.02, adversarial=0.0),
    )


def stop(process: subprocess.Popen[str], number: signal.Signals) -> list[str]:
    """Send a signal; return the lines that are said from then on."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    return [line for line in errors.splitlines() if line]


class Stop(NamedTuple):
    """What was there when a fit was stopped, and after that."""

    staged: int
    said: list[str]
    stored: list[Path]
    kept: list[str]


class Stopped(NamedTuple):
    """A training that was stopped in its fit, killed, stopped after its fit, and resumed."""

    folder: Path
    in_fit: list[Stop]
    after_fit: list[str]
    done: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="module")
def stopped(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    folder = tmp_path_factory.mktemp("stopped")
    given, store = [f"--dataset={dataset}", *OPTIONS, "--resume"], folder / "store"
    in_fit = []
    for words, number in (("epoch 1/6", signal.SIGINT), ("epoch 3/6", signal.SIGTERM)):
        with start_training(folder, *given) as process:
            wait_for(words, process)
            staged = len(list((store / "tiny").iterdir()))
            said = stop(process, number)
        in_fit.append(Stop(staged, said, list(store.rglob("*")), checkpoints(folder)))
    with start_training(folder, *given) as process:
        wait_for("linear baseline", process)
        time.sleep(random.uniform(0, 4))
        process.kill()
    with start_training(folder, *given) as process:
        wait_for("exporting", process)
        after_fit = stop(process, signal.SIGTERM)
    return Stopped(folder, in_fit, after_fit, run_training(folder, *given))


def test_however_often_it_is_stopped_it_ends_as_if_nothing_had_been(
    stopped: Stopped, undisturbed: Version
) -> None:
    assert len(stopped.in_fit) == 2
    for staged, said, stored, kept in stopped.in_fit:
        *before, last = said
        assert staged == 1  # so that there was something to leave behind
        assert last == "stopped; to resume, give the same command and --resume"
        assert not [line for line in before if not line.startswith("epoch ")]
        assert stored == []
        assert kept == ["network.npz"]
    assert stopped.done.returncode == 0, stopped.done.stderr
    version = Store(stopped.folder / "store").resolve("tiny")
    version.verify()
    assert undisturbed.metadata.training["best_epoch"] > 2  # or it would have been no feat
    assert results(version) == results(undisturbed)
    assert checkpoints(stopped.folder) == []


def checkpoints(folder: Path) -> list[str]:
    return [path.name for path in (folder / "work").rglob("*.npz")]


def results(version: Version) -> tuple[object, ...]:
    """Return all that must not depend on how often a training was stopped."""
    metadata = version.metadata
    clocked = ("seconds", "tokens_per_second")
    training = {name: value for name, value in metadata.training.items() if name not in clocked}
    return metadata.metrics, metadata.baseline, training, version.golden.probabilities


def test_stopped_after_the_fit_it_is_not_fitted_again(stopped: Stopped) -> None:
    assert stopped.after_fit[-1] == (
        "checkpoints are kept; to resume, give the same command and --resume"
    )
    assert stopped.done.returncode == 0, stopped.done.stderr
    said = stopped.done.stderr.splitlines()
    assert "resumed after the fit, which was complete" in said
    assert not [line for line in said if line.startswith("epoch ")]
    assert checkpoints(stopped.folder) == []


def test_before_the_fit_there_is_nothing_to_go_on_from(dataset: Path, tmp_path: Path) -> None:
    with start_training(tmp_path, f"--dataset={dataset}", *OPTIONS) as process:
        wait_for("rows: ", process)
        said = stop(process, signal.SIGINT)
    assert not [line for line in said if "--resume" in line]
    assert list((tmp_path / "store").rglob("*")) == []
