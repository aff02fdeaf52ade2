"""Finds the costs of a process from a few loads, by accounts of processor time.

The costs are those with which the simulation of these loads takes the processor time that the real
ones took, thread by thread. The times of answers play a part in nothing but what no core spends. So
what is predicted of other loads is no echo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from scipy.optimize import least_squares

from benchmarks.fleet.costs import Costs
from benchmarks.fleet.loops import ALONE, CALM, DOCUMENTS, LOOPS, Loop
from benchmarks.fleet.measuring import MOST_ASKED, draw_texts, plan_load
from benchmarks.fleet.simulate import Outcomes, simulate_closed, simulate_open
from benchmarks.fleet.traffic import Floats, Lengths
from benchmarks.fleet.warmth import Warmth
from benchmarks.serving.results import Record
from service.engines.cost import Cost

# Of the costs that are found, where the search starts; `engine` is a factor of what a call costs
# alone.
START = {
    "turn": 6e-5,
    "request": 2.6e-4,
    "handover": 1.5e-4,
    "slice": 6e-5,
    "piece": 7e-5,
    "resume": 5e-5,
    "cold": 4e-4,
    "cold_slice": 1e-4,
    "forgetting": 0.4,
    "learning": 1e-3,
    "engine": 1.0,
    "loop_power": 1.3,
    "thread_power": 1.0,
}
MOST_STEPS = 8
USUAL_MISS = 0.05  # of the logarithm of a processor time
LENT = 0.05  # Linux keeps that much of each second for others beside real-time priority
LONGEST_STALL = 0.02  # seconds; longer ones are those that `lent` stands for
SHED = 7.0  # times as cheap as a request is a rejection at its connection; see shedding.py
LEAST = 2e-5  # seconds of a text below which a share of it counts for nothing


def calibrate(
    rounds: Sequence[Record], lengths: Mapping[str, Lengths], *, engine: Cost, char: float
) -> Costs:
    """Return the costs with which simulated loops take the processor time of the real ones.

    Args:
        rounds: What was seen of each loop, by its name, several times.
        lengths: Of the texts of each kind.
        engine: Cost of a call of the engine on this core, alone.
        char: Seconds of the event loop for each character.
    """
    alone = [each[ALONE.name] for each in rounds]
    stalls, seconds = _find_stalls(alone)
    known = Costs(
        planned=engine,
        engine=engine,
        char=char,
        thread_char=_find_thread_char(rounds, lengths),
        wire=_find_wire(alone),
        stalls=stalls,
        stalls_per_second=len(stalls) / seconds,
        lent=LENT,
    )
    start = np.array(list(START.values()))
    seen = [(loop, each[loop.name]) for each in rounds for loop in LOOPS]
    real = np.concatenate([account(each["cpu"], each["requests"]) for _, each in seen])

    def miss(found: Floats) -> Floats:
        quiet = replace(_with(known, found), stalls_per_second=0.0, lent=0.0)
        used = [simulate_loop(quiet, loop, each, lengths).used for loop, each in seen]
        simulated = np.concatenate([account(asdict(each), each.requests) for each in used])
        missed: Floats = np.log((simulated + LEAST) / (real + LEAST))
        return missed

    fit = least_squares(
        miss,
        start,
        x_scale=start,
        diff_step=0.05,
        bounds=(0, np.inf),
        max_nfev=MOST_STEPS,
        loss="soft_l1",  # others on the machine may have disturbed a round
        f_scale=USUAL_MISS,
    )
    return _add_waking(_with(known, fit.x), rounds, lengths)


def _with(known: Costs, found: Floats) -> Costs:
    named = dict(zip(START, map(float, found), strict=True))
    factor, alone = named.pop("engine"), known.planned
    engine = Cost(factor * alone.call, factor * alone.step, factor * alone.text, alone.padded)
    return replace(known, **named, engine=engine, refusal=named["request"] / SHED)


def account(used: Mapping[str, float], requests: int) -> Floats:
    """Return the seconds of the event loop and of the computing thread for a request."""
    return np.array([used["loop"], used["compute"]]) / requests


def simulate_loop(
    costs: Costs, loop: Loop, seen: Record, lengths: Mapping[str, Lengths]
) -> Outcomes:
    """Return what the simulation makes of a loop with the texts and the speed of a real one."""
    texts, seed, slowness = lengths[loop.kind], seen["seed"], seen["slowness"]
    if loop.connections:
        order = draw_texts(len(texts), count=MOST_ASKED, seed=seed)
        return simulate_closed(
            costs,
            texts,
            order=order,
            connections=loop.connections,
            seconds=loop.seconds,
            client=seen["client"],
            slowness=slowness,
            seed=seed,
        )
    due, order = plan_load(len(texts), rate=seen["due_rate"], seconds=loop.seconds, seed=seed)
    return simulate_open(costs, texts, due=due, order=order, slowness=slowness, seed=seed)


def _find_stalls(seen: Sequence[Record]) -> tuple[list[float], float]:
    """Return the stalls of all rounds, and their seconds.

    No round is long enough alone: long stalls are rare, and decide the p99 of what is simulated.
    """
    stalls = [stall for each in seen for stall in each["stalls"] if stall < LONGEST_STALL]
    return stalls, sum(each["seconds"] for each in seen)


def _find_wire(seen: Sequence[Record]) -> float:
    """Return the seconds of a lone request that no core of the service spends."""
    idle = sum(each["seconds"] - sum(each["stalls"]) for each in seen)
    idle -= sum(each["cpu"]["loop"] + each["cpu"]["compute"] for each in seen)
    return max(0.0, idle / sum(each["requests"] for each in seen))


def _find_thread_char(rounds: Sequence[Record], lengths: Mapping[str, Lengths]) -> float:
    """Return the seconds that the tokenizer's thread takes for a character, on a usual core."""
    seconds = chars = 0.0
    for each in rounds:
        seen, texts = each[DOCUMENTS.name], lengths[DOCUMENTS.kind]
        order = draw_texts(len(texts), count=MOST_ASKED, seed=seen["seed"])
        chars += sum(texts[place][1] for place in order[: seen["requests"]])
        seconds += seen["cpu"]["other"] / float(np.mean(seen["slowness"]))
    return seconds / chars


def _add_waking(costs: Costs, rounds: Sequence[Record], lengths: Mapping[str, Lengths]) -> Costs:
    """Add what a core takes to awake: what lone requests now and then take longer than so far."""
    rarest = CALM[0]
    missing = []
    for each in rounds:
        seen = each[rarest.name]
        simulated = simulate_loop(costs, rarest, seen, lengths).seconds
        missing.append(seen["percentiles"]["50.0"] / 1e3 - float(np.median(simulated)))
    pause = Warmth(replace(costs, waking=1.0)).pause(1 / rarest.rate)
    return replace(costs, waking=max(0.0, float(np.median(missing))) / pause)
