"""What each key may have read in time: token buckets, which all workers of a service share.

A bucket is full after a pause, and fills at the rate of its key. All that is kept of it is the time
when it would be full again, as in the generic cell rate algorithm (ITU-T I.371). Times are on the
clock `time.monotonic`, which is one for all processes of a machine and never jumps.
"""

import fcntl
import math
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from service.errors import RateLimited
from service.web.access.keys import Rate

SHARED = "_GATEWISE_RATES"
"""Environment variable with the folder that the workers of a service share."""

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
        if key_id not in self._files:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._files[key_id] = os.open(self._folder / key_id, flags, 0o600)
        return self._files[key_id]


def _read(file: int) -> float:
    content = os.pread(file, _TIME.size, 0)
    time: float = _TIME.unpack(content)[0] if len(content) == _TIME.size else 0.0
    return time


def open_times() -> Times:
    """Return the times that this process shares with other workers; its own if there are none."""
    folder = os.environ.get(SHARED)
    return OwnTimes() if folder is None else SharedTimes(Path(folder))


class Bucket:
    """The tokens that a key may have read.

    A reading of more tokens than the bucket holds takes a full one, and leaves it in debt.

    Args:
        key_id: The key.
        rate: How it fills, and what it holds.
        times: Where it is kept when it is full again.
    """

    def __init__(self, key_id: str, *, rate: Rate, times: Times) -> None:
        self._key_id = key_id
        self._rate = rate
        self._times = times

    def check(self) -> None:
        """Raise RateLimited if not even one token is there."""
        self._require(1, full_at=self._times.look(self._key_id), now=time.monotonic())

    def take(self, tokens: int) -> None:
        """Take tokens, or raise RateLimited and take none."""
        now = time.monotonic()

        def fill_later(full_at: float) -> float:
            self._require(tokens, full_at=full_at, now=now)
            return max(full_at, now) + tokens / self._rate.tokens_per_second

        self._times.change(self._key_id, fill_later)

    def give_back(self, tokens: int) -> None:
        """Give back tokens that were taken and not read."""
        seconds = tokens / self._rate.tokens_per_second
        if seconds:
            self._times.change(self._key_id, lambda full_at: full_at - seconds)

    def _require(self, tokens: int, *, full_at: float, now: float) -> None:
        rate = self._rate
        holds = rate.burst_tokens - max(0.0, full_at - now) * rate.tokens_per_second
        lack = min(tokens, rate.burst_tokens) - holds
        if lack > ROUNDING:
            raise RateLimited(
                f"the API key {self._key_id} may have {rate.tokens_per_second:g} tokens a second "
                f"read, and {rate.burst_tokens:g} at once",
                retry_after=max(1, math.ceil(lack / rate.tokens_per_second)),
            )
