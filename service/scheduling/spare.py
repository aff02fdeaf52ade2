"""Computes what nobody waits for, while no request waits."""

from collections.abc import Sequence

from service.engines.runner import Runner
from service.scheduling.jobs import Reading, Ticket
from service.scheduling.scheduler import Scheduler, Watch


class SpareScheduling:
    """Takes the place of a `Scheduler`, in whose threads it computes.

    Args:
        scheduler: The scheduler.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def compute(
        self, runner: Runner, readings: Sequence[Reading], *, deadline: float, watch: Watch | None
    ) -> Ticket:
        """Return the finished ticket of readings, which have no deadline; `watch` is never asked.

        Raises:
            Overloaded: There is no time to spare for them.
        """
        return await self._scheduler.compute_spare(runner, readings)
