"""What the scheduler computes: readings, their jobs, and the tickets of requests."""

import asyncio
import bisect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.batching import Row
from models.golden import Probabilities
from service.engines.protocol import TextState
from service.engines.runner import Runner

STRETCH = 20.0  # times as long as its own work a request waits without complaint


class Unsettled(Exception):
    """Not computed yet."""


Result = Probabilities | Exception
"""Probabilities (labels,) of a text, or why there are none."""


def due_at(seconds: float, *, now: float, deadline: float) -> float:
    """Return when a request has waited as long as it waits without complaint.

    By that short requests overtake long ones, though never those that have waited long enough.

    Args:
        seconds: What its texts take, each alone.
        now: When it comes, on the clock of the deadline.
        deadline: When an answer comes too late.
    """
    return now + min(STRETCH * seconds, (deadline - now) / 2)


@dataclass(eq=False)  # not frozen, as one is made for each text: that takes four times as long
class Reading:
    """What is to be read, and where.

    Args:
        ids: Token ids.
        state: After what was read of the text before; None at its start.
        stops: Numbers of tokens, rising and from 1 on, after which it is of interest how things
            stand. Each takes a call of an engine that is not ragged.
        keep: The stop whose state is wanted; 0 for `state` itself.
        until: Says at a stop, from the probabilities and the tokens left, whether it is enough.
    """

    ids: Row
    state: TextState | None = None
    stops: Sequence[int] = ()
    keep: int = 0
    until: Callable[[Probabilities, int], bool] | None = None

    def seconds(self, runner: Runner) -> float:
        """Return what reading it alone takes."""
        return runner.cost.seconds(len(self.ids), calls=runner.calls(looks=len(self.stops)))


class Job:
    """One text on its way.

    Args:
        reading: What is to be read.
        ticket: The request that it belongs to.
        place: Its place among the texts of the request.
    """

    __slots__ = (
        *("ids", "keep", "kept", "length", "place", "read", "seen", "state", "stops", "ticket"),
        "until",
    )

    def __init__(self, reading: Reading, *, ticket: "Ticket", place: int) -> None:
        self.ids = np.asarray(reading.ids, np.int32)
        self.length = len(self.ids)
        self.stops, self.keep, self.until = reading.stops, reading.keep, reading.until
        self.ticket = ticket
        self.place = place
        self.read = 0
        self.state = self.kept = reading.state
        self.seen: list[Probabilities] = []

    @property
    def left(self) -> int:
        """Tokens still to be read."""
        return len(self.ids) - self.read

    @property
    def ahead(self) -> int:
        """Tokens that one call may read: up to a stop that it cannot pass, or to the end."""
        if len(self.seen) == len(self.stops):
            return self.left
        if self.until is None and self.ticket.runner.ragged:
            return self.keep - self.read if self.read < self.keep else self.left
        return self.stops[len(self.seen)] - self.read

    def looks(self, tokens: int) -> list[int]:
        """Return the stops within so many tokens from here, and these tokens as the last."""
        stops = self.stops[len(self.seen) :]
        last = bisect.bisect_left(stops, self.read + tokens)
        return [*(stop - self.read for stop in stops[:last]), tokens]

    @property
    def seconds_left(self) -> float:
        """What reading them alone takes."""
        runner = self.ticket.runner
        calls = runner.calls(looks=len(self.stops) - len(self.seen))
        return runner.cost.seconds(self.left, calls=calls)

    def advance(self, looks: Sequence[int], probabilities: Probabilities) -> None:
        """Note what was found at looks, in tokens from here, (looks, labels); read to the last."""
        start = self.read
        for tokens, row in zip(looks, probabilities, strict=True):
            self._note(start + tokens, row)

    def finish(self) -> None:
        """Note that all of a text without stops was read at once."""
        self.read = len(self.ids)

    def _note(self, read: int, probabilities: Probabilities) -> None:
        self.read = read
        if len(self.seen) < len(self.stops) and self.read == self.stops[len(self.seen)]:
            self.seen.append(probabilities)
            if self.read == self.keep:
                self.kept = self.state
            if self.until is not None and self.until(probabilities, self.left):
                self.ids, self.stops = self.ids[: self.read], ()
                self.seen.clear()

    @property
    def rank(self) -> tuple[float, int]:
        """What comes first is smaller; within a request, texts of like length are neighbours."""
        return self.ticket.due, len(self.ids)


class Ticket:
    """A request's texts, and what becomes of them.

    All times are of the clock `time.monotonic`, in seconds.

    Args:
        runner: What computes.
        readings: What is to be read, one text at least.
        deadline: When an answer comes too late.
        spare: Whether it is computed only while no other waits.
    """

    def __init__(
        self,
        runner: Runner,
        readings: Sequence[Reading],
        *,
        deadline: float,
        spare: bool = False,
    ) -> None:
        self.runner = runner
        self.jobs = [Job(what, ticket=self, place=place) for place, what in enumerate(readings)]
        self.arrived = time.monotonic()
        self.deadline = deadline
        self.spare = spare
        self.started: float | None = None
        self.computed = 0.0  # seconds of its slices, which it may have shared
        self.closed = False
        self.results: list[Result] = [Unsettled()] * len(self.jobs)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seconds: float | None = None
        self._unsettled = len(self.jobs)

    # Kept as `functools.cached_property` would, which takes a lock for each ticket.
    @property
    def seconds(self) -> float:
        """What all texts take, each alone, as they were when it was first asked for."""
        if self._seconds is None:
            self._seconds = sum(job.seconds_left for job in self.jobs)
        return self._seconds

    @cached_property
    def due(self) -> float:
        """See `due_at`."""
        return due_at(self.seconds, now=self.arrived, deadline=self.deadline)

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return sum(len(job.ids) for job in self.jobs)

    def result(self, place: int) -> Probabilities:
        """Return the probabilities of a text; raise what it failed with."""
        result = self.results[place]
        if isinstance(result, Exception):
            raise result
        return result

    def release(self) -> None:
        """Part with the jobs, all of which are finished, so that no cycle is left as garbage."""
        for job in self.jobs:
            del job.ticket

    def settle(self, job: Job, result: Result) -> None:
        """Record what became of a text; after the last nothing is left to be done."""
        self.results[job.place] = result
        self._unsettled -= 1
        self.closed = self.closed or self._unsettled == 0
