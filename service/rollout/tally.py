"""Counts of trials by this process, added to those of the other workers of the service.

Each worker writes a file of its own, mapped into memory, in a folder that all share. The file stays
when its worker is killed, so nothing is lost. Nobody else writes to it, so nothing counts twice. A
process alone keeps its counts in memory.
"""

import logging
import mmap
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.atomic import replace_file, unfinished_file
from models.version_labels import Verdict
from service.dead_workers import adding_up, reading
from service.metrics import DIRECTORY
from service.rollout.evidence import PLACES, SIZE, Evidence

BYTES = 8  # of a value
SUFFIX = ".counts"
DECIDED = "verdict.json"
_TRIALS = "trials"

_log = logging.getLogger(__name__)


class Tally:
    """Counts of one trial by this process, and the sum over all workers.

    Args:
        key: Of the trial.
    """

    def __init__(self, key: str) -> None:
        self._folder = _make_folder(key)
        self._values = _open_values(self._folder)
        self._verdict: Verdict | None = None

    def add(self, name: str, amount: float = 1.0, *, bin: int = 0) -> None:
        """Add to a count of `Evidence`."""
        self._values[PLACES[name] + bin] += amount

    def total(self) -> Evidence:
        """Return the counts of all workers.

        Another one may be between the counts of a comparison, so the sums may be off by that one.
        """
        if self._folder is None:
            return Evidence.of(np.array(self._values))
        with reading(self._folder):
            return Evidence.of(sum(_read_others(self._folder), np.array(self._values)))

    @property
    def verdict(self) -> Verdict | None:
        """What some worker has decided; None if nothing is decided yet."""
        if self._verdict is None and self._folder is not None:
            self._verdict = _read_verdict(self._folder / DECIDED)
        return self._verdict

    def decide(self, verdict: Verdict) -> bool:
        """Note a verdict, which holds for all workers; return False if another one was first."""
        if self._folder is not None and not _write_new(self._folder / DECIDED, verdict):
            return False
        self._verdict = verdict
        return True


def keep_tallies(pid: int) -> None:
    """Add what a dead worker counted to what others did, in one file for each trial.

    Raises:
        OSError: It cannot be, and stays in the file of the worker.
    """
    shared = os.environ.get(DIRECTORY)
    if shared is None:
        return
    for source in Path(shared).glob(f"{_TRIALS}/*/{_name(pid)}"):
        with adding_up(source.parent):
            dead = source.with_name(_name("dead"))
            counted = [_read(path) for path in (source, dead) if path.exists()]
            with replace_file(dead) as unfinished:
                sum(counted, np.zeros(SIZE)).tofile(unfinished)
            source.unlink()


def _read_others(folder: Path) -> Iterator[NDArray[np.float64]]:
    for path in folder.glob(f"*{SUFFIX}"):
        if path.name != _name(os.getpid()):
            yield _read(path)


def _read(path: Path) -> NDArray[np.float64]:
    content = np.fromfile(path, np.float64)
    return content if len(content) == SIZE else np.zeros(SIZE)  # for it is just being made


def _make_folder(key: str) -> Path | None:
    """Return the folder of a trial that all workers share; None where this process is alone."""
    shared = os.environ.get(DIRECTORY)
    if shared is None:
        return None
    folder = Path(shared) / _TRIALS / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a full disk must not fail a request
        _log.error("this worker cannot count together with the others: %s", error)
        return None
    return folder


def _name(process: int | str) -> str:
    return f"{process}{SUFFIX}"


def _open_values(folder: Path | None) -> "array[float] | memoryview[float]":
    """Return the counts of this process; those of a dead one with its number go on."""
    if folder is not None:
        try:
            return _map_values(folder / _name(os.getpid()))
        except OSError as error:
            _log.error("this worker cannot count together with the others: %s", error)
    return array("d", bytes(BYTES * SIZE))


def _map_values(path: Path) -> "memoryview[float]":
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Without room for it, writing to what is mapped would end the process.
        os.posix_fallocate(descriptor, 0, BYTES * SIZE)
        return memoryview(mmap.mmap(descriptor, BYTES * SIZE)).cast("d")
    finally:
        os.close(descriptor)


def _write_new(path: Path, verdict: Verdict) -> bool:
    """Write a file that appears whole, unless it is there; return whether no other was there."""
    try:
        with unfinished_file(path.parent) as unfinished:
            unfinished.write_text(verdict.model_dump_json(), encoding="utf-8")
            os.link(unfinished, path)
    except FileExistsError:
        return False
    except OSError as error:
        _log.error("this worker cannot tell the others of its verdict: %s", error)
    return True


def _read_verdict(path: Path) -> Verdict | None:
    try:
        return Verdict.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError:  # there is none
        return None
