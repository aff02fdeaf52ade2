"""Measures one machine: closed loops to calibrate with, and open ones to be predicted."""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np

from benchmarks.fleet.load import take_precedence
from benchmarks.fleet.loops import LOOPS, capacity_of
from benchmarks.fleet.machine import Machine
from benchmarks.fleet.texts import Texts
from benchmarks.fleet.traffic import poisson
from benchmarks.serving.results import Record
from models.tokenizer import Tokenizer
from models.versions import Version
from service.engines.cost import LEAST, Cost, measure_cost
from service.engines.loading import load_engine

LOAD_SECONDS = 8.0
PAUSE = 0.3  # seconds between two loads, in which others on the machine have their turn
ROUNDS = 25
MOST_ASKED = 20_000  # requests of a closed loop, after which texts come again
SECONDS_OF_COST = ("call", "step", "text")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on one core meanwhile, before all else there if that may be."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    first = take_precedence(0, priority=1)
    try:
        yield
    finally:
        if first:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


def measure_engine(version: Version, *, core: int) -> Cost:
    """Return the cost of a call of the native engine, as the service measures it: medians."""
    engine = load_engine(version, kind="native", threads=1)
    with on_core(core):
        costs = [measure_cost(engine, version.metadata.state) for _ in range(ROUNDS)]
    sound = [asdict(cost) for cost in costs if min(cost.call, cost.step, cost.text) > LEAST]
    values = {key: statistics.median(each[key] for each in sound) for key in SECONDS_OF_COST}
    return Cost(**values, padded=False)


def measure_char(texts: Texts, tokenizer: Tokenizer, *, machine: Machine) -> float:
    """Return the seconds for a character: JSON, and text to ids; at the core's usual speed."""
    bodies = [json.dumps({"text": text}) for text in texts.texts]

    def read_all() -> None:
        for body in bodies:
            tokenizer.encode(json.loads(body)["text"])

    seconds = _time(read_all, machine=machine)
    return seconds / sum(chars for _, chars in texts.lengths)


def _time(work: Callable[[], None], *, machine: Machine) -> float:
    with on_core(machine.place.core):
        work()
        started, used = time.perf_counter(), time.thread_time()
        work()
        used = time.thread_time() - used
    slowness = machine.pace.slowness(started, time.perf_counter())
    return used / float(np.mean(slowness))


def measure_loops(machine: Machine, texts: dict[str, Texts], *, seed: int) -> Record:
    """Return what the loads to calibrate with show, by their names."""
    loops: Record = {}
    for loop in LOOPS:
        time.sleep(PAUSE)
        asked = texts[loop.kind].texts
        if loop.connections:
            order = draw_texts(len(asked), count=MOST_ASKED, seed=seed)
            kept = {"seed": seed}
            how = {"connections": loop.connections, "seconds": loop.seconds}
        else:
            rate = loop.rate or round(loop.share * loops[capacity_of(loop.kind)]["rate"])
            kept = {"seed": seed, "due_rate": rate}
            due, order = plan_load(len(asked), rate=rate, seconds=loop.seconds, seed=seed)
            how = {"due": due}
        loops[loop.name] = machine.load(asked, order, **how) | kept
    return loops


def measure_load(machine: Machine, texts: Texts, *, rate: float, seed: int) -> Record:
    """Return what an open loop shows; `plan_load` gives the same requests."""
    time.sleep(PAUSE)
    due, order = plan_load(len(texts.texts), rate=rate, seconds=LOAD_SECONDS, seed=seed)
    return machine.load(texts.texts, order, due=due)


def plan_load(
    texts: int, *, rate: float, seconds: float, seed: int
) -> tuple[list[float], list[int]]:
    """Return when requests are due, and which text each asks for."""
    due = poisson(rate, seconds=seconds, seed=seed).tolist()
    return due, draw_texts(texts, count=len(due), seed=seed + 1)


def draw_texts(texts: int, *, count: int, seed: int) -> list[int]:
    """Return the number of the text of each request; any is as likely as any other."""
    order: list[int] = np.random.default_rng(seed).integers(texts, size=count).tolist()
    return order
