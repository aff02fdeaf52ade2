"""A share of a thread's time, to be spent on work that comes at irregular times."""

import time
from collections.abc import Callable


class Allowance:
    """Seconds that may be spent; they grow with time (a token bucket).

    Args:
        share: Seconds that one second adds.
        most: Seconds that can be saved up.
        clock: Tells the time in seconds.
    """

    def __init__(
        self, *, share: float, most: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._share = share
        self._most = self._left = most
        self._clock = clock
        self._updated = clock()

    def covers(self, seconds: float) -> bool:
        """Return whether so many seconds are left."""
        now = self._clock()
        self._left = min(self._most, self._left + self._share * (now - self._updated))
        self._updated = now
        return self._left >= seconds

    def spend(self, seconds: float) -> None:
        """Take off seconds; there may be fewer left than none."""
        self._left -= seconds
