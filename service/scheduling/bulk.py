"""Computes the texts of files in large batches. No caller waits, so nothing is rejected."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from models.batching import plan_batches
from models.golden import Probabilities
from service.engines.batched import compute_batch
from service.engines.runner import Runner
from service.scheduling.jobs import Job, Reading, Ticket
from service.scheduling.scheduler import Watch


class BulkScheduler:
    """Takes the place of `Scheduler` where only throughput counts.

    Args:
        threads: Batches that are computed at the same time.
    """

    def __init__(self, *, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="compute")

    async def compute(
        self, runner: Runner, readings: Sequence[Reading], *, deadline: float, watch: Watch | None
    ) -> Ticket:
        """Return the finished ticket of texts that are read whole; `watch` is never asked.

        Raises:
            Exception: What the engine failed with.
        """
        ticket = Ticket(runner, readings, deadline=deadline)
        ticket.started = time.monotonic()
        batches = [
            [ticket.jobs[place] for place in places]
            for places in plan_batches([job.length for job in ticket.jobs])
        ]
        computed = await asyncio.gather(*(self._start(runner, jobs) for jobs in batches))
        for jobs, rows in zip(batches, computed, strict=True):
            for job, row in zip(jobs, rows, strict=True):
                job.advance([job.left], row[None])
                ticket.settle(job, row)
        return ticket

    def _start(self, runner: Runner, jobs: Sequence[Job]) -> asyncio.Future[Probabilities]:
        work = partial(compute_batch, runner.engine, [job.ids for job in jobs], state=runner.state)
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def shutdown(self) -> None:
        """End the threads, after their batches."""
        self._pool.shutdown(cancel_futures=True)
