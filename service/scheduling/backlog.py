"""The jobs that wait, in the order in which they are computed."""

import bisect
from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter

from service.engines.cost import Cost
from service.scheduling.jobs import Job, Ticket

LOOKAHEAD = 64  # jobs among which a slice looks for others to read with the first
WINDOW = 0.02  # seconds; work that is due within one counts as due at the same time

_by_rank = attrgetter("rank")


class _Window:
    """The jobs that are due within one window."""

    __slots__ = ("jobs", "seconds")

    def __init__(self) -> None:
        self.jobs = 0
        self.seconds = 0.0


class Backlog:
    """Jobs that wait, and the work in them. Not safe for threads by itself."""

    def __init__(self) -> None:
        self.tokens = 0
        self.seconds = 0.0  # of all jobs, each alone
        self._jobs: list[Job] = []
        self._windows: defaultdict[int, _Window] = defaultdict(_Window)  # by when jobs are due
        self._before: dict[int, float] = {}  # what is due by a window, as far as it was asked for

    def __bool__(self) -> bool:
        """Whether there is a job."""
        return bool(self._jobs)

    @property
    def cost(self) -> Cost | None:
        """What tokens cost the runner that comes first; None where nothing waits."""
        return self._jobs[0].ticket.runner.cost if self._jobs else None

    def seconds_before(self, due: float) -> float:
        """Return the work that is due by then."""
        last = int(due / WINDOW)
        if (known := self._before.get(last)) is None:
            windows = self._windows.items()
            known = sum(window.seconds for place, window in windows if place <= last)
            self._before[last] = known
        return known

    def add(self, jobs: Sequence[Job]) -> None:
        """Put jobs in their places."""
        if len(jobs) == 1:
            bisect.insort(self._jobs, jobs[0], key=_by_rank)
        else:
            self._jobs.extend(jobs)
            self._jobs.sort(key=_by_rank)
        for job in jobs:
            self._account(job, sign=1)

    def candidates(self) -> list[Job]:
        """Return jobs of one runner, those that come first in front; all stay."""
        front = self._jobs[:LOOKAHEAD]
        runner = front[0].ticket.runner
        return [job for job in front if job.ticket.runner is runner]

    def remove(self, jobs: Sequence[Job]) -> None:
        """Take out jobs, all of which were candidates a moment ago."""
        taken = set(map(id, jobs))
        self._jobs[:LOOKAHEAD] = [job for job in self._jobs[:LOOKAHEAD] if id(job) not in taken]
        self._forget(jobs)

    def discard(self, ticket: Ticket) -> None:
        """Take out all jobs of a ticket that is given up."""
        gone = [job for job in self._jobs if job.ticket is ticket]
        self._jobs = [job for job in self._jobs if job.ticket is not ticket]
        self._forget(gone)

    def _forget(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._account(job, sign=-1)
        if not self._jobs:  # or what rounding leaves over would add up
            self.seconds = 0.0

    def _account(self, job: Job, *, sign: int) -> None:
        self._before.clear()
        seconds = sign * job.seconds_left
        place = int(job.ticket.due / WINDOW)
        window = self._windows[place]
        window.jobs += sign
        window.seconds += seconds
        if not window.jobs:  # a service that is never idle would keep all it ever had
            del self._windows[place]
        self.seconds += seconds
        self.tokens += sign * job.left
