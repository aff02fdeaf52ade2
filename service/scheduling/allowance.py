"""A share of a thread's time, to be spent on work that comes at irregular times."""

import time


class Allowance:
    """Seconds that may be spent; they grow with time (a token bucket).

    Args:
        share: Seconds that one second adds.
        most: Seconds that can be saved up.
    """

    def __init__(self, *, share: float, most: float) -> None:
        self._share = share
        self._most = self._left = most
        self._updated = time.monotonic()

    def covers(self, seconds: float) -> bool:
        """Return whether so many seconds are left."""
        now = time.monotonic()
        self._left = min(self._most, self._left + self._share * (now - self._updated))
        self._updated = now
        return self._left >= seconds

    def spend(self, seconds: float) -> None:
        """Take off seconds; there may be fewer left than none."""
        self._left -= seconds
