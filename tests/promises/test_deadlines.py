"""Every accepted request is answered or cut in time, and overload costs little of the capacity."""

import asyncio
import json
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving.http import Connection, post
from benchmarks.serving.load import Plan
from tests.e2e.server import ROOT, Server
from tests.effort import Effort
from tests.promises.shipped import serving_shipped

pytestmark = pytest.mark.e2e

_log = logging.getLogger(__name__)

DEADLINE = 2.0  # seconds, that each request sets
BURST = 1.0  # seconds
OVERLOAD = 5.0  # times the capacity
SATURATING = 16  # connections
TOKENS = 300  # of each text
CORES = sorted(os.sched_getaffinity(0))  # one for the service, another for who asks
WORDS = ("an", "unforgettable", "film", "with", "a", "slow", "start", "that", "soars")

OK, REFUSED, LATE_ANSWER = 200, 429, 504


def make_bodies(count: int = 200) -> list[str]:
    """Return requests of reviews of the usual length."""
    draw = random.Random(0)
    texts = (" ".join(draw.choices(WORDS, k=TOKENS)) for _ in range(count))
    return [json.dumps({"text": text}) for text in texts]


def send(server: Server, folder: Path, *, seconds: float, rate: float | None = None) -> np.ndarray:
    """Return a row for each request: class, when due, seconds, status, retry-after."""
    bodies = make_bodies()
    plan = Plan(
        port=server.port,
        path="/predict",
        bodies=bodies,
        kinds=[0] * len(bodies),
        seconds=seconds,
        connections=SATURATING,
        rate=rate,
        headers={"X-Deadline-Ms": f"{1e3 * DEADLINE:.0f}"},
        core=CORES[-1],
    )
    plan.save(folder / "plan.json")
    paths = [str(folder / "plan.json"), str(folder / "rows.npy")]
    command = [sys.executable, "-m", "benchmarks.serving.load", *paths]
    subprocess.run(command, cwd=ROOT, check=True)
    return np.load(folder / "rows.npy")


def serving_on_one_core() -> AbstractContextManager[Server]:
    """Give the service a core that those who ask leave to it, as if they were elsewhere."""
    return serving_shipped(under=["taskset", "--cpu-list", str(CORES[0])])


@contextmanager
def on_the_core_of_who_asks() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Burst:
    """What came of requests at several times the capacity.

    Args:
        capacity: Requests a second that were answered in closed loops before and after it.
        good: Requests a second that were answered in time.
        rows: See `send`.
    """

    capacity: float
    good: float
    rows: np.ndarray

    def __str__(self) -> str:
        took, status = self.rows[:, 2], self.rows[:, 3]
        slowest = {int(each): f"{np.max(took[status == each]):.3f}" for each in np.unique(status)}
        counts = {int(each): int(np.sum(status == each)) for each in np.unique(status)}
        return (
            f"capacity {self.capacity:.0f}/s, good {self.good:.0f}/s = "
            f"{self.good / self.capacity:.0%}; {counts}, the slowest after {slowest} s"
        )


def measure_capacity(server: Server, folder: Path, *, seconds: float) -> float:
    """Return the requests a second that are answered in closed loops."""
    return float(np.sum(send(server, folder, seconds=seconds)[:, 3] == OK)) / seconds


def burst(server: Server, folder: Path, *, seconds: float) -> Burst:
    """Overload a service, and measure its capacity before and after, for its speed varies."""
    before = measure_capacity(server, folder, seconds=seconds)
    rows = send(server, folder, seconds=2 * seconds, rate=OVERLOAD * before)
    capacity = (before + measure_capacity(server, folder, seconds=seconds)) / 2
    good = (rows[:, 3] == OK) & (rows[:, 2] <= DEADLINE)
    return Burst(capacity, float(np.sum(good)) / (2 * seconds), rows)


def test_overload_is_answered_in_time_and_costs_little(effort: Effort, tmp_path: Path) -> None:
    with serving_on_one_core() as server:
        send(server, tmp_path, seconds=1)
        seconds = effort(short=2, long=8)
        bursts = [burst(server, tmp_path, seconds=seconds) for _ in range(effort(short=1, long=5))]
    told = "\n".join(map(str, bursts))
    _log.info(told)
    took, status, retry_after = np.concatenate([each.rows for each in bursts])[:, 2:].T
    assert set(status) <= {OK, REFUSED, LATE_ANSWER}, told
    assert np.any(status == REFUSED), told
    assert np.all(retry_after[status == REFUSED] >= 1), told
    # In the short form the machine may be busy with other tests, which computing gives way to.
    late = DEADLINE + effort(short=10_000, long=250) / 1e3
    assert np.all(took <= late), told
    share = np.median([each.good / each.capacity for each in bursts])
    assert share >= effort(short=1, long=90) / 100, told


@dataclass
class Obedient:
    """What became of clients that try once more, after the time that they are told.

    Args:
        refused: Clients that were refused at first.
        served: Those of them that were answered when they tried again.
    """

    refused: int = 0
    served: int = 0


async def obey(port: int, *, rate: float, seconds: float) -> Obedient:
    """Send requests at random times; those refused once more."""
    requests = [
        post("/predict", body.encode(), X_Deadline_Ms=f"{1e3 * DEADLINE:.0f}")
        for body in make_bodies()
    ]
    found, draw, tasks = Obedient(), random.Random(1), []

    async def ask() -> None:
        connection = Connection(port)
        request = draw.choice(requests)
        answer = await connection.ask(request)
        if answer.status == REFUSED:
            found.refused += 1
            await asyncio.sleep(float(answer.headers[b"retry-after"]))
            again = await connection.ask(request)
            found.served += again.status == OK
        connection.close()

    loop = asyncio.get_running_loop()
    started = due = loop.time()
    while due - started < seconds:
        await asyncio.sleep(due - loop.time())
        tasks.append(asyncio.create_task(ask()))
        due += draw.expovariate(rate)
    await asyncio.gather(*tasks)
    return found


def test_who_obeys_retry_after_is_answered(effort: Effort, tmp_path: Path) -> None:
    """A burst at five times the capacity; each client tries once more when it is told to."""
    bursts = effort(short=1, long=10)
    total = Obedient()
    with serving_on_one_core() as server:
        send(server, tmp_path, seconds=1)
        capacity = measure_capacity(server, tmp_path, seconds=3)
        for _ in range(bursts):
            with on_the_core_of_who_asks():
                found = asyncio.run(obey(server.port, rate=OVERLOAD * capacity, seconds=BURST))
            total.refused += found.refused
            total.served += found.served
    _log.info("capacity %.0f/s; %s", capacity, total)
    assert total.refused
    assert total.served >= effort(short=1, long=95) / 100 * total.refused, total
