"""Finds the costs of a process from a few loads, by accounts of processor time.

Closed loops ask for sentences or for reviews, over one connection or over many, and a few sentences
come now and then. The times of answers play no part but for what no core spends (`wire`). So what
is predicted of other loads is no echo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from benchmarks.fleet.costs import Costs
from benchmarks.fleet.simulate import simulate_closed, simulate_open
from benchmarks.fleet.traffic import Floats, Lengths, poisson
from benchmarks.serving.results import Record
from service.engines.cost import Cost

KINDS = ("sentences", "reviews")
CONNECTIONS = (1, 8, 32)
SECONDS = 1.0  # of each loop
CALM_RATES = (50.0, 200.0)  # a second, of sentences that come now and then
FORGETTING = (2e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3)  # seconds; see Costs
FOUND = ("turn", "request", "handover", "slice", "piece")
START = np.array([1e-4, 2.5e-4, 1e-4, 1e-4, 1e-4])
LENT = 0.05  # Linux keeps that much of each second for others beside real-time priority
LONGEST_STALL = 0.02  # seconds; longer ones are those that `lent` stands for
SHED = 7.0  # times as cheap as a request is a rejection at its connection; see shedding.py
LEAST = 2e-5  # seconds of a text below which a share of it counts for nothing

Loop = tuple[str, float]
"""Kind of the texts, and connections of a closed loop, or minus the rate of an open one."""
CLOSED: tuple[Loop, ...] = tuple((kind, each) for kind in KINDS for each in CONNECTIONS)
CALM: tuple[Loop, ...] = tuple(("sentences", -rate) for rate in CALM_RATES)
LOOPS = (*CLOSED, *CALM)


def calibrate(
    loops: Mapping[Loop, Record], lengths: Mapping[str, Lengths], *, engine: Cost, char: float
) -> Costs:
    """Return the costs with which simulated loops take the processor time of the real ones.

    Args:
        loops: What was seen of the loop of each kind and number of connections.
        lengths: Of the texts of each kind.
        engine: Cost of a call of the engine on this core, alone.
        char: Seconds of the event loop for each character.
    """
    alone = loops["sentences", 1]
    stalls = [stall for stall in alone["stalls"] if stall < LONGEST_STALL]
    known = Costs(
        planned=engine,
        engine=engine,
        char=char,
        stalls=stalls,
        stalls_per_second=len(stalls) / alone["seconds"],
        lent=LENT,
    )
    start = np.array([*START, 1.0])
    wanted = {loop: _used(seen) for loop, seen in loops.items() if loop in CLOSED}

    def miss(found: Floats) -> Floats:
        costs = _with(known, found)
        return np.concatenate(
            [
                np.log((_simulate(costs, loop, lengths) + LEAST) / (used + LEAST))
                for loop, used in wanted.items()
            ]
        )

    fit = least_squares(miss, start, x_scale=start, diff_step=0.03, bounds=(0, np.inf), max_nfev=15)
    costs = replace(_with(known, fit.x), wire=_find_wire(loops["sentences", 1]))
    return _add_cold(costs, loops, lengths)


def _add_cold(costs: Costs, loops: Mapping[Loop, Record], lengths: Mapping[str, Lengths]) -> Costs:
    """Add what turns take more after pauses: as much as the rarest requests show.

    How long a pause has to be is what fits the others best.
    """
    rarest, *others = CALM
    found: list[tuple[float, Costs]] = []
    for forgetting in FORGETTING:
        tried = replace(costs, forgetting=forgetting)
        for _ in range(3):  # some requests come when others are being answered
            missing = float((_used(loops[rarest]) - _simulate(tried, rarest, lengths))[0])
            tried = replace(tried, cold=max(0.0, tried.cold + missing))
        off = sum(
            abs(float((_used(loops[other]) - _simulate(tried, other, lengths))[0]))
            for other in others
        )
        found.append((off, tried))
    return min(found, key=lambda pair: pair[0])[1]


def _with(known: Costs, found: Floats) -> Costs:
    *values, factor = map(float, found)
    named = dict(zip(FOUND, values, strict=True))
    alone = known.planned
    engine = Cost(factor * alone.call, factor * alone.step, factor * alone.text, alone.padded)
    return replace(known, **named, engine=engine, refusal=named["request"] / SHED)


def _used(seen: Record) -> Floats:
    """Return the seconds of the event loop and of the computing thread for a request.

    They are those of a core at its usual speed.
    """
    used = np.array([seen["cpu"]["loop"], seen["cpu"]["compute"]]) / seen["requests"]
    return used / np.mean(seen["slowness"])


def _simulate(costs: Costs, loop: Loop, lengths: Mapping[str, Lengths]) -> Floats:
    kind, connections = loop
    order = np.random.default_rng(0).integers(len(lengths[kind]), size=10_000)
    quiet = replace(costs, stalls_per_second=0.0, lent=0.0)
    if connections < 0:
        due = poisson(-connections, seconds=4 * SECONDS, seed=0).tolist()
        used = simulate_open(quiet, lengths[kind], due=due, order=order).used
    else:
        used = simulate_closed(
            quiet, lengths[kind], order=order, connections=int(connections), seconds=SECONDS / 2
        ).used
    return np.array([used.loop, used.compute]) / used.requests


def _find_wire(seen: Record) -> float:
    """Return the seconds of a lone request that no core of the service spends."""
    idle = seen["seconds"] - seen["cpu"]["loop"] - seen["cpu"]["compute"] - sum(seen["stalls"])
    return max(0.0, idle / seen["requests"])


def average(loops: Sequence[Record]) -> Record:
    """Return one loop in place of several: those of before and after."""
    first = loops[0]
    return {
        "requests": sum(each["requests"] for each in loops),
        "seconds": sum(each["seconds"] for each in loops),
        "cpu": {key: sum(each["cpu"][key] for each in loops) for key in first["cpu"]},
        "slowness": [slow for each in loops for slow in each["slowness"]],
        "stalls": [stall for each in loops for stall in each["stalls"]],
    }
