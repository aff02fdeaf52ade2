"""Runs one process under a load: an open loop, or a closed one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.process import Process
from benchmarks.fleet.request import Outcome, Request, Rules, Used
from benchmarks.fleet.traffic import Floats, Lengths


@dataclass(frozen=True)
class Outcomes:
    """What became of the requests of a load.

    Args:
        due: When each was due, in seconds.
        seconds: How long its answer took; NaN where it got none.
        statuses: 200, 429 or 504; 0 where nothing has come.
        used: Seconds of the core.
    """

    due: Floats
    seconds: Floats
    statuses: Floats
    used: Used


STATUSES = {
    Outcome.ANSWERED: 200,
    Outcome.REJECTED: 429,
    Outcome.LATE: 504,
    Outcome.WAITING: 0,
}


def simulate_open(
    costs: Costs,
    lengths: Lengths,
    *,
    due: Sequence[float],
    order: Sequence[int],
    rules: Rules | None = None,
    slowness: Sequence[float] = (1.0,),
    seed: int = 0,
) -> Outcomes:
    """Return what becomes of requests that come at given times, however those before fare.

    Args:
        costs: Of the process.
        lengths: Tokens and characters of texts.
        due: When each request comes.
        order: Number of the text of each.
        rules: What the process decides by.
        slowness: Of its core; see `Process`.
        seed: Of what happens by chance.
    """
    clock = Clock()
    process = Process(clock, costs, rules=rules, slowness=slowness, seed=seed)
    requests: list[Request] = []

    def come() -> None:
        place = len(requests)
        request = _request(place, lengths[order[place]], sent=due[place], then=lambda: None)
        requests.append(request)
        process.arrive(request)
        if place + 1 < len(due):
            clock.at(due[place + 1] + costs.wire / 2, come)

    clock.at(due[0] + costs.wire / 2, come)
    clock.run(until=due[-1] + 60.0)
    return _outcomes(requests, process.used)


def simulate_closed(
    costs: Costs,
    lengths: Lengths,
    *,
    order: Sequence[int],
    connections: int,
    seconds: float,
    rules: Rules | None = None,
    client: float = 0.0,
    slowness: Sequence[float] = (1.0,),
    seed: int = 0,
) -> Outcomes:
    """Return what becomes of requests of connections that ask without pause.

    Args:
        costs: Of the process.
        lengths: Tokens and characters of texts.
        order: Number of the text of each.
        connections: How many.
        seconds: How long they ask.
        rules: What the process decides by.
        client: Seconds that the client takes from an answer to the next request; it does one after
            the other.
        slowness: Of the core of the process; see `Process`.
        seed: Of what happens by chance.
    """
    clock = Clock()
    process = Process(clock, costs, rules=rules, slowness=slowness, seed=seed)
    requests: list[Request] = []
    client_free = 0.0

    def answered() -> None:
        nonlocal client_free
        client_free = max(clock.now, client_free) + client
        clock.at(client_free, ask)

    def ask() -> None:
        if clock.now >= seconds:
            return
        place = len(requests)
        length = lengths[order[place % len(order)]]
        request = _request(place, length, sent=clock.now, then=answered)
        requests.append(request)
        way = max(0.0, costs.wire / 2 - client)  # the client has taken that part of it already
        clock.after(way, lambda: process.arrive(request))

    for _ in range(connections):
        answered()
    clock.run(until=seconds + 60.0)
    return _outcomes(requests, process.used)


def _request(place: int, length: tuple[int, int], *, sent: float, then: object) -> Request:
    tokens, chars = length
    return Request(place, sent=sent, tokens=tokens, chars=chars, then=then)  # type: ignore[arg-type]


def _outcomes(requests: list[Request], used: Used) -> Outcomes:
    due = np.array([request.sent for request in requests])
    done = np.array([request.answered or np.nan for request in requests])
    statuses = np.array([STATUSES[request.outcome] for request in requests], float)
    return Outcomes(due, done - due, statuses, used)
