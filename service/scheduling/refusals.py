"""Lets those who are refused go one by one."""

import asyncio
import time

SPACING = 0.001  # seconds between two; a refusal takes about a third of it
LONGEST = 1.0  # seconds that anybody waits for his turn


class RefusalPacer:
    """Spaces what would else take all the time there is.

    Clients that ask again at once when they are refused could keep a service so busy with refusing
    that it computes nothing. They have to wait here; who comes now and then does not.
    """

    def __init__(self) -> None:
        self._free = 0.0

    async def wait_for_turn(self) -> None:
        """Return when this refusal may be sent."""
        now = time.monotonic()
        self._free = min(max(now, self._free + SPACING), now + LONGEST)
        if self._free > now:
            await asyncio.sleep(self._free - now)
