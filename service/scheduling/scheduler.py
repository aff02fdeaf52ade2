"""Decides what is computed when, and rejects requests that cannot be answered in time.

Requests are computed in the order in which they are due. The less work a request has, the sooner
it is due. A few threads read slices of texts (`slices.py`) while the event loop waits. Where no
text waits, the event loop computes short ones itself (`inline.py`). Spare work, which nobody waits
for, takes the threads only while no request waits for them. It is turned away while any does.
"""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from service.engines.runner import Runner
from service.errors import ClientGone, DeadlinePassed, NeverBegun, Overloaded
from service.metrics import Metrics
from service.scheduling.backlog import Backlog
from service.scheduling.inline import InlineBatches
from service.scheduling.jobs import Job, Reading, Result, Ticket, due_at
from service.scheduling.refusals import RefusalPacer, ReturnTimes
from service.scheduling.slices import compute_slice, plan_slice
from service.scheduling.throughput import Throughput

MARGIN = 0.7  # of the time to the deadline that may be planned; estimates are not exact
FORESEEN_MARGIN = 0.6  # what just fits now would not, once it has come through the event loop
RETURN_SHARE = 0.5  # of the computing time is planned for who comes back; others come too
NICE = 15  # of the computing threads, above that of the event loop
SPARE_SECONDS = 0.5  # of spare work that may wait; the rest is turned away

Watch = Callable[[Callable[[], None]], Callable[[], None]]
"""Calls a function once the caller leaves, and returns what ends the watch."""
TimeAllowed = Callable[[float], float]
"""Returns for how many seconds a request waits whose work takes so many alone."""


class Scheduler:
    """Computes texts in threads of its own. To be used on one event loop.

    Args:
        threads: Slices that are computed at the same time.
        metrics: Where batches and backlog are counted.
    """

    def __init__(self, *, threads: int, metrics: Metrics) -> None:
        self._backlog = Backlog()
        self._spare = Backlog()
        self._throughput = Throughput(threads=threads)
        self._pacer = RefusalPacer()
        self._inline = InlineBatches(metrics)
        self._metrics = metrics
        self._returns = ReturnTimes()
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"compute-{n}") for n in range(threads)
        ]

    def start(self) -> None:
        """Start the threads; until then requests wait."""
        for thread in self._threads:
            thread.start()

    @property
    def has_work(self) -> bool:
        """Whether any work waits, so that what comes may have to."""
        return bool(self._backlog)  # which takes no lock

    @property
    def backlog_seconds(self) -> float:
        """Seconds that the waiting jobs take."""
        with self._changed:
            return self._backlog.seconds / self._throughput.value

    @property
    def backlog_tokens(self) -> int:
        """Tokens that wait to be read."""
        with self._changed:
            return self._backlog.tokens

    async def check(self, seconds: float, *, deadline: float) -> None:
        """Raise Overloaded if work that takes so long alone cannot be done by the deadline."""
        due = due_at(seconds, now=time.monotonic(), deadline=deadline)
        with self._changed:
            refusal = self._refusal(seconds, due=due, deadline=deadline)
        if refusal is not None:
            await self._refuse(refusal)

    def foresee(self, *, least: int, usual: int, coming: int, patience: TimeAllowed) -> int | None:
        """Return the seconds after which a request had better come; None if it may come now.

        It is judged by what tokens cost the runner whose work waits, for which runner would answer
        it is not known yet.

        Args:
            least: Tokens that have to be read for it at least.
            usual: Tokens that probably have to be read for it.
            coming: Tokens that are to be read before it and do not wait here yet.
            patience: How long it waits.
        """
        with self._changed:
            cost = self._backlog.cost
            if cost is None:
                return None
            seconds, now = cost.seconds(least), time.monotonic()
            allowed = patience(seconds)
            due = due_at(seconds, now=now, deadline=now + allowed)
            ahead = self._backlog.seconds_before(due) + coming * cost.seconds_per_token
            return self._find_return(
                seconds,
                before=ahead / self._throughput.value,
                there_is=FORESEEN_MARGIN * allowed,
                taken=cost.seconds(usual),
            )

    async def compute(
        self,
        runner: Runner,
        readings: Sequence[Reading],
        *,
        deadline: float,
        watch: Watch | None = None,
    ) -> Ticket:
        """Return the finished ticket of a request.

        Args:
            runner: What computes.
            readings: What is to be read, one text at least.
            deadline: On the clock `time.monotonic`.
            watch: Watches for a caller that leaves; None if there is no telling.

        Raises:
            Overloaded: The work before it leaves too little time.
            DeadlinePassed: The deadline passed before the answer was there.
            ClientGone: The caller left.
        """
        require_time(deadline)  # else a thread might be faster than the watch
        ticket = Ticket(runner, readings, deadline=deadline)
        if not self.has_work and self._inline.takes(ticket):  # what waits is before it
            await self._inline.compute(ticket)
            return ticket
        with self._changed:
            refusal = self._refusal(ticket.seconds, due=ticket.due, deadline=deadline)
            if refusal is None:
                self._backlog.add(ticket.jobs)
                self._show_backlog()
                self._changed.notify(len(ticket.jobs))
        if refusal is not None:
            await self._refuse(refusal)
        await self._wait(ticket, watch)
        return ticket

    async def compute_spare(self, runner: Runner, readings: Sequence[Reading]) -> Ticket:
        """Return the finished ticket of work that nobody waits for; see `compute`.

        Raises:
            Overloaded: There is no time to spare for it.
        """
        ticket = Ticket(runner, readings, deadline=math.inf, spare=True)
        with self._changed:
            if self._backlog or self._spare.seconds + ticket.seconds > SPARE_SECONDS:
                raise Overloaded("there is no time to spare")
            self._spare.add(ticket.jobs)
            self._changed.notify(len(ticket.jobs))
        try:
            await ticket.done
        finally:
            if not ticket.closed:  # the waiting itself was ended
                self._drop(ticket)
        return ticket

    def shutdown(self) -> None:
        """End the threads, after their slices."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    async def _refuse(self, refusal: Overloaded) -> NoReturn:
        await self._pacer.wait_for_turn()
        raise refusal

    def _refusal(self, seconds: float, *, due: float, deadline: float) -> Overloaded | None:
        """Return the rejection of work that would come too late; None if there is time for it."""
        before = self._backlog.seconds_before(due) / self._throughput.value
        there_is = MARGIN * (deadline - time.monotonic())
        retry_after = self._find_return(seconds, before=before, there_is=there_is, taken=seconds)
        if retry_after is None:
            return None
        return Overloaded(
            f"the answer would take about {before + seconds:.1f} s, too long for its deadline",
            retry_after=retry_after,
        )

    def _find_return(
        self, seconds: float, *, before: float, there_is: float, taken: float
    ) -> int | None:
        """Return when work had better come that would come too late; None if there is time for it.

        Args:
            seconds: What it takes alone.
            before: Seconds that pass before it is its turn.
            there_is: Seconds in which it has to be done.
            taken: What to plan for it when it comes again.
        """
        late = before + seconds - there_is
        if before <= 0 or late <= 0:
            return None
        planned = taken / self._throughput.value / RETURN_SHARE
        return math.ceil(self._returns.plan(min(late, before), seconds=planned))

    async def _wait(self, ticket: Ticket, watch: Watch | None) -> None:
        """Return when a ticket is finished, or given up at its deadline or by its caller."""
        left = ticket.deadline - time.monotonic()
        timer = ticket.done.get_loop().call_later(left, self._end_late, ticket)
        end_watch = watch(partial(self._abandon, ticket)) if watch is not None else None
        try:
            await ticket.done
        finally:
            timer.cancel()
            if end_watch is not None:
                end_watch()
            if not ticket.closed:  # the waiting itself was ended
                self._drop(ticket)

    def _abandon(self, ticket: Ticket) -> None:
        self._give_up(ticket, ClientGone("the client is gone"))

    def _end_late(self, ticket: Ticket) -> None:
        waited = max(1, 1e3 * (time.monotonic() - ticket.arrived))
        self._give_up(ticket, DeadlinePassed(f"not answered within {waited:,.0f} ms"))

    def _give_up(self, ticket: Ticket, error: Exception) -> None:
        if not ticket.done.done():
            self._drop(ticket)
            ticket.done.set_exception(error)

    def _drop(self, ticket: Ticket) -> None:
        with self._changed:
            ticket.closed = True
            self._lane(ticket).discard(ticket)
            self._show_backlog()

    def _lane(self, ticket: Ticket) -> Backlog:
        return self._spare if ticket.spare else self._backlog

    def _show_backlog(self) -> None:
        """Publish what waits at each change, because other processes are asked for it too."""
        self._metrics.show_backlog(tokens=self._backlog.tokens, seconds=self._backlog.seconds)

    def _work(self) -> None:
        """Read slices, in a thread, until there is an end."""
        _yield_to_others()
        busy_since = time.monotonic()
        while True:
            with self._changed:
                while not (self._backlog or self._spare or self._stopped):
                    self._changed.wait()
                    busy_since = time.monotonic()
                if self._stopped:
                    return
                lane = self._backlog or self._spare
                jobs, tokens = plan_slice(lane.candidates())
                lane.remove(jobs)
                self._show_backlog()
            busy_since = self._read(jobs, tokens, busy_since=busy_since)

    def _read(self, jobs: list[Job], tokens: int, *, busy_since: float) -> float:
        """Read a slice; return when it was done."""
        started = time.monotonic()
        work = sum(job.seconds_left for job in jobs)
        for job in jobs:
            job.ticket.started = job.ticket.started or started
        results = compute_slice(jobs, tokens)
        self._metrics.count_batch(len(jobs), seconds=time.monotonic() - started)
        work -= sum(job.seconds_left for job in jobs if job.left)
        spare = jobs[0].ticket.spare  # once a ticket is settled, its jobs may be without it
        with self._changed:
            done = time.monotonic()
            for job in jobs:
                job.ticket.computed += (done - started) / len(jobs)
            self._settle(jobs, results)
            if not spare:  # which says little of how fast a request is served
                self._throughput.add(work, seconds=done - busy_since)
        return done

    def _settle(self, jobs: list[Job], results: Sequence[Result]) -> None:
        """Put unfinished jobs back, and wake the requests that are complete."""
        unread: list[Job] = []
        finished: list[Ticket] = []
        for job, result in zip(jobs, results, strict=True):
            if job.ticket.closed:
                continue
            if job.left and not isinstance(result, Exception):
                unread.append(job)
                continue
            job.ticket.settle(job, result)
            if job.ticket.closed:
                finished.append(job.ticket)
        if unread:
            self._lane(unread[0].ticket).add(unread)
            self._show_backlog()
            self._changed.notify(len(unread))
        if finished:
            finished[0].done.get_loop().call_soon_threadsafe(_wake, finished)


def require_time(deadline: float) -> None:
    """Raise NeverBegun if nothing can be done by the deadline any more."""
    if deadline <= time.monotonic():
        raise NeverBegun("its deadline had passed before its work began")


def _yield_to_others() -> None:
    """Give the event loop precedence over this thread: a rejection must not wait for a slice."""
    if sys.platform == "linux":  # where a thread has a priority of its own, that none may raise
        nice = max(NICE, os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def _wake(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        if not ticket.done.done():
            ticket.done.set_result(None)
