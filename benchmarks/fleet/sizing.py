"""From texts a day to cores, machines and euros.

How far a machine may be loaded is found by simulating it: as far as the objective for the p99 is
kept, and no further than the check of the simulation reaches. All else is arithmetic with what was
measured, and with the assumptions of `Wanted`.
"""

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.fleet import Fleet, Plan
from benchmarks.fleet.request import Outcome
from benchmarks.fleet.traffic import Day, Lengths, poisson
from benchmarks.serving.results import Record

HOURS_A_MONTH = 730
MOST_BUSY = 0.65  # share of the cores; above it small errors make long queues
STEPS = 7  # of the bisection for how far a machine may be loaded
PROBED = 4_000  # requests of each step
SPARE_FAILED, SPARE_UPDATED = 1, 1  # machines that may be away at the peak
MOST_SIMULATED = 20_000  # requests of the check of a fleet


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a fleet is for, and what is assumed.

    Args:
        texts_a_day: Requests of a day, each with one text.
        kind: Of the texts: sentences, reviews or mix.
        p99_ms: Objective for the p99 at the peak, in milliseconds.
        cores_a_machine: Cores of each machine.
        euros_a_core_hour: Price of a core for an hour, memory included.
        swing: Of the day; see `Day`.
        burst: The same.
    """

    texts_a_day: float
    kind: str
    p99_ms: float = 100.0
    cores_a_machine: int = 8
    euros_a_core_hour: float = 0.04
    swing: float = 0.6
    burst: float = 1.5

    @property
    def day(self) -> Day:
        """The rate of the day."""
        return Day(requests=self.texts_a_day, swing=self.swing, burst=self.burst)


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A fleet that is large enough.

    Args:
        wanted: What for.
        peak: Requests a second at the peak.
        core_seconds: Of a request at the load that a machine may have.
        load: Share of its cores that a machine is busy at that load.
        busy_machines: Machines that answer the peak.
        machines: All, with those that may be away.
        p50, p99: Milliseconds at the peak while one machine is updated and another has failed.
        unanswered: Share of requests that got no answer then.
        under_way: Requests under way at the peak, on average.
    """

    wanted: Wanted
    peak: float
    core_seconds: float
    load: float
    busy_machines: int
    machines: int
    p50: float
    p99: float
    unanswered: float
    under_way: float

    @property
    def cores(self) -> int:
        """Cores of all machines."""
        return self.machines * self.wanted.cores_a_machine

    @property
    def euros_a_month(self) -> float:
        """Price of all cores."""
        return self.cores * self.wanted.euros_a_core_hour * HOURS_A_MONTH

    @property
    def euros_a_million(self) -> float:
        """Price of a million texts."""
        return self.euros_a_month / (self.wanted.texts_a_day * HOURS_A_MONTH / 24) * 1e6

    def record(self) -> Record:
        """Return all as values of JSON."""
        derived = {"cores": self.cores, "euros_a_month": self.euros_a_month}
        return asdict(self) | derived | {"euros_a_million": self.euros_a_million}


def size(wanted: Wanted, costs: Costs, lengths: Lengths, *, start: float) -> Sized:
    """Return a fleet that keeps the objective, also while machines are away.

    Args:
        wanted: What for.
        costs: Of a process.
        lengths: Of texts that stand for all.
        start: Seconds until a process that is started answers.
    """
    costs = replace(costs, lent=0.0, stalls_per_second=0.0)  # a machine has no other work
    rate, core_seconds = find_rate(wanted, costs, lengths)
    busy = math.ceil(wanted.day.peak / rate)
    plan = Plan(
        machines=busy + SPARE_FAILED + SPARE_UPDATED, cores=wanted.cores_a_machine, start=start
    )
    seconds, seen = _live_through_peak(plan, wanted, costs, lengths)
    times = np.array(seen) * 1e3
    p50, p99 = np.percentile(times, [50, 99])
    return Sized(
        wanted=wanted,
        peak=wanted.day.peak,
        core_seconds=core_seconds,
        load=core_seconds * rate / wanted.cores_a_machine,
        busy_machines=busy,
        machines=plan.machines,
        p50=float(p50),
        p99=float(p99),
        unanswered=1 - len(times) / seconds,
        under_way=wanted.day.peak * float(times.mean()) / 1e3,
    )


def find_rate(wanted: Wanted, costs: Costs, lengths: Lengths) -> tuple[float, float]:
    """Return the most requests a second of a machine within the objective, and their core time."""
    low, high = 0.0, wanted.cores_a_machine / _lone_seconds(costs, lengths) * 2
    core_seconds = 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        p99, used = probe(middle, wanted.cores_a_machine, costs, lengths)
        if p99 <= wanted.p99_ms / 1e3 and used * middle <= MOST_BUSY * wanted.cores_a_machine:
            low, core_seconds = middle, used
        else:
            high = middle
    if not low:
        raise ValueError(f"no load keeps a p99 of {wanted.p99_ms:g} ms; allow more")
    return low, core_seconds


def probe(rate: float, cores: int, costs: Costs, lengths: Lengths) -> tuple[float, float]:
    """Return the p99 of a machine in seconds, and the core time of a request."""
    clock = Clock()
    fleet = Fleet(clock, Plan(machines=1, cores=cores), costs, seed=0)
    fleet.come(lengths, poisson(rate, seconds=PROBED / rate, seed=1).tolist())
    clock.run(until=PROBED / rate + 30)
    seen = fleet.seen
    late = len(seen.requests) - seen.count(Outcome.ANSWERED)
    p99 = float("inf") if late else float(np.percentile(seen.seconds, 99))
    used = fleet.used_seconds / len(seen.requests)
    return p99, used


def _lone_seconds(costs: Costs, lengths: Lengths) -> float:
    """Return about what a request takes of a core that has nothing else to do."""
    tokens = float(np.mean([tokens for tokens, _ in lengths]))
    chars = float(np.mean([chars for _, chars in lengths]))
    engine = costs.engine.call + tokens * costs.engine.seconds_per_token
    return costs.request + 3 * costs.turn + chars * costs.char + engine


def _live_through_peak(
    plan: Plan, wanted: Wanted, costs: Costs, lengths: Lengths
) -> tuple[int, list[float]]:
    """Return the requests of the peak, and the seconds of their answers.

    Two machines are away all the time: one has failed, the other is being updated.
    """
    clock = Clock()
    fleet = Fleet(clock, plan, costs, seed=2)
    rate = wanted.day.peak
    seconds = min(60.0, MOST_SIMULATED / rate)
    fleet.take_out(0)
    fleet.take_out(1)
    fleet.come(lengths, poisson(rate, seconds=seconds, seed=3).tolist())
    clock.run(until=seconds + 30)
    return len(fleet.seen.requests), fleet.seen.seconds
