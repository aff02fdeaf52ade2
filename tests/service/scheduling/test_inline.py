"""Short texts are computed in the event loop, where nothing waits and there is time for it."""

import asyncio
import threading
import time

import numpy as np
import pytest

from service.engines.cost import Cost
from service.errors import DeadlinePassed
from service.metrics import Metrics
from service.scheduling import inline
from service.scheduling.allowance import Allowance
from service.scheduling.jobs import Reading, Ticket
from service.scheduling.scheduler import Scheduler
from tests.service.recording import RecordingEngine, make_runner
from tests.versions import CountingEngine

LONG = 60.0
CHEAP = Cost(call=1e-6, step=1e-7, text=1e-7)


class ThreadsEngine(RecordingEngine):
    """Notes the threads that it is called in."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[str] = []

    def step(self, rows, state):
        self.threads.append(threading.current_thread().name)
        return super().step(rows, state)


def compute(scheduler: Scheduler, engine: ThreadsEngine, *readings: Reading, **more) -> Ticket:
    runner = make_runner(engine=engine, cost=more.pop("cost", CHEAP))
    deadline = time.monotonic() + more.pop("within", LONG)

    async def ask() -> Ticket:
        return await scheduler.compute(runner, readings, deadline=deadline)

    return asyncio.run(ask())


@pytest.mark.batched
def test_a_short_text_is_computed_in_the_event_loop(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    ticket = compute(scheduler, engine, Reading([2, 2, 3]))
    assert engine.threads == ["MainThread"]
    assert ticket.started is not None
    np.testing.assert_array_equal(ticket.results, CountingEngine().predict([[2, 2, 3]]))


@pytest.mark.batched
def test_stops_and_several_texts_are_as_ever(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    one = Reading([2, 2, 3, 3], stops=[1, 3], keep=3)
    ticket = compute(scheduler, engine, one, Reading([]), Reading([3]))
    assert set(engine.threads) == {"MainThread"}
    expected = CountingEngine().predict([[2, 2, 3, 3], [], [3]])
    np.testing.assert_array_equal(ticket.results, expected)
    seen = CountingEngine().predict([[2], [2, 2, 3]])
    np.testing.assert_array_equal(ticket.jobs[0].seen, seen)
    np.testing.assert_array_equal(ticket.jobs[0].kept["total"], [1, 2])


def test_a_long_text_is_left_to_the_threads(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    tokens = int(2 * inline.LONGEST / CHEAP.seconds_per_token)
    compute(scheduler, engine, Reading([2] * tokens))
    assert set(engine.threads) == {"compute-0"}


def test_what_has_expired_is_told_and_not_computed(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    long = int(2 * inline.LONGEST / CHEAP.seconds_per_token)
    for tokens in (1, long):
        with pytest.raises(DeadlinePassed, match="had passed before"):
            compute(scheduler, engine, Reading([2] * tokens), within=-1.0)
    assert engine.threads == []


def test_a_failure_is_that_of_its_text_alone(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    engine.poison = 3
    ticket = compute(scheduler, engine, Reading([2]), Reading([3]), Reading([2, 2]))
    with pytest.raises(RuntimeError, match="poisoned"):
        ticket.result(1)
    assert ticket.result(0).shape == ticket.result(2).shape == (2,)


@pytest.mark.batched
def test_a_busy_event_loop_leaves_short_texts_to_the_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ThreadsEngine()
    engine.seconds = 2 * inline.CREDIT  # more than was estimated
    monkeypatch.setattr(inline, "SHARE", 0)
    scheduler = Scheduler(threads=1, metrics=Metrics())
    scheduler.start()
    for _ in range(3):
        compute(scheduler, engine, Reading([2]))
    scheduler.shutdown()
    assert engine.threads == ["MainThread", "compute-0", "compute-0"]


def test_what_waits_is_not_overtaken() -> None:
    scheduler = Scheduler(threads=1, metrics=Metrics())  # not started, so all that is queued waits
    engine = ThreadsEngine()
    runner = make_runner(engine=engine, cost=CHEAP)

    async def ask() -> None:
        deadline = time.monotonic() + LONG
        long = [Reading([2] * int(2 * inline.LONGEST / CHEAP.seconds_per_token))]
        waiting = asyncio.ensure_future(scheduler.compute(runner, long, deadline=deadline))
        await asyncio.sleep(0)
        short = asyncio.ensure_future(scheduler.compute(runner, [Reading([3])], deadline=deadline))
        await asyncio.sleep(0)
        assert not short.done()
        scheduler.start()
        await asyncio.gather(waiting, short)

    asyncio.run(ask())
    scheduler.shutdown()
    assert set(engine.threads) == {"compute-0"}


@pytest.mark.batched
def test_what_comes_in_one_turn_is_read_together(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    engine.poison = 3
    runner = make_runner(engine=engine, cost=CHEAP)

    async def ask() -> list[Ticket]:
        deadline = time.monotonic() + LONG
        rows = ([2], [2, 2], [3], [])
        return await asyncio.gather(
            *(scheduler.compute(runner, [Reading(row)], deadline=deadline) for row in rows)
        )

    tickets = asyncio.run(ask())
    assert set(engine.threads) == {"MainThread"}
    assert engine.shapes[0][0] == 4
    expected = CountingEngine().predict([[2], [2, 2], []])
    found = [ticket.result(0) for ticket in tickets if ticket is not tickets[2]]
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(RuntimeError, match="poisoned"):
        tickets[2].result(0)


@pytest.mark.batched
def test_too_much_for_one_turn_is_left_to_the_threads(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    runner = make_runner(engine=engine, cost=CHEAP)
    tokens = int(0.9 * inline.LONGEST / CHEAP.seconds_per_token)

    async def ask() -> None:
        deadline = time.monotonic() + LONG
        asked = (
            scheduler.compute(runner, [Reading([2] * tokens)], deadline=deadline) for _ in range(9)
        )
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert set(engine.threads) == {"MainThread", "compute-0"}


def test_one_that_is_given_up_meanwhile_is_left_out(scheduler: Scheduler) -> None:
    engine = ThreadsEngine()
    runner = make_runner(engine=engine, cost=CHEAP)

    async def ask() -> None:
        deadline = time.monotonic() + LONG
        first, second = (
            asyncio.ensure_future(scheduler.compute(runner, [Reading([2])], deadline=deadline))
            for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert first.cancelled()

    asyncio.run(ask())


@pytest.mark.batched
def test_two_versions_in_one_turn(scheduler: Scheduler) -> None:
    engines = [ThreadsEngine(), ThreadsEngine()]

    async def ask() -> None:
        deadline = time.monotonic() + LONG
        runners = [make_runner(engine=engine, cost=CHEAP) for engine in engines]
        await asyncio.gather(
            *(scheduler.compute(each, [Reading([2])], deadline=deadline) for each in runners)
        )

    asyncio.run(ask())
    assert [engine.threads for engine in engines] == [["MainThread"], ["MainThread"]]


def test_an_allowance_grows_with_time() -> None:
    now = [100.0]
    allowance = Allowance(share=0.5, most=1.0, clock=lambda: now[0])
    assert allowance.covers(1.0)
    allowance.spend(1.5)
    assert not allowance.covers(0.1)
    now[0] += 1.5
    assert allowance.covers(0.2)
    assert not allowance.covers(0.3)
    now[0] += 1_000
    assert allowance.covers(1.0)
    assert not allowance.covers(1.1)
