"""What people see of a fit: a bar on a terminal, lines that stay, and lines of a log."""

import io
import re
from typing import Any

import pytest

from training import console
from training.console import StageConsole
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer, Observers
from training.tracking import progress
from training.tracking.progress import FitProgress, PretrainProgress

FIGURES = {
    "loss": 0.61234,
    "accuracy": 0.75,
    "macro_f1": 0.7,
    "log_loss": 0.5,
    "score": 0.75,
    "seconds": 2.0,
}


def make_step(number: int, *, epoch: int, batch: int, mean_loss: float = 0.5) -> FitStep:
    return FitStep(
        number=number,
        epoch=epoch,
        batch=batch,
        loss=0.25,
        mean_loss=mean_loss,
        norm=1.0,
        tokens_per_second=12_345.6,
    )


def show(observer: Observer, plan: FitPlan, *told: FitStep | FitEpoch) -> None:
    """Tell an observer what a fit would."""
    observers = Observers([observer])
    with observers.observing(plan):
        for each in told:
            if isinstance(each, FitStep):
                observers.add_step(each)
            else:
                observers.add_epoch(each)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to a wide terminal."""
    file = io.StringIO()
    options: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
    shown = StageConsole(file=file, force_terminal=True, width=120, **options)
    for module in (console, progress):
        monkeypatch.setattr(module, "console", shown)
    return file


def words(file: io.StringIO) -> str:
    """Return what was written, without what moves the cursor and colours."""
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", file.getvalue())


@pytest.mark.parametrize(
    ("plan", "lines"),
    [
        (FitPlan(epochs=3, batches=2), []),
        (
            FitPlan(epochs=3, batches=2, done_batches=1),
            ["resumed in epoch 1 after 1 steps"],
        ),
        (
            FitPlan(epochs=3, batches=9_999, done_epochs=1, done_batches=1_234),
            ["resumed in epoch 2 after 1,234 steps"],
        ),
        (
            FitPlan(epochs=3, batches=2, done_epochs=2, over=True),
            ["resumed after the fit, which was complete"],
        ),
    ],
)
def test_where_a_fit_goes_on(
    plan: FitPlan, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show(FitProgress(), plan)
    assert capsys.readouterr().err.splitlines() == [*lines, "fitting the network"]


def test_every_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    epoch = FitEpoch(number=2, figures=FIGURES, tokens_per_second=12_345.6)
    show(FitProgress(), FitPlan(epochs=3, batches=2), make_step(4, epoch=2, batch=2), epoch)
    assert capsys.readouterr().err.splitlines() == [
        "fitting the network",
        "epoch 2/3: loss 0.6123; validation accuracy 0.7500, macro f1 0.7000, log loss 0.5000; "
        "12,346 tokens/s",
    ]


def test_a_terminal_shows_loss_and_speed_of_the_epoch(terminal: io.StringIO) -> None:
    show(FitProgress(), FitPlan(epochs=3, batches=2), make_step(3, epoch=2, batch=1))
    shown = words(terminal)
    assert re.search(r"epoch 2/3 .* 1/2 .* loss 0\.5000  12,346 tokens/s", shown)
    assert "fitting the network\n" not in shown


def test_a_pretraining_is_one_bar(
    terminal: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    step = make_step(3, epoch=2, batch=1, mean_loss=3.0)
    show(PretrainProgress(), FitPlan(epochs=2, batches=2), step)
    assert re.search(r"pretraining .* 3/4 .* perplexity 20  12,346 tokens/s", words(terminal))
    assert capsys.readouterr().err == ""


def test_a_pretraining_is_told_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [make_step(1, epoch=1, batch=1, mean_loss=1e9)]  # whose perplexity is no float
    show(PretrainProgress(), FitPlan(epochs=2, batches=2, done_epochs=1), *steps)
    assert capsys.readouterr().err == "pretraining\n"
