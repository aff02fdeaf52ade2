"""Keeps all trials in a journal on disk, so that a killed tuning can resume."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from training.errors import TrainingError
from training.tuning.space import Values
from training.workspace.checkpoint import list_changes
from training.workspace.lock import lock

JOURNAL, STUDY = "journal.log", "tuning"
IDENTITY, DEFAULTS, RETRY_OF, RETRIES = "identity", "defaults", "retry_of", "retries"
RANDOM_TRIALS = 8  # before the sampler uses earlier results
UNPRUNED_TRIALS = 4
MOST_RETRIES = 3  # of a trial in which the process dies; the trial may be the cause


def claim(folder: Path) -> AbstractContextManager[None]:
    """Lock a study's folder while entered; the lock ends with the process.

    Raises:
        TrainingError: Another process holds it.
    """
    path = folder.parent / f".{folder.name}.lock"
    return lock(path, busy=f"another process is tuning in {folder}")


def open_study(folder: Path, *, identity: Mapping[str, Any], start: Values, seed: int) -> Study:
    """Return the study in `folder`, or a new one whose first trial is `start`.

    Args:
        folder: Folder of the journal, claimed.
        identity: All that decides the outcome of a trial, apart from the searched settings.
        start: Values of the first trial.
        seed: Seed of the sampler.

    Raises:
        TrainingError: The study is of another dataset or has other options.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = _load(folder / JOURNAL)
    recorded = study.user_attrs.get(IDENTITY)
    if recorded is None:
        study.set_user_attr(IDENTITY, dict(identity))
    elif changed := list_changes(recorded, identity):
        raise TrainingError(
            f"{folder} holds the tuning of something else: {changed}; "
            "give the same options, or tune without --resume"
        )
    study.sampler = TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed + len(study.trials))
    if not study.trials:
        study.enqueue_trial(start, user_attrs={DEFAULTS: True})
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        _try_again(study, trial)
    return study


def _load(path: Path) -> Study:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = JournalFileOpenLock(str(path))
    path.with_name(path.name + ".lock").unlink(missing_ok=True)  # of a killed process
    _drop_torn_line(path)
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    pruner = MedianPruner(n_startup_trials=UNPRUNED_TRIALS)
    if optuna.get_all_study_names(storage):
        return optuna.load_study(study_name=STUDY, storage=storage, pruner=pruner)
    return optuna.create_study(
        study_name=STUDY, storage=storage, pruner=pruner, direction="maximize"
    )


def _drop_torn_line(path: Path) -> None:
    """Cut off an incomplete last line; no other entry depends on it."""
    if path.is_file():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)


def _try_again(study: Study, trial: FrozenTrial) -> None:
    """Mark an interrupted trial as failed, and queue its values for a new one.

    The values are queued only once, also if this step itself is interrupted.
    """
    attributes = trial.user_attrs
    retries = attributes.get(RETRIES, 0) + 1
    known = any(other.user_attrs.get(RETRY_OF) == trial.number for other in study.trials)
    if not known and (retries <= MOST_RETRIES or attributes.get(DEFAULTS)):
        values = trial.system_attrs.get("fixed_params", {}) | trial.params
        kept = {DEFAULTS: attributes.get(DEFAULTS, False)}
        marks = kept | {RETRY_OF: trial.number, RETRIES: retries}
        study.enqueue_trial(values, user_attrs=marks)
    study.tell(trial.number, state=TrialState.FAIL)
