"""The clock of a simulation: events in the order of their times.

A heap is all that this takes. A simulation framework of coroutines, such as SimPy, would be several
times as slow, and has no slices of a core that the event loop interrupts.
"""

import heapq
from collections.abc import Callable
from itertools import count


class Clock:
    """Simulated time in seconds, and what is to happen."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()  # events of one time happen in the order in which they were added

    def at(self, time: float, happens: Callable[[], None]) -> None:
        """Let something happen at a time that has not passed."""
        heapq.heappush(self._events, (time, next(self._numbers), happens))

    def after(self, seconds: float, happens: Callable[[], None]) -> None:
        """Let something happen after some seconds."""
        self.at(self.now + seconds, happens)

    def run(self, *, until: float = float("inf")) -> None:
        """Let all happen, or what happens until a time."""
        while self._events and self._events[0][0] <= until:
            self.now, _, happens = heapq.heappop(self._events)
            happens()
