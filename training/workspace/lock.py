"""Locks of trainings: one process at a time works in a place."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from models import locks
from training.errors import TrainingError
from training.workspace.space import writing


@contextmanager
def lock(path: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock while entered; see `models.locks.lock`.

    Args:
        path: The lock file.
        busy: Message of the error if another process holds the lock.

    Raises:
        TrainingError: Another process holds it.
        CannotWrite: The disk takes no files.
        OSError: The file cannot be made for another reason.
    """
    with ExitStack() as held:
        with writing(path.parent):
            held.enter_context(locks.lock(path, busy=TrainingError(busy)))
        yield


def lock_training(name: str, *, work: Path) -> AbstractContextManager[None]:
    """Reserve the checkpoints of a name for one training while entered.

    Raises:
        TrainingError: Another training of that name is running there.
        CannotWrite: The disk takes no files.
        OSError: The folder of the checkpoints cannot be made for another reason.
    """
    busy = (
        f"another training of {name} is at work in {work}; "
        "wait for its end, or give another --name or --work"
    )
    return lock(_training_lock(name, work=work), busy=busy)


def refuse_second_training(name: str, *, work: Path) -> None:
    """Raise TrainingError if `lock_training` would; make no file."""
    if _training_lock(name, work=work).exists():
        with lock_training(name, work=work):
            pass


def _training_lock(name: str, *, work: Path) -> Path:
    return work / "checkpoints" / f".{name}.lock"  # no model's name begins with a dot
