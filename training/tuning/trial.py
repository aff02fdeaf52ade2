"""Fits one trial like a training, and ends it early when it is hopeless or out of time."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import keras
import numpy as np
import optuna
import tensorflow as tf
from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

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
from training.tuning.space import SPACE, Values, apply, shorten
from training.tuning.study import DEFAULTS
from training.workers import at_hand

Show = Callable[[int], None]
"""Takes the number of complete epochs of the trial after every step."""
DECIDING = (TrialState.COMPLETE, TrialState.PRUNED)  # trials that others are compared with


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


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A trial to run, on any machine.

    Args:
        number: Number of the trial.
        values: Its values.
        spared: Whether it is completed in any case, as the defaults are.
        rivals: The trials that it is compared with while it runs. Their number does not depend on
            how many run at the same time.
        pruner: Says when it is hopeless among them.
        deadline: Its latest end (seconds since 1970, the same on all machines).
    """

    number: int
    values: Values
    spared: bool
    rivals: Sequence[FrozenTrial]
    pruner: BasePruner
    deadline: float

    @classmethod
    def of(cls, study: Study, trial: optuna.Trial, *, deadline: float) -> "Proposal":
        """Return the proposal for a trial that the study was asked for.

        Args:
            study: The study, which knows the results that may decide.
            trial: The trial.
            deadline: Its latest end, on the monotonic clock.
        """
        return cls(
            number=trial.number,
            values=dict(trial.params),
            spared=bool(trial.user_attrs.get(DEFAULTS)),
            rivals=study.get_trials(states=DECIDING),
            pruner=study.pruner,
            deadline=time.time() + deadline - time.monotonic(),
        )

    def rehearse(self) -> optuna.Trial:
        """Return the trial in a study of its own, in memory, beside its rivals."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(pruner=self.pruner, direction="maximize")
        study.add_trials(self.rivals)
        study.enqueue_trial(self.values)
        return study.ask(SPACE)


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """How a trial ended.

    Args:
        ending: How it ended.
        measured: Its measurements.
        reports: The score after each complete epoch, by its number.
        score: The best score of a complete trial.
    """

    ending: Ending
    measured: Measured
    reports: Mapping[int, float] = field(default_factory=dict)
    score: float | None = None

    def record(self, study: Study, trial: optuna.Trial) -> None:
        """Record the result in the study."""
        for epoch, score in self.reports.items():
            trial.report(score, epoch)
        trial.set_user_attr(ENDING, self.ending)
        trial.set_user_attr(MEASURED, asdict(self.measured))
        if self.ending == "complete":
            study.tell(trial, self.score)
        else:
            failed = self.ending == "failed"
            study.tell(trial, state=TrialState.FAIL if failed else TrialState.PRUNED)


class TrialObserver(Observer):
    """Reports each epoch to the pruner, and ends a trial that is hopeless or out of time.

    Args:
        proposal: The trial.
        show: Shows the progress.
    """

    def __init__(self, proposal: Proposal, *, show: Show) -> None:
        self._trial = proposal.rehearse()
        self._spared = proposal.spared
        self._deadline = proposal.deadline
        self._show = show
        self.log_loss: float | None = None
        self.reports: dict[int, float] = {}

    @property
    def epochs(self) -> int:
        """Complete epochs."""
        return max(self.reports, default=0)

    def add_step(self, step: FitStep) -> None:
        """Raise OutOfTime if the time is up."""
        self._show(self.epochs)
        if not self._spared and time.time() > self._deadline:
            raise OutOfTime

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Raise TrialPruned if most rivals were better after the same number of epochs."""
        self.log_loss = epoch.figures["log_loss"]
        self.reports[epoch.number] = epoch.figures["score"]
        self._trial.report(epoch.figures["score"], epoch.number)
        if not self._spared and self._trial.should_prune():
            raise optuna.TrialPruned


def run_trial(
    inputs: TrialInputs, proposal: Proposal, show: Show = lambda epochs: None
) -> TrialResult:
    """Fit a trial and return how it ended. A process of a cluster may do it.

    Raises:
        TrainingError: The defaults cannot be fitted.
        Interrupted: A signal asked for the end; the trial stays unfinished.
    """
    started = time.monotonic()
    observer = TrialObserver(proposal, show=show)
    try:
        with hushed(), at_hand(inputs.run) as run:
            inputs = replace(inputs, run=run)
            fitted = _fit(inputs, proposal, observer)
    except (optuna.TrialPruned, OutOfTime, TrainingError, tf.errors.ResourceExhaustedError) as end:
        if proposal.spared:
            raise
        measured = Measured(
            log_loss=observer.log_loss, seconds=_since(started), epochs=observer.epochs
        )
        return TrialResult(ending=_ending(end), measured=measured, reports=observer.reports)
    error = _standard_error(inputs, fitted)
    return TrialResult(
        ending="complete",
        measured=_measure(fitted, error=error, seconds=_since(started)),
        reports=observer.reports,
        score=fitted.course.best_score,
    )


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)


def _fit(inputs: TrialInputs, proposal: Proposal, observer: TrialObserver) -> Fitted:
    keras.backend.clear_session()  # of the trial before
    settings = apply(inputs.run.settings, shorten(proposal.values))
    run = replace(inputs.run, settings=settings, resume=False)
    run = replace(
        run, observers=lambda stage: [Curves(run.curves_folder(stage), resume=run.resume), observer]
    )
    stage = f"trial-{proposal.number}"
    try:
        return fit_network(run, inputs.lesson, inputs.ngrams, None, stage=stage)
    finally:
        run.checkpoint(stage).delete()


def _ending(error: Exception) -> Ending:
    if isinstance(error, OutOfTime):
        return "out of time"
    return "pruned" if isinstance(error, optuna.TrialPruned) else "failed"


def _measure(fitted: Fitted, *, error: float, seconds: float) -> Measured:
    course = fitted.course
    return Measured(
        log_loss=course.best_loss,
        standard_error=error,
        seconds=seconds,
        tokens_per_second=round(fitted.tokens_per_second),
        parameters=fitted.network.count_params(),
        epochs=course.epoch,
    )


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
