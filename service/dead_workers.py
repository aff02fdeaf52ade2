"""Counts of dead workers, added up in one file, so that no death makes reading them slower.

Workers count in files of their own, in a folder that they share. While one file is added to another
nobody may read them, or would see a count twice.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from models.atomic import replace_file

_LOCK = "lock"
_KINDS = ("counter", "histogram")  # of metrics whose values stay when their worker is dead
_DEAD = "dead"  # in place of the number of a process
_SUFFIX = ".db"  # of what the client reads


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Let no counts be added up while entered."""
    with (folder / _LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def adding_up(folder: Path) -> Iterator[None]:
    """Let nobody read counts while entered.

    Raises:
        BlockingIOError: Somebody reads them now. Who adds them up must not wait for a worker.
    """
    with (folder / _LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def keep_metrics(folder: Path, pid: int) -> None:
    """Add what a dead worker counted in its metrics to what others did.

    Raises:
        OSError: It cannot be, and stays in the files of the worker.
    """
    with adding_up(folder):
        for kind in _KINDS:
            source = folder / f"{kind}_{pid}{_SUFFIX}"
            if source.exists():
                _add(source, folder / f"{kind}_{_DEAD}{_SUFFIX}")


def _add(source: Path, total: Path) -> None:
    with replace_file(total) as unfinished:
        _make_room(unfinished, before=total, more=source.stat().st_size)
        sums = MmapedDict(str(unfinished))  # type: ignore[no-untyped-call]
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(source):  # type: ignore[no-untyped-call]
            sums.write_value(key, sums.read_value(key)[0] + value, timestamp)  # type: ignore[no-untyped-call]
        sums.close()  # type: ignore[no-untyped-call]
    source.unlink()


def _make_room(path: Path, *, before: Path, more: int) -> None:
    """Copy a file with room behind it, or writing to what is mapped could end the process."""
    if before.exists():
        shutil.copyfile(before, path)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size + more)
