"""A day of a fleet: the wave of its rate, bursts, failures and a rolling update."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.fleet import Fleet, Plan
from benchmarks.fleet.request import Outcome
from benchmarks.fleet.sizing import Sized
from benchmarks.fleet.traffic import DAY, Lengths
from benchmarks.serving.results import Record

FAILS_EVERY = DAY  # seconds between two failures of a machine, far more often than they are
UPDATE_AT = DAY / 2
HOUR = 3_600.0


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What became of the requests of a day.

    Args:
        requests: All of them.
        unanswered: Those without an answer.
        retries: How often the proxy tried another machine.
        updated: Machines that were replaced.
        p50, p99: Milliseconds of an answer.
        worst_p99: Milliseconds in the worst hour.
        longest: Milliseconds of the longest.
    """

    requests: int
    unanswered: int
    retries: int
    updated: int
    p50: float
    p99: float
    worst_p99: float
    longest: float

    def record(self) -> Record:
        """Return all as values of JSON."""
        return asdict(self)


def live(sized: Sized, costs: Costs, lengths: Lengths, *, start: float, seed: int = 0) -> Lived:
    """Simulate a day of a fleet; a request takes about a ten thousandth of a second.

    Args:
        sized: The fleet.
        costs: Of each process.
        lengths: Of texts that stand for all.
        start: Seconds until a process that is started answers.
        seed: Of what happens by chance.
    """
    clock = Clock()
    wanted = sized.wanted
    plan = Plan(machines=sized.machines, cores=wanted.cores_a_machine, start=start)
    quiet = replace(costs, lent=0.0, stalls_per_second=0.0)
    fleet = Fleet(clock, plan, quiet, seed=seed)
    fleet.come(lengths, wanted.day.arrivals(0.0, DAY, seed=seed))
    fleet.fail_at_random(every=FAILS_EVERY, until=DAY)
    clock.at(UPDATE_AT, fleet.update)
    clock.run(until=DAY + HOUR)
    seen = fleet.seen
    answered = [each for each in seen.requests if each.outcome is Outcome.ANSWERED]
    times = np.array([request.answered - request.sent for request in answered]) * 1e3
    hours = (np.array([request.sent for request in answered]) / HOUR).astype(int)
    p50, p99, longest = np.percentile(times, [50, 99, 100])
    return Lived(
        requests=len(seen.requests),
        unanswered=len(seen.requests) - len(answered),
        retries=seen.retries,
        updated=len(seen.updated),
        p50=float(p50),
        p99=float(p99),
        worst_p99=max(float(np.percentile(times[hours == hour], 99)) for hour in np.unique(hours)),
        longest=float(longest),
    )
