"""Sends rejections one after the other, and spreads the clients that come back."""

import asyncio
import time

SPACING = 0.001  # seconds between two; a refusal takes about a third of it
LONGEST = 1.0  # seconds that a rejection waits at most
LATEST_RETURN = 60.0  # seconds; many may never come back


class RefusalPacer:
    """Spaces rejections, so that they leave time to compute.

    Clients that retry at once could keep a service so busy with rejecting that it computes nothing.
    They wait here. A rejection that comes alone does not wait.
    """

    def __init__(self) -> None:
        self._free = 0.0

    async def wait_for_turn(self) -> None:
        """Return when this rejection may be sent."""
        now = time.monotonic()
        self._free = min(max(now, self._free + SPACING), now + LONGEST)
        if self._free > now:
            await asyncio.sleep(self._free - now)


class ReturnTimes:
    """Tells rejected clients when to come back.

    If all were told the time at which the present work is done, they would come together, and most
    would be rejected again. So each is told to come after those who were told before.
    """

    def __init__(self) -> None:
        self._next = 0.0  # on the clock `time.monotonic`

    def plan(self, wait: float, *, seconds: float) -> float:
        """Return the seconds after which a client is to come back.

        Args:
            wait: Seconds until there is time for its work, if nobody else came.
            seconds: Seconds that the work takes.
        """
        now = time.monotonic()
        returns = min(max(now + wait, self._next), now + LATEST_RETURN)
        self._next = returns + seconds
        return returns - now
