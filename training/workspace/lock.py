"""Lets one process at a time work in a place."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import TrainingError

PATIENCE, PAUSE = 0.2, 0.02  # seconds, for a holder that deletes the file while we open it


@contextmanager
def lock(path: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock while entered. It dies with the process, however that ends.

    Args:
        path: File that stands for the lock, gone afterwards. One that a killed process left behind
            is no lock.
        busy: What to tell people if another process holds it.

    Raises:
        TrainingError: Another process holds it.
        OSError: The file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("ab").close()  # so that what keeps it from being made is told
    # A soft lock would be a file alone, and one that a killed process leaves behind would count.
    held = FileLock(path, fallback_to_soft=False)
    try:
        held.acquire(timeout=PATIENCE, poll_interval=PAUSE)
    except Timeout as error:
        raise TrainingError(busy) from error
    except OSError:  # a file system without locks: better unguarded than unable to train
        held.release()
    try:
        yield
    finally:
        if sys.platform != "win32":  # where a file that is open cannot be deleted
            path.unlink(missing_ok=True)
        held.release()


def lock_training(name: str, *, work: Path) -> AbstractContextManager[None]:
    """Keep the checkpoints of a name to one training while entered.

    Raises:
        TrainingError: Another training of that name is at work there.
        OSError: The folder of the checkpoints cannot be made.
    """
    busy = (
        f"another training of {name} is at work in {work}; "
        "wait for its end, or give another --name or --work"
    )
    return lock(_training_lock(name, work=work), busy=busy)


def refuse_second_training(name: str, *, work: Path) -> None:
    """Raise TrainingError if `lock_training` would; nothing is made."""
    if _training_lock(name, work=work).exists():
        with lock_training(name, work=work):
            pass


def _training_lock(name: str, *, work: Path) -> Path:
    return work / "checkpoints" / f".{name}.lock"  # no model's name begins with a dot
