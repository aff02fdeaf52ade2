"""Locks: one process at a time works in a place."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from models.errors import GatewiseError

PATIENCE, PAUSE = 0.2, 0.02  # seconds, for a holder that deletes the file at that moment


@contextmanager
def lock(path: Path, *, busy: GatewiseError, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a lock while entered. It ends with the process, even a killed one.

    Args:
        path: The lock file, deleted afterwards. A file of a killed process does not lock.
        busy: The error if another process holds the lock.
        patience: Seconds to wait for it.

    Raises:
        GatewiseError: Another process holds it: `busy`.
        OSError: The file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("ab").close()  # raises the cause if the file cannot be made
    # A soft lock is only a file: one of a killed process would still lock.
    held = FileLock(path, fallback_to_soft=False)
    try:
        held.acquire(timeout=patience, poll_interval=PAUSE)
    except Timeout as error:
        raise busy from error
    except OSError:  # a file system without locks: work unguarded
        held.release()
    try:
        yield
    finally:
        if sys.platform != "win32":  # Windows cannot delete an open file
            path.unlink(missing_ok=True)
        held.release()


@contextmanager
def claim(place: Path) -> Iterator[None]:
    """Mark a folder or a file as worked on while entered. The mark ends with the process."""
    descriptor = _open(place)
    try:
        with suppress(OSError):  # a file system without locks: nobody will know
            _try_lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def is_claimed(place: Path) -> bool:
    """Whether a process works on a folder or a file, or it cannot be known."""
    descriptor = _open(place)
    try:
        _try_lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open(place: Path) -> int:
    return os.open(place if sys.platform != "win32" else os.devnull, os.O_RDONLY)


def _try_lock(descriptor: int) -> None:
    """Lock what is open, or raise OSError."""
    if sys.platform == "win32":
        raise OSError("this system cannot lock a folder")
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
