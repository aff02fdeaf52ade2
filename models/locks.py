"""Locks: one process at a time works in a place."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
