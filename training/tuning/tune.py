"""Tries settings until the time is up: all steps in order."""

import shutil
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import Trial, TrialState

from training.console import console
from training.run import Run, start_repeatably
from training.tuning.outcome import Outcome, list_outcomes, rank, seconds_spent
from training.tuning.progress import TuneProgress
from training.tuning.space import SPACE, defaults
from training.tuning.study import DEFAULTS, JOURNAL, claim, open_study
from training.tuning.terminal import print_outcomes
from training.tuning.trial import Proposal, TrialInputs, TrialResult, run_trial
from training.tuning.write import PLOT, write
from training.workers import ALONE, Started, Workers
from training.workspace.interrupt import Interrupted


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a tuning.

    Args:
        seconds: Time for all trials, also those before a resumption.
        trials: Most trials; None for as many as time allows.
        started: Start of the time, on the monotonic clock.
        together: Trials that are proposed before the first of them is known. A trial is proposed,
            and compared, by the results of all trials that many places before it, whether they run
            side by side or not. So the outcome does not depend on how many do.
    """

    seconds: float
    trials: int | None
    started: float
    together: int = 1

    def deadline(self, study: Study) -> float:
        """Return the end of the time, after the trials of the study from before the start."""
        return self.started + self.seconds - seconds_spent(study)


def tune(run: Run, *, limits: Limits, workers: Workers = ALONE) -> list[Outcome]:
    """Try settings and print the best; return the outcomes of the trials.

    Args:
        run: The data, and the settings to start from. With `resume`, the study in its work folder
            is resumed; else it is put aside.
        limits: The limits of the tuning.
        workers: Where the trials run.

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
        identity = _identify(run) | {"together": limits.together}
        study = open_study(folder, identity=identity, start=start, seed=run.settings.seed)
        try:
            with _interruptible():
                start_repeatably(run.settings.seed)
                inputs = TrialInputs.of(replace(run, work=folder.absolute()))
                _run_trials(study, inputs, limits=limits, workers=workers)
                inputs.run.clean_up()
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


def _run_trials(study: Study, inputs: TrialInputs, *, limits: Limits, workers: Workers) -> None:
    """Run trials, and record their results in the order of their numbers."""
    score = inputs.run.score.replace("_", " ")
    deadline = limits.deadline(study)
    shared = workers.share(inputs)
    running: deque[tuple[Trial, Started]] = deque()
    with TuneProgress(seconds=deadline - time.monotonic(), score=score) as progress:
        while True:
            while len(running) < limits.together and _goes_on(
                study, deadline=deadline, trials=limits.trials, running=len(running)
            ):
                trial = study.ask(SPACE)
                proposal = Proposal.of(study, trial, deadline=deadline)
                shown = _show(progress, trial, workers=workers)
                running.append((trial, workers.start(run_trial, shared, proposal, *shown)))
            if not running:
                return
            trial, started = running.popleft()
            if _is_left(trial, deadline=deadline, workers=workers):
                continue  # it stays open; with more time, a resumed tuning runs it
            result: TrialResult = started.result()
            result.record(study, trial)
            outcomes = list_outcomes(study)
            progress.show_trial(outcomes[-1], best=next(iter(rank(outcomes)), None))


def _show(progress: TuneProgress, trial: Trial, *, workers: Workers) -> list[partial[None]]:
    """Return what shows the steps of a trial of this process; nothing for one of a cluster."""
    return [partial(progress.show_step, trial.number)] if workers is ALONE else []


def _is_left(trial: Trial, *, deadline: float, workers: Workers) -> bool:
    """Whether a trial of this process has not begun, and the time is up."""
    spared = trial.user_attrs.get(DEFAULTS)
    return workers is ALONE and not spared and time.monotonic() >= deadline


def _goes_on(study: Study, *, deadline: float, trials: int | None, running: int) -> bool:
    """Whether there is another trial; that of the defaults runs whatever the limits."""
    waiting = study.get_trials(states=(TrialState.WAITING,))
    if any(trial.user_attrs.get(DEFAULTS) for trial in waiting):
        return True
    done = len(list_outcomes(study)) + running
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
