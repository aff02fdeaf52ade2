"""Fits one trial like a training, and ends it early when it is hopeless or out of time."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import keras
import numpy as np
import optuna
import tensorflow as tf
from optuna.study import Study
from optuna.trial import TrialState

from training.calibration.scaling import calibrate
from training.console import hushed
from training.errors import TrainingError
from training.fitting.course import Fitted
from training.fitting.observer import FitEpoch, FitStep, Observer
from training.linear.ngrams import NgramModel
from training.recipe.classifier import halves
from training.recipe.learn import Lesson, choose_ngrams, fit_network, lesson_of
from training.report.tallies import tally
from training.run import Run
from training.tracking.tensorboard import Curves
from training.tuning.outcome import ENDING, MEASURED, Ending, Measured
from training.tuning.space import apply, shorten
from training.tuning.study import DEFAULTS

Show = Callable[[int], None]
"""Takes the number of complete epochs of the trial after every step."""


class OutOfTime(Exception):
    """The time is up before the end of the trial."""


@dataclass(frozen=True)
class TrialInputs:
    """The inputs of all trials: a run with the starting settings, its rows, the n-grams."""

    run: Run
    lesson: Lesson
    ngrams: NgramModel | None

    @classmethod
    def of(cls, run: Run) -> "TrialInputs":
        """Fit the n-grams, which do not depend on the network."""
        lesson = lesson_of(run)
        return cls(run, lesson, choose_ngrams(run, lesson) if run.settings.ngrams else None)


class TrialObserver(Observer):
    """Reports each epoch to the study, and ends a trial that is hopeless or out of time.

    Args:
        trial: The trial.
        deadline: Its latest end, on the monotonic clock.
        show: Shows the progress.
    """

    def __init__(self, trial: optuna.Trial, *, deadline: float, show: Show) -> None:
        self._trial = trial
        self._spared = is_default(trial)
        self._deadline = deadline
        self._show = show
        self.epochs = 0
        self.log_loss: float | None = None

    def add_step(self, step: FitStep) -> None:
        """Raise OutOfTime if the time is up."""
        self._show(self.epochs)
        if not self._spared and time.monotonic() > self._deadline:
            raise OutOfTime

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Raise TrialPruned if most trials were better after the same number of epochs."""
        self.epochs, self.log_loss = epoch.number, epoch.figures["log_loss"]
        self._trial.report(epoch.figures["score"], epoch.number)
        if not self._spared and self._trial.should_prune():
            raise optuna.TrialPruned


def is_default(trial: optuna.Trial) -> bool:
    """Whether a trial is that of the defaults, which is always completed."""
    return bool(trial.user_attrs.get(DEFAULTS))


def run_trial(
    inputs: TrialInputs, study: Study, trial: optuna.Trial, *, deadline: float, show: Show
) -> None:
    """Fit a trial and record its outcome in the study.

    Raises:
        TrainingError: The defaults cannot be fitted.
        Interrupted: A signal asked for the end; the trial stays unfinished.
    """
    started = time.monotonic()
    observer = TrialObserver(trial, deadline=deadline, show=show)
    try:
        with hushed():
            fitted = _fit(inputs, trial, observer)
    except (optuna.TrialPruned, OutOfTime, TrainingError, tf.errors.ResourceExhaustedError) as end:
        if is_default(trial):
            raise
        _record_end(study, trial, observer, _ending(end), seconds=time.monotonic() - started)
    else:
        error = _standard_error(inputs, fitted)
        _record_result(study, trial, fitted, error=error, seconds=time.monotonic() - started)


def _fit(inputs: TrialInputs, trial: optuna.Trial, observer: TrialObserver) -> Fitted:
    keras.backend.clear_session()  # of the trial before
    settings = apply(inputs.run.settings, shorten(trial.params))
    run = replace(inputs.run, settings=settings, resume=False)
    run = replace(run, observers=lambda stage: [Curves(run.curves_folder(stage)), observer])
    try:
        stage = f"trial-{trial.number}"
        return fit_network(run, inputs.lesson, inputs.ngrams, None, stage=stage)
    finally:
        run.clean_up()


def _ending(error: Exception) -> Ending:
    if isinstance(error, OutOfTime):
        return "out of time"
    return "pruned" if isinstance(error, optuna.TrialPruned) else "failed"


def _record_end(
    study: Study, trial: optuna.Trial, observer: TrialObserver, ending: Ending, *, seconds: float
) -> None:
    """Record a trial without a result."""
    measured = Measured(
        log_loss=observer.log_loss, seconds=round(seconds, 1), epochs=observer.epochs
    )
    _note(trial, ending, measured)
    failed = ending == "failed"
    study.tell(trial, state=TrialState.FAIL if failed else TrialState.PRUNED)


def _record_result(
    study: Study, trial: optuna.Trial, fitted: Fitted, *, error: float, seconds: float
) -> None:
    course = fitted.course
    measured = Measured(
        log_loss=course.best_loss,
        standard_error=error,
        seconds=round(seconds, 1),
        tokens_per_second=round(fitted.tokens_per_second),
        parameters=fitted.network.count_params(),
        epochs=course.epoch,
    )
    _note(trial, "complete", measured)
    study.tell(trial, course.best_score)


def _note(trial: optuna.Trial, ending: Ending, measured: Measured) -> None:
    trial.set_user_attr(ENDING, ending)
    trial.set_user_attr(MEASURED, asdict(measured))


def _standard_error(inputs: TrialInputs, fitted: Fitted) -> float:
    """Return the standard error of the validation score, from bootstrap samples of the rows."""
    run = inputs.run
    data, judges = run.prepared.data, run.judges
    logits = halves(fitted.network, inputs.ngrams, judges.ids)
    # Judged as an epoch is, by the likeliest label.
    found = calibrate(logits, judges.labels, task=data.task, score="accuracy", biased=run.biased)
    decided = found.rule.choose(found.probabilities)
    (tallied,) = tally(judges.labels, [decided], labels=len(data.labels))
    return float(np.nanstd(getattr(tallied.resampled, inputs.run.score)))
