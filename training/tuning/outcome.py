"""The outcomes of trials, and whether their differences are more than noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from training.tuning.space import Values, shorten
from training.tuning.study import DEFAULTS

Ending = Literal["complete", "pruned", "out of time", "failed"]
ENDING, MEASURED = "ending", "measured"  # names of a trial's notes
NOISE = 2.0  # standard errors that a difference must exceed to be more than noise


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measurements of a trial that ended.

    Args:
        log_loss: Log loss of the best epoch on validation.
        standard_error: Standard error of the score on the validation rows.
        seconds: Time of the trial, with validation.
        tokens_per_second: Speed of training, without padding.
        parameters: Number of the network's parameters.
        epochs: Complete epochs.
    """

    log_loss: float | None = None
    standard_error: float | None = None
    seconds: float
    tokens_per_second: float | None = None
    parameters: int | None = None
    epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a trial.

    Args:
        number: Number of the trial, from 0.
        ending: How it ended; only a complete trial is a result.
        is_default: Whether its values are the defaults.
        values: Its values.
        score: Best score on validation; None where no epoch was complete.
        measured: Its other measurements.
    """

    number: int
    ending: Ending
    is_default: bool
    values: Values
    score: float | None
    measured: Measured

    @property
    def rank(self) -> tuple[float, float]:
        """Key that sorts complete trials, the best first, in the order of epochs in a training."""
        assert self.score is not None
        assert self.measured.log_loss is not None
        return -self.score, self.measured.log_loss


def list_outcomes(study: Study) -> list[Outcome]:
    """Return the outcomes of the trials that ended, in order; interrupted trials have none."""
    trials = study.get_trials(deepcopy=False)
    return [_outcome(trial) for trial in trials if MEASURED in trial.user_attrs and _ended(trial)]


def _ended(trial: FrozenTrial) -> bool:
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def _outcome(trial: FrozenTrial) -> Outcome:
    notes: dict[str, Any] = trial.user_attrs
    reported = max(trial.intermediate_values.values(), default=None)
    return Outcome(
        number=trial.number,
        ending=notes[ENDING],
        is_default=notes.get(DEFAULTS, False),
        values=shorten(trial.params),
        score=trial.value if trial.state == TrialState.COMPLETE else reported,
        measured=Measured(**notes[MEASURED]),
    )


def seconds_spent(study: Study) -> float:
    """Return the time in which trials ran that have ended; trials side by side share it."""
    spans = sorted(
        (trial.datetime_start.timestamp(), trial.datetime_complete.timestamp())
        for trial in study.get_trials(deepcopy=False)
        if MEASURED in trial.user_attrs and trial.datetime_start and trial.datetime_complete
    )
    spent = until = 0.0
    for start, end in spans:
        spent += max(0.0, end - max(start, until))
        until = max(until, end)
    return spent


def rank(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the complete trials, the best first."""
    return sorted((each for each in outcomes if each.ending == "complete"), key=lambda o: o.rank)


def is_noise(best: Outcome, default: Outcome) -> bool:
    """Whether chance could easily make this difference on these rows."""
    return gain(best, default) <= NOISE * (best.measured.standard_error or 0.0)


def gain(best: Outcome, default: Outcome) -> float:
    """Return the score of one complete trial minus that of another."""
    assert best.score is not None
    assert default.score is not None
    return best.score - default.score
