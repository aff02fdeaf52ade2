"""Computes short texts in the event loop, because the way to a thread and back takes longer.

Requests whose bodies are there at the same time come to this in one turn of the event loop. They
are read together, in one call of the engine, in the next turn.
"""

import time

from service.metrics import Metrics
from service.scheduling.allowance import Allowance
from service.scheduling.jobs import Job, Ticket
from service.scheduling.slices import compute_slice

LONGEST = 0.0005  # seconds of one request; about what a thread costs the event loop
TOGETHER = 0.004  # seconds of the requests that wait for one turn, each alone
SHARE = 0.5  # of the event loop's time; beyond it threads compute beside it
CREDIT = 0.01  # seconds of such work that may come at once


class InlineBatches:
    """Tickets that wait for the next turn of the event loop. To be used on one event loop.

    Args:
        metrics: Where batches are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._allowance = Allowance(share=SHARE, most=CREDIT)
        self._waiting: list[Ticket] = []
        self._seconds = 0.0

    def takes(self, ticket: Ticket) -> bool:
        """Whether the event loop had better compute a ticket than hand it over."""
        together = self._seconds + ticket.seconds
        return ticket.seconds < LONGEST and together < TOGETHER and self._allowance.covers(together)

    async def compute(self, ticket: Ticket) -> None:
        """Return when a ticket is finished."""
        if not self._waiting:
            ticket.done.get_loop().call_soon(self._compute_waiting)
        self._waiting.append(ticket)
        self._seconds += ticket.seconds
        await ticket.done

    def _compute_waiting(self) -> None:
        tickets = [ticket for ticket in self._waiting if not ticket.done.done()]
        self._waiting, self._seconds = [], 0.0
        started = time.monotonic()
        for runner in dict.fromkeys(ticket.runner for ticket in tickets):
            own = [ticket for ticket in tickets if ticket.runner is runner]
            self._compute_all([job for ticket in own for job in ticket.jobs], started=started)
        for ticket in tickets:
            ticket.done.set_result(None)
        self._allowance.spend(time.monotonic() - started)

    def _compute_all(self, jobs: list[Job], *, started: float) -> None:
        """Read jobs of one runner to their ends."""
        for job in jobs:
            job.ticket.started = started
        while jobs:
            begun = time.monotonic()
            results = compute_slice(jobs, max(1, *(job.ahead for job in jobs)))
            self._metrics.count_batch(len(jobs), seconds=time.monotonic() - begun)
            unread = []
            for job, result in zip(jobs, results, strict=True):
                if job.left and not isinstance(result, Exception):
                    unread.append(job)
                else:
                    job.ticket.settle(job, result)
            jobs = unread
