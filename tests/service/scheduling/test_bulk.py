"""Files are computed in large batches; nothing is measured, rejected or lost."""

import asyncio
import math

import numpy as np
import pytest

from models.batching import BATCH_TEXTS
from service.engines.runner import Runner
from service.scheduling.bulk import BulkScheduler
from service.scheduling.jobs import Reading, Ticket
from tests.service.recording import RecordingEngine
from tests.versions import STATE, CountingEngine


def compute(runner: Runner, rows: list[list[int]], *, threads: int = 2) -> Ticket:
    async def ask() -> Ticket:
        readings = [Reading(row) for row in rows]
        return await scheduler.compute(runner, readings, deadline=math.inf, watch=None)

    scheduler = BulkScheduler(threads=threads)
    try:
        return asyncio.run(ask())
    finally:
        scheduler.shutdown()


@pytest.mark.parametrize("threads", [1, 3])
def test_each_text_gets_what_it_gets_alone(threads: int) -> None:
    random = np.random.default_rng(0)
    rows = [random.integers(2, 5, length).tolist() for length in random.integers(0, 300, 200)]
    engine = RecordingEngine()
    ticket = compute(Runner(engine, state=STATE), rows, threads=threads)
    np.testing.assert_array_equal(ticket.results, CountingEngine().predict(rows))
    assert all(job.read == job.length for job in ticket.jobs)
    assert max(texts for texts, _ in engine.shapes) == BATCH_TEXTS


def test_costs_are_not_measured() -> None:
    engine = RecordingEngine()
    runner = Runner(engine, state=STATE)
    compute(runner, [[2, 3]])
    assert engine.shapes == [(1, 2)]
    assert "cost" not in vars(runner)


def test_nothing_to_read_is_no_call() -> None:
    engine = RecordingEngine()
    assert compute(Runner(engine, state=STATE), []).results == []
    assert engine.shapes == []


def test_what_fails_is_told() -> None:
    engine = RecordingEngine()
    engine.poison = 4
    with pytest.raises(RuntimeError, match="poisoned"):
        compute(Runner(engine, state=STATE), [[2], [4]])
