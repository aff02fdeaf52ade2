"""Sends rejections one after the other."""

import asyncio
import time

SPACING = 0.001  # seconds between two; a refusal takes about a third of it
LONGEST = 1.0  # seconds that a rejection waits at most


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
