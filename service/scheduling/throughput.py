"""How fast work gets done, measured while it is."""

HALF_LIFE = 2.0  # seconds of work after which a measurement counts half


class Throughput:
    """Work done in a second, in seconds that it was estimated to take alone.

    Above 1 where texts that are read together or threads that share the work are faster, below it
    where the machine has other things to do.

    Args:
        threads: How many work at the same time.
    """

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._work = self._seconds = 0.1  # as good as estimated, until something is known

    @property
    def value(self) -> float:
        """Seconds of work done in a second by all threads."""
        return self._threads * self._work / self._seconds

    def add(self, work: float, *, seconds: float) -> None:
        """Add what one thread did: so much work in so many seconds."""
        kept = 0.5 ** (seconds / HALF_LIFE)
        self._work = kept * self._work + work
        self._seconds = kept * self._seconds + seconds
