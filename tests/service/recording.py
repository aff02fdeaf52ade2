"""Runners and jobs for tests of what is computed when; their engine records its calls."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path

from models.batching import Row
from models.golden import Probabilities
from models.metadata import StateTensor
from models.registry import Store
from service.answering.classifier import Classifier
from service.engines.cost import Cost
from service.engines.protocol import BatchState
from service.engines.runner import Runner
from service.scheduling.jobs import Job, Reading, Ticket
from tests.versions import STATE, CountingEngine, publish

LONG = 60.0  # seconds; no test takes so long
COST = Cost(call=1e-4, step=6e-6, text=5e-6)


class RecordingEngine(CountingEngine):
    """Remembers the shapes of its calls; each may be made to wait, or to fail."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.shapes: list[tuple[int, int]] = []
        self.poison: int | None = None  # an id that makes a call fail

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        self.shapes.append((len(rows), max(map(len, rows))))
        if self.poison is not None and any(self.poison in row for row in rows):
            raise RuntimeError("poisoned")
        time.sleep(self.seconds)
        return super().step(rows, state)


class HeldEngine(RecordingEngine):
    """Computes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.entered = threading.Event()

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        self.entered.set()
        assert self.go.wait(LONG)
        return super().step(rows, state)


def run(test: Awaitable[None]) -> None:
    """Run what has to end by itself."""
    asyncio.run(asyncio.wait_for(test, LONG))


def make_classifier(
    folder: Path, *, engine: CountingEngine | None = None, cost: Cost = COST, **changes: object
) -> Classifier:
    """Return a classifier whose costs are known."""
    version = publish(folder, **changes)
    runner = make_runner(engine=engine, cost=cost, state=version.metadata.state)
    return Classifier(Store(folder).resolve(version.reference), runner=runner)


def make_runner(
    *,
    engine: CountingEngine | None = None,
    cost: Cost = COST,
    state: tuple[StateTensor, ...] = STATE,
) -> Runner:
    """Return a runner whose costs are known."""
    return Runner(engine or RecordingEngine(), state=state, cost=cost)


def make_jobs(runner: Runner, *lengths: int, deadline: float = 60.0) -> list[Job]:
    """Return jobs of requests with one text each."""

    async def make() -> list[Job]:
        end = time.monotonic() + deadline
        return [Ticket(runner, [Reading([2] * length)], deadline=end).jobs[0] for length in lengths]

    return asyncio.run(make())
