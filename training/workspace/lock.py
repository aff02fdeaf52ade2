"""Lets one process at a time work in a place."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from training.errors import TrainingError

if sys.platform != "win32":
    import fcntl


@contextmanager
def lock(path: Path, *, busy: str) -> Iterator[None]:
    """Hold a lock while entered. It dies with the process, however that ends.

    On Windows nothing is locked.

    Args:
        path: File that stands for the lock, gone afterwards. One that a killed process left behind
            is no lock.
        busy: What to tell people if another process holds it.

    Raises:
        TrainingError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    with _open_locked(path, busy=busy):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


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


def _open_locked(path: Path, *, busy: str) -> IO[Any]:
    """Return the file, locked until it is closed."""
    while True:
        file = path.open("ab")
        if not _take(file):
            file.close()
            raise TrainingError(busy)
        if _is_at(path, file):
            return file
        file.close()  # who held it deleted it after we had opened it, so others do not see it


def _take(file: IO[Any]) -> bool:
    """Lock an open file; return whether nobody else has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: better unguarded than unable to train
        return True
    return True


def _is_at(path: Path, file: IO[Any]) -> bool:
    """Whether an open file is the one that others find at `path`."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
