"""Sends requests to a server, from a process of its own on another core.

    python -m benchmarks.serving.load PLAN RESULTS

PLAN is a JSON file as `Plan` describes it. RESULTS gets one row per request: class of the text,
seconds from the start until it was due, seconds until its answer came, status (0 if the connection
broke).
"""

import asyncio
import gc
import json
import os
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import typer
import uvloop

from benchmarks.serving.http import Connection, post

MOST_CONNECTIONS = 4_096
PATIENCE = 10.0  # seconds after the last request of an open loop


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The requests to send, and their rate.

    Args:
        port: Port of the server.
        path: Path of its URL.
        bodies: Bodies of requests.
        kinds: Class of each body.
        seconds: How long to send requests.
        connections: Connections that ask without pause (a closed loop), if there is no rate.
        rate: Requests per second, at times drawn at random (an open loop).
        headers: Headers of every request.
        core: Processor to run on.
        seed: Seed of the order of the bodies and the times.
    """

    port: int
    path: str
    bodies: list[str]
    kinds: list[int]
    seconds: float
    connections: int = 16
    rate: float | None = None
    headers: dict[str, str]
    core: int | None = None
    seed: int = 0

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self)))


class Load:
    """Sends the requests of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._requests = [post(plan.path, body.encode(), **plan.headers) for body in plan.bodies]
        self._rows: list[tuple[int, float, float, int, float]] = []
        self._started = 0.0

    async def run(self) -> np.ndarray:
        """Return a row for each request: class, when due, seconds, status, retry-after."""
        self._started = time.perf_counter()
        await (self._open(self._plan.rate) if self._plan.rate else self._closed())
        return np.array(self._rows)

    async def _closed(self) -> None:
        async def ask() -> None:
            connection = Connection(self._plan.port)
            while (due := self._now()) < self._plan.seconds:
                await self._ask(connection, due)
            connection.close()

        await asyncio.gather(*(ask() for _ in range(self._plan.connections)))

    async def _open(self, rate: float) -> None:
        free = [Connection(self._plan.port) for _ in range(MOST_CONNECTIONS)]
        some = asyncio.Semaphore(MOST_CONNECTIONS)
        due = self._random.expovariate(rate)

        async def ask(due: float) -> None:
            async with some:  # a wait here counts as time of the answer
                connection = free.pop()
                await self._ask(connection, due)
                free.append(connection)

        tasks = []
        while due < self._plan.seconds:
            await asyncio.sleep(due - self._now())
            tasks.append(asyncio.create_task(ask(due)))
            due += self._random.expovariate(rate)
        _, late = await asyncio.wait(tasks, timeout=PATIENCE)
        for task in late:  # a client without an answer for so long has left
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for connection in free:
            connection.close()

    async def _ask(self, connection: Connection, due: float) -> None:
        number = self._random.randrange(len(self._requests))
        status, retry_after = 0, 0.0
        try:
            answer = await connection.ask(self._requests[number])
            status = answer.status
            retry_after = float(answer.headers.get(b"retry-after", 0))
        except (OSError, asyncio.IncompleteReadError):
            connection.close()
        finally:
            kind = self._plan.kinds[number]
            self._rows.append((kind, due, self._now() - due, status, retry_after))

    def _now(self) -> float:
        return time.perf_counter() - self._started


def main(plan: Path, results: Path) -> None:
    """Run a plan."""
    what = Plan(**json.loads(plan.read_text()))
    if what.core is not None:
        os.sched_setaffinity(0, {what.core})
    gc.disable()  # a pause here would count as one of the server's
    np.save(results, uvloop.run(Load(what).run()))


if __name__ == "__main__":
    typer.run(main)
