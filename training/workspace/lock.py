"""Locks: one process at a time works in a place."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from training.errors import TrainingError

PATIENCE, PAUSE = 0.2, 0.02  # seconds, for a holder that deletes the file at that moment


@contextmanager
def lock(path: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock while entered. It ends with the process, even a killed one.

    Args:
        path: The lock file, deleted afterwards. A file of a killed process does not lock.
        busy: Message of the error if another process holds the lock.

    Raises:
        TrainingError: Another process holds it.
        OSError: The file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("ab").close()  # raises the cause if the file cannot be made
    # A soft lock is only a file: one of a killed process would still lock.
    held = FileLock(path, fallback_to_soft=False)
    try:
        held.acquire(timeout=PATIENCE, poll_interval=PAUSE)
    except Timeout as error:
        raise TrainingError(busy) from error
    except OSError:  # a file system without locks: train unguarded
        held.release()
    try:
        yield
    finally:
        if sys.platform != "win32":  # Windows cannot delete an open file
            path.unlink(missing_ok=True)
        held.release()


def lock_training(name: str, *, work: Path) -> AbstractContextManager[None]:
    """Reserve the checkpoints of a name for one training while entered.

    Raises:
        TrainingError: Another training of that name is running there.
        OSError: The folder of the checkpoints cannot be made.
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
