"""Machines behind a proxy: balancing, failures and rolling updates.

Each process of a machine has one core. The proxy chooses the machine, and the connection that it
uses there belongs to one of its processes, whichever that is.
"""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.process import Process
from benchmarks.fleet.request import Outcome, Request, Rules
from benchmarks.fleet.traffic import Lengths


class Balancing(StrEnum):
    """How the proxy chooses.

    - RANDOM: any machine that is up.
    - LEAST: the machine with the fewest requests under way (Caddy's `least_conn`).
    - QUEUE: a process without a request; others wait at the proxy (HAProxy's `maxconn 1`).
    """

    RANDOM = "random"
    LEAST = "least"
    QUEUE = "queue"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A fleet.

    Args:
        machines: How many.
        cores: Of each machine; one process has one.
        balancing: How the proxy chooses.
        drain: Seconds after which a machine that is told to end gets no more requests.
        start: Seconds until a process that is started answers.
        notice: Seconds until the proxy gives up a machine that does not answer, and tries another.
        repair: Seconds until a machine that failed is there again.
    """

    machines: int
    cores: int = 1
    balancing: Balancing = Balancing.LEAST
    drain: float = 5.0
    start: float = 2.0
    notice: float = 1.0
    repair: float = 300.0


@dataclass(eq=False)
class _Machine:
    """A machine, and what the proxy knows of it."""

    number: int
    processes: list[Process]
    up: bool = True  # it answers
    chosen: bool = True  # the proxy sends requests to it
    generation: int = 0
    hanging: int = 0  # requests that were sent to it, and that it does not take

    @property
    def inside(self) -> int:
        """Requests under way."""
        return self.hanging + sum(len(process.inside) for process in self.processes)


@dataclass
class Seen:
    """What became of the requests of a fleet so far."""

    requests: list[Request] = field(default_factory=list)
    retries: int = 0
    updated: list[int] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        """Return the requests with an outcome."""
        return sum(request.outcome is outcome for request in self.requests)

    @property
    def seconds(self) -> list[float]:
        """Seconds of each answer."""
        answered = (each for each in self.requests if each.outcome is Outcome.ANSWERED)
        return [request.answered - request.sent for request in answered]


class Fleet:
    """Machines that answer the requests that are sent to it.

    Args:
        clock: Of the simulation.
        plan: The fleet.
        costs: Of each process.
        rules: What each decides by.
        seed: Of what happens by chance.
    """

    def __init__(
        self, clock: Clock, plan: Plan, costs: Costs, *, rules: Rules | None = None, seed: int = 0
    ) -> None:
        self.seen = Seen()
        self._clock, self._plan, self._costs, self._rules = clock, plan, costs, rules
        self._random = random.Random(seed)
        self._waiting: deque[Request] = deque()  # at the proxy
        self._machines = [_Machine(n, self._start()) for n in range(plan.machines)]

    def come(self, lengths: Lengths, times: Iterable[float]) -> None:
        """Let requests come at times that rise, each with a text of these lengths."""
        following = iter(times)

        def plan_next() -> None:
            if (time := next(following, None)) is not None:
                self._clock.at(time, come)

        def come() -> None:
            tokens, chars = lengths[self._random.randrange(len(lengths))]
            place = len(self.seen.requests)
            request = Request(
                place, sent=self._clock.now, tokens=tokens, chars=chars, then=self._free
            )
            self.seen.requests.append(request)
            self._send(request)
            plan_next()

        plan_next()

    def fail(self, number: int) -> None:
        """Let a machine fail now; it comes back after its repair."""
        machine = self._machines[number]
        if not machine.up:
            return
        machine.up = False
        machine.generation += 1
        for process in machine.processes:
            for request in process.die():
                self._retry(request)
        machine.processes = []
        generation = machine.generation
        self._clock.after(self._plan.notice, lambda: self._notice(machine, generation))
        self._clock.after(
            self._plan.repair + self._plan.start, lambda: self._revive(machine, generation)
        )

    def fail_at_random(self, *, every: float, until: float) -> None:
        """Let each machine fail at random times, once in `every` seconds on average."""
        for machine in self._machines:
            self._plan_failure(machine.number, every=every, until=until)

    @property
    def used_seconds(self) -> float:
        """Core time of all processes that are there."""
        processes = (process for machine in self._machines for process in machine.processes)
        return sum(process.used.loop + process.used.compute for process in processes)

    def take_out(self, number: int) -> None:
        """Send nothing more to a machine."""
        self._machines[number].chosen = False

    def update(self) -> None:
        """Replace all machines, one after the other, from now on."""
        self._update(0)

    def _plan_failure(self, number: int, *, every: float, until: float) -> None:
        def happen() -> None:
            self.fail(number)
            self._plan_failure(number, every=every, until=until)

        if (time := self._clock.now + self._random.expovariate(1 / every)) < until:
            self._clock.at(time, happen)

    def _start(self) -> list[Process]:
        return [
            Process(self._clock, self._costs, rules=self._rules, seed=self._random.randrange(2**32))
            for _ in range(self._plan.cores)
        ]

    # The proxy.

    def _send(self, request: Request) -> None:
        chosen = [machine for machine in self._machines if machine.chosen]
        if not chosen:  # until one is there again
            self._clock.after(self._plan.notice, lambda: self._send(request))
        elif self._plan.balancing is Balancing.QUEUE:
            self._waiting.append(request)
            self._free()
        elif self._plan.balancing is Balancing.RANDOM:
            self._hand_over(request, self._random.choice(chosen))
        else:
            first = self._random.randrange(len(chosen))  # so that the first has no precedence
            turned = chosen[first:] + chosen[:first]
            self._hand_over(request, min(turned, key=lambda machine: machine.inside))

    def _hand_over(self, request: Request, machine: _Machine) -> None:
        if not machine.up:  # the proxy does not know yet
            machine.hanging += 1
            self._clock.after(self._plan.notice, lambda: self._let_go(machine))
            self._retry(request)
            return
        process = self._random.choice(machine.processes)
        self._clock.after(self._costs.wire / 2, lambda: self._arrive(request, process))

    def _let_go(self, machine: _Machine) -> None:
        machine.hanging -= 1

    def _arrive(self, request: Request, process: Process) -> None:
        if process.dead:
            self._retry(request)
        else:
            process.arrive(request)

    def _retry(self, request: Request) -> None:
        """Try another machine, once it is known that this one does not answer."""
        self.seen.retries += 1
        self._clock.after(self._plan.notice, lambda: self._send(request))

    def _free(self) -> None:
        """Hand over what waits at the proxy, where a process has nothing to do."""
        if not self._waiting:
            return
        idle = [
            process
            for machine in self._machines
            if machine.chosen and machine.up
            for process in machine.processes
            if not process.inside
        ]
        self._random.shuffle(idle)
        for process in idle[: len(self._waiting)]:
            process.arrive(self._waiting.popleft())

    # What happens to machines.

    def _notice(self, machine: _Machine, generation: int) -> None:
        if machine.generation == generation:
            machine.chosen = False

    def _revive(self, machine: _Machine, generation: int) -> None:
        if machine.generation == generation:
            machine.processes = self._start()
            machine.up = machine.chosen = True
            self._free()

    def _update(self, number: int) -> None:
        if number == len(self._machines):
            return
        machine = self._machines[number]
        if not machine.up:  # it starts with the new release by itself
            self._update(number + 1)
            return
        machine.chosen = False
        generation = machine.generation
        self._clock.after(self._plan.drain, lambda: self._replace(machine, generation))

    def _replace(self, machine: _Machine, generation: int) -> None:
        if machine.generation != generation:  # it failed meanwhile
            self._update(machine.number + 1)
            return
        if machine.inside:
            self._clock.after(0.1, lambda: self._replace(machine, generation))
            return
        machine.up = False
        machine.generation += 1
        for process in machine.processes:
            process.die()
        new = machine.generation

        def go_on() -> None:
            self._revive(machine, new)
            self.seen.updated.append(machine.number)
            self._update(machine.number + 1)

        self._clock.after(self._plan.start, go_on)
