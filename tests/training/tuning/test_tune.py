"""A tuning judges as a training does, keeps to its time and goes on after any stop."""

import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution

from tests.training.labelled_files import make_rows
from tests.training.side_by_side import Eager
from tests.training.test_run import make_run
from training.errors import TrainingError
from training.linear import ngrams
from training.settings import FitSettings, NetworkSettings
from training.tuning.space import SPACE
from training.workspace.interrupt import Interrupt, Interrupted

if TYPE_CHECKING:
    from training.run import Run
    from training.tuning.outcome import Outcome

pytestmark = pytest.mark.tensorflow  # which the modules import


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let trials be small and nothing be traced."""
    import tensorflow as tf

    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)
    monkeypatch.setitem(SPACE, "units", IntDistribution(2, 6))
    monkeypatch.setitem(SPACE, "layers", IntDistribution(1, 1))
    monkeypatch.setitem(SPACE, "embedding", IntDistribution(2, 6))
    monkeypatch.setitem(SPACE, "batch", CategoricalDistribution((8, 16, 32)))
    monkeypatch.setattr("training.tuning.tune.write", lambda *_, **__: None)
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def make_small_run(folder: Path, *, resume: bool = False, **changes: Any) -> "Run":
    options: dict[str, Any] = {
        "network": NetworkSettings(cell="gru", units=3, embedding=4),
        "fit": FitSettings(epochs=1, adversarial=0.0),
        "subwords": False,
    }
    return make_run(folder, rows=make_rows(60), resume=resume, **options | changes)


def tune(
    run: "Run",
    *,
    seconds: float = 1e6,
    trials: int | None = 3,
    together: int = 1,
    workers: Any = None,
) -> list["Outcome"]:
    from training.tuning.tune import Limits, tune
    from training.workers import ALONE

    started = time.monotonic()
    limits = Limits(seconds=seconds, trials=trials, started=started, together=together)
    return tune(run, limits=limits, workers=workers or ALONE)


def without_times(outcomes: list["Outcome"]) -> list["Outcome"]:
    return [
        replace(each, measured=replace(each.measured, seconds=0.0, tokens_per_second=0.0))
        for each in outcomes
    ]


def folder_of(run: "Run") -> Path:
    return run.work / "tune" / run.settings.name


def test_the_defaults_do_as_they_do_in_a_training(tmp_path: Path) -> None:
    from training.recipe.learn import learn

    run = make_small_run(tmp_path, fit=FitSettings(epochs=1), subwords=None)
    (outcome,) = tune(run, trials=1)
    course = learn(run).fitted.course
    assert outcome.is_default
    assert (outcome.score, outcome.measured.log_loss) == (course.best_score, course.best_loss)


@pytest.mark.slow
def test_trials_differ_and_leave_a_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_small_run(tmp_path)
    capsys.readouterr()
    outcomes = tune(run, trials=3)
    assert [outcome.number for outcome in outcomes] == [0, 1, 2]
    assert [outcome.is_default for outcome in outcomes] == [True, False, False]
    assert len({str(outcome.values) for outcome in outcomes}) == 3
    assert (folder_of(run) / "journal.log").is_file()
    assert not list(folder_of(run).rglob("*.npz"))
    told = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("trial 0: accuracy") for line in told) == 1
    assert sum(line.startswith("trial 2: accuracy") for line in told) == 1
    assert not any(line.startswith("epoch ") for line in told)


def test_test_rows_are_not_looked_at(tmp_path: Path) -> None:
    run = make_small_run(tmp_path)
    data = run.prepared.data

    class Unseen:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} of test was looked at")

    ids: Any = run.prepared.ids | {"test": Unseen()}
    prepared = replace(run.prepared, data=replace(data, test=Unseen()), ids=ids)
    assert len(tune(replace(run, prepared=prepared), trials=2)) == 2


def test_without_time_only_the_defaults_are_tried(tmp_path: Path) -> None:
    outcomes = tune(make_small_run(tmp_path), seconds=0, trials=None)
    assert [(outcome.is_default, outcome.ending) for outcome in outcomes] == [(True, "complete")]


def test_a_trial_for_which_the_time_is_up_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.tuning import tune as module

    original = module.run_trial

    def run_late(inputs: Any, proposal: Any, *rest: Any) -> Any:
        return original(inputs, replace(proposal, deadline=0.0), *rest)

    monkeypatch.setattr(module, "run_trial", run_late)
    outcomes = tune(make_small_run(tmp_path), trials=3)
    assert [outcome.ending for outcome in outcomes] == ["complete", "out of time", "out of time"]
    assert {outcome.score for outcome in outcomes[1:]} == {None}


def test_a_hopeless_trial_is_pruned_but_not_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.tuning import study

    pruner = optuna.pruners.ThresholdPruner(lower=2.0)  # which no score reaches
    monkeypatch.setattr(study, "MedianPruner", lambda **_: pruner)
    outcomes = tune(make_small_run(tmp_path), trials=2)
    assert [outcome.ending for outcome in outcomes] == ["complete", "pruned"]
    assert outcomes[1].measured.epochs == 1
    assert outcomes[1].score is not None


@pytest.mark.slow
def test_side_by_side_the_outcome_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.tuning import study

    # So that the sampler and the pruner decide by results from the start.
    monkeypatch.setattr(study, "RANDOM_TRIALS", 2)
    monkeypatch.setattr(study, "UNPRUNED_TRIALS", 1)
    fit = FitSettings(epochs=2, adversarial=0.0)
    run = make_small_run(tmp_path / "alone", fit=fit)
    alone = tune(run, trials=6, together=2)
    workers = Eager()
    beside = tune(
        make_small_run(tmp_path / "beside", fit=fit), trials=6, together=2, workers=workers
    )
    assert workers.calls == 6
    assert without_times(beside) == without_times(alone)
    assert [each.number for each in alone] == list(range(6))


def test_how_many_are_proposed_together_decides(tmp_path: Path) -> None:
    run = make_small_run(tmp_path)
    tune(run, trials=2, together=2)
    with pytest.raises(TrainingError, match="together was 2 and is 3"):
        tune(make_small_run(tmp_path, resume=True), trials=2, together=3)


def test_what_has_not_begun_when_the_time_is_up_is_tried_later(tmp_path: Path) -> None:
    run = make_small_run(tmp_path)
    assert len(tune(run, seconds=1e-3, trials=3, together=3)) == 1
    outcomes = tune(make_small_run(tmp_path, resume=True), trials=3, together=3)
    assert [each.ending for each in outcomes] == ["complete"] * 3


class TestTrialsThatFail:
    @pytest.fixture
    def fail(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that lets the trial with this number fail."""
        from training.tuning import trial

        original = trial.fit_network

        def fail(number: int) -> None:
            def fit(*arguments: Any, stage: str) -> Any:
                if stage == f"trial-{number}":
                    raise TrainingError("the loss is no longer a number")
                return original(*arguments, stage=stage)

            monkeypatch.setattr(trial, "fit_network", fit)

        return fail

    @pytest.mark.slow
    def test_others_go_on(self, fail: Any, tmp_path: Path) -> None:
        fail(1)
        outcomes = tune(make_small_run(tmp_path), trials=3)
        assert [outcome.ending for outcome in outcomes] == ["complete", "failed", "complete"]

    def test_the_defaults(self, fail: Any, tmp_path: Path) -> None:
        fail(0)
        with pytest.raises(TrainingError, match="no longer a number"):
            tune(make_small_run(tmp_path))


class TestStops:
    @pytest.fixture
    def stop_after(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that lets every process be stopped at the first step of a trial."""
        from training.fitting import fit

        class Impatient(Interrupt):
            def __enter__(self) -> Self:
                self.asked = signal.SIGINT
                return self

        def stop_after(patient: int) -> None:
            rest = iter([Interrupt] * patient)

            def make_interrupt() -> Interrupt:
                return next(rest, Impatient)()

            monkeypatch.setattr(fit, "Interrupt", make_interrupt)

        return stop_after

    @pytest.mark.slow
    def test_it_goes_on_where_it_was(self, stop_after: Any, tmp_path: Path) -> None:
        stop_after(2)
        with pytest.raises(Interrupted):
            tune(make_small_run(tmp_path))
        stop_after(99)
        run = make_small_run(tmp_path, resume=True)
        outcomes = tune(run)
        assert [outcome.ending for outcome in outcomes] == ["complete"] * 3
        assert [outcome.number for outcome in outcomes] == [0, 1, 3]
        assert tune(run) == outcomes

    @pytest.mark.slow
    def test_before_the_defaults_are_done(
        self, stop_after: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            stop_after(0)
            with pytest.raises(Interrupted):
                tune(make_small_run(tmp_path, resume=True), seconds=0)
        assert "no trial is complete yet" in capsys.readouterr().err
        stop_after(99)
        (outcome,) = tune(make_small_run(tmp_path, resume=True), seconds=0)
        assert outcome.is_default

    def test_ctrl_c_where_nobody_listens(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from training.tuning import trial

        def press_ctrl_c(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(trial, "choose_ngrams", press_ctrl_c)
        with pytest.raises(Interrupted):
            tune(make_small_run(tmp_path))


def test_another_cell_is_refused(tmp_path: Path) -> None:
    tune(make_small_run(tmp_path), trials=1)
    other = NetworkSettings(cell="rnn", units=3, embedding=4)
    with pytest.raises(TrainingError, match="cell was 'gru' and is 'rnn'"):
        tune(make_small_run(tmp_path, network=other, resume=True))


def test_without_resume_the_last_study_is_put_aside(tmp_path: Path) -> None:
    run = make_small_run(tmp_path)
    tune(run, trials=1)
    former = (folder_of(run) / "journal.log").read_bytes()
    assert len(tune(run, trials=1)) == 1
    aside = run.work / "tune" / ".previous" / "mine" / "journal.log"
    assert aside.read_bytes() == former != (folder_of(run) / "journal.log").read_bytes()


def test_several_labels_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.conftest import write_tags
    from training.prepare import prepare

    run = make_small_run(tmp_path)
    settings = replace(run.settings, dataset=str(write_tags(tmp_path / "tags.parquet", rows=60)))
    (outcome,) = tune(replace(run, prepared=prepare(settings), settings=settings), trials=1)
    assert outcome.measured.standard_error is not None
    assert f"trial 0: macro f1 {outcome.score:.4f}" in capsys.readouterr().err


def test_without_optuna_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.__main__ import app

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TrainingError, match="tuning needs Optuna, .*; install it: make setup"):
        app(["tune", "--dataset=nowhere.csv", "--name=x"], standalone_mode=False)
