"""Tries settings until the time is up: all steps in order."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import TrialState

from training.console import console
from training.run import Run, start_repeatably
from training.tuning.outcome import Outcome, list_outcomes, rank
from training.tuning.progress import TuneProgress
from training.tuning.space import SPACE, defaults
from training.tuning.study import DEFAULTS, JOURNAL, claim, open_study
from training.tuning.terminal import print_outcomes
from training.tuning.trial import TrialInputs, run_trial
from training.tuning.write import PLOT, write
from training.workspace.interrupt import Interrupted


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a tuning.

    Args:
        seconds: Time for all trials, also those before a resumption.
        trials: Most trials; None for as many as time allows.
        started: Start of the time, on the monotonic clock.
    """

    seconds: float
    trials: int | None
    started: float

    def deadline(self, outcomes: list[Outcome]) -> float:
        """Return the end of the time, after these trials from before the start."""
        spent = sum(outcome.measured.seconds for outcome in outcomes)
        return self.started + self.seconds - spent


def tune(run: Run, *, limits: Limits) -> list[Outcome]:
    """Try settings and print the best; return the outcomes of the trials.

    Args:
        run: The data, and the settings to start from. With `resume`, the study in its work folder
            is resumed; else it is put aside.
        limits: The limits of the tuning.

    Raises:
        TrainingError: The study is of something else, or the defaults cannot be fitted.
        Interrupted: A signal asked for the end. A run with `resume` continues from there.
    """
    folder = run.work / "tune" / run.settings.name
    with claim(folder):
        if not run.resume:
            _put_aside(folder)
        data = run.prepared.data
        start = defaults(run.settings, rows=len(data.train), task=data.task)
        study = open_study(folder, identity=_identify(run), start=start, seed=run.settings.seed)
        deadline = limits.deadline(list_outcomes(study))
        try:
            with _interruptible():
                start_repeatably(run.settings.seed)
                inputs = TrialInputs.of(replace(run, work=folder))
                _run_trials(study, inputs, deadline=deadline, trials=limits.trials)
        except Interrupted:
            _report(study, run, folder=folder)
            raise
        return _report(study, run, folder=folder)


def _put_aside(folder: Path) -> None:
    """Keep the last study under another name; delete the one before it."""
    if (folder / JOURNAL).exists():
        aside = folder.parent / ".previous" / folder.name
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(exist_ok=True)
        folder.rename(aside)
        console.print(f"note: without --resume a new study begins; the last one is now {aside}")


def _identify(run: Run) -> dict[str, Any]:
    """Return all that decides the outcome of a trial."""
    data = run.prepared.data
    hashes = {"train": data.train.sha256, "validation": data.validation.sha256}
    return run.settings.record() | hashes


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a tuning in the same way at any step."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise Interrupted(signal.SIGINT) from interrupt


def _run_trials(study: Study, inputs: TrialInputs, *, deadline: float, trials: int | None) -> None:
    score = inputs.run.score.replace("_", " ")
    with TuneProgress(seconds=deadline - time.monotonic(), score=score) as progress:
        while _goes_on(study, deadline=deadline, trials=trials):
            trial = study.ask(SPACE)
            show = partial(progress.show_step, trial.number)
            run_trial(inputs, study, trial, deadline=deadline, show=show)
            outcomes = list_outcomes(study)
            best = next(iter(rank(outcomes)), None)
            progress.show_trial(outcomes[-1], best=best)


def _goes_on(study: Study, *, deadline: float, trials: int | None) -> bool:
    """Whether there is another trial; that of the defaults runs whatever the limits."""
    waiting = study.get_trials(states=(TrialState.WAITING,))
    if any(trial.user_attrs.get(DEFAULTS) for trial in waiting):
        return True
    done = len(list_outcomes(study))
    return time.monotonic() < deadline and (trials is None or done < trials)


def _report(study: Study, run: Run, *, folder: Path) -> list[Outcome]:
    """Write and print the outcomes so far."""
    outcomes = list_outcomes(study)
    if outcomes:
        write(outcomes, folder=folder, score=run.score)
    rows = len(run.judges.ids)
    print_outcomes(outcomes, settings=run.settings, score=run.score, rows=rows)
    if outcomes:
        console.print(f"all trials: {folder}, the plot is {PLOT}")
    return outcomes
