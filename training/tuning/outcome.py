"""What came out of trials, and whether it says anything."""

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
    """What is known of a trial that ended.

    Args:
        log_loss: On validation, of the best epoch.
        standard_error: Of the score, over as many validation rows.
        seconds: Time of the trial, validation counted.
        tokens_per_second: Speed of training, padding not counted.
        parameters: Of the network.
        epochs: How many were complete.
    """

    log_loss: float | None = None
    standard_error: float | None = None
    seconds: float
    tokens_per_second: float | None = None
    parameters: int | None = None
    epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out of a trial.

    Args:
        number: Trials are counted from 0.
        ending: How it ended; only what is complete counts as a result.
        is_default: Whether its values are the defaults.
        values: Its values.
        score: The best on validation; None where no epoch was complete.
        measured: The rest.
    """

    number: int
    ending: Ending
    is_default: bool
    values: Values
    score: float | None
    measured: Measured

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts complete trials, the best first, as the epochs of a training are chosen."""
        assert self.score is not None
        assert self.measured.log_loss is not None
        return -self.score, self.measured.log_loss


def list_outcomes(study: Study) -> list[Outcome]:
    """Return what came out of the trials that ended, in their order; what was cut short did not."""
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


def rank(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the complete trials, the best first."""
    return sorted((each for each in outcomes if each.ending == "complete"), key=lambda o: o.rank)


def is_noise(best: Outcome, default: Outcome) -> bool:
    """Whether chance alone easily makes such a difference on so many rows."""
    return gain(best, default) <= NOISE * (best.measured.standard_error or 0.0)


def gain(best: Outcome, default: Outcome) -> float:
    """Return by how much the score of one complete trial is above that of another."""
    assert best.score is not None
    assert default.score is not None
    return best.score - default.score
