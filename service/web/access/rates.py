"""What each key may have read in time: token buckets, which all workers of a machine share.

A bucket is full after a pause, and fills at the rate of its key. All that is kept of it is the time
when it would be full again, as in the generic cell rate algorithm (ITU-T I.371). Times are on the
clock `time.monotonic`, which is one for all processes of a machine and never jumps.
"""

import fcntl
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from service.web.access.keys import Rate

SHARED = "_GATEWISE_RATES"
"""Environment variable with the folder that the workers of a service share."""

MOST_FILES = 32  # that are kept open; there may be thousands of keys
ROUNDING = 1e-3  # tokens by which a time may be off
_TIME = struct.Struct("<d")


class Times(Protocol):
    """Keeps for each key when its bucket is full again."""

    def change(self, key_id: str, change: Callable[[float], float]) -> None:
        """Replace a time by what a function makes of it; nobody else changes it meanwhile.

        What the function raises leaves the time as it was.
        """

    def look(self, key_id: str) -> float:
        """Return a time; 0 for one that was never set."""


class OwnTimes:
    """Times that one process keeps for itself."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}

    def change(self, key_id: str, change: Callable[[float], float]) -> None:
        """See `Times`."""
        self._times[key_id] = change(self.look(key_id))

    def look(self, key_id: str) -> float:
        """See `Times`."""
        return self._times.get(key_id, 0.0)


class SharedTimes:
    """Times in a file for each key, which the workers of a service share.

    A lock of a file ends with its process, so a killed worker holds up none.

    Args:
        folder: Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, int] = {}

    def change(self, key_id: str, change: Callable[[float], float]) -> None:
        """See `Times`."""
        file = self._open(key_id)
        fcntl.lockf(file, fcntl.LOCK_EX)
        try:
            os.pwrite(file, _TIME.pack(change(_read(file))), 0)
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN)

    def look(self, key_id: str) -> float:
        """See `Times`."""
        return _read(self._open(key_id))

    def _open(self, key_id: str) -> int:
        """Return the open file of a key, the most recently used one from now on."""
        file = self._files.pop(key_id, None)
        if file is None:
            if len(self._files) >= MOST_FILES:
                self._close_oldest()
            file = self._open_new(self._folder / key_id)
        self._files[key_id] = file
        return file

    def _open_new(self, path: Path) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o600)
        except OSError:  # such as no more files that may be open
            if not self._files:
                raise
            self._close_oldest()
            return os.open(path, flags, 0o600)

    def _close_oldest(self) -> None:
        os.close(self._files.pop(next(iter(self._files))))


def _read(file: int) -> float:
    content = os.pread(file, _TIME.size, 0)
    time: float = _TIME.unpack(content)[0] if len(content) == _TIME.size else 0.0
    return time


class Buckets(Protocol):
    """The tokens that each key may have read.

    A reading of more tokens than a bucket holds takes a full one, and leaves it in debt.
    """

    def look(self, key_id: str, *, rate: Rate) -> float:
        """Return seconds until one token is there; 0 if it is, or if that is not known here."""

    async def take(self, key_id: str, tokens: int, *, rate: Rate) -> float:
        """Take tokens, and return 0; or take none, and return the seconds until they are there."""

    async def give_back(self, key_id: str, tokens: int, *, rate: Rate) -> None:
        """Give back tokens that were taken and not read."""

    async def close(self) -> None:
        """Give up what is held open."""


class LocalBuckets:
    """Buckets of this machine.

    Args:
        times: Where it is kept when each is full again.
    """

    def __init__(self, times: Times) -> None:
        self._times = times

    def look(self, key_id: str, *, rate: Rate) -> float:
        """See `Buckets`."""
        return _seconds_until(1, rate, full_at=self._times.look(key_id), now=time.monotonic())

    async def take(self, key_id: str, tokens: int, *, rate: Rate) -> float:
        """See `Buckets`."""
        now, wait = time.monotonic(), 0.0

        def fill_later(full_at: float) -> float:
            nonlocal wait
            wait = _seconds_until(tokens, rate, full_at=full_at, now=now)
            return full_at if wait else max(full_at, now) + tokens / rate.tokens_per_second

        self._times.change(key_id, fill_later)
        return wait

    async def give_back(self, key_id: str, tokens: int, *, rate: Rate) -> None:
        """See `Buckets`."""
        seconds = tokens / rate.tokens_per_second
        self._times.change(key_id, lambda full_at: full_at - seconds)

    async def close(self) -> None:
        """See `Buckets`."""


def _seconds_until(tokens: int, rate: Rate, *, full_at: float, now: float) -> float:
    """Return seconds until a bucket has tokens; 0 if it has them."""
    holds = rate.burst_tokens - max(0.0, full_at - now) * rate.tokens_per_second
    lack = min(tokens, rate.burst_tokens) - holds
    return lack / rate.tokens_per_second if lack > ROUNDING else 0.0


def open_local_buckets() -> LocalBuckets:
    """Return the buckets that this process shares with other workers; its own if there are none."""
    folder = os.environ.get(SHARED)
    return LocalBuckets(OwnTimes() if folder is None else SharedTimes(Path(folder)))
