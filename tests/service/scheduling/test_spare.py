"""Spare work takes only the time that no request needs."""

import asyncio
import math
import time

import pytest

from service.engines.cost import Cost
from service.engines.runner import Runner
from service.errors import Overloaded
from service.scheduling import scheduler as scheduling
from service.scheduling.jobs import Reading, Ticket
from service.scheduling.scheduler import Scheduler
from service.scheduling.spare import SpareScheduling
from tests.service.recording import LONG, HeldEngine, RecordingEngine, make_runner, run

pytestmark = pytest.mark.usefixtures("in_threads")


def ask(scheduler: Scheduler, runner: Runner, *rows: list[int]) -> asyncio.Task[Ticket]:
    readings = [Reading(row) for row in rows]
    deadline = time.monotonic() + LONG
    return asyncio.create_task(scheduler.compute(runner, readings, deadline=deadline))


def offer(scheduler: Scheduler, runner: Runner, *rows: list[int]) -> asyncio.Task[Ticket]:
    readings = [Reading(row) for row in rows]
    spare = SpareScheduling(scheduler)
    return asyncio.create_task(spare.compute(runner, readings, deadline=math.inf, watch=None))


async def hold(scheduler: Scheduler) -> HeldEngine:
    """Keep the only thread busy, with spare work, and return what lets it go on."""
    engine = HeldEngine()
    offer(scheduler, make_runner(engine=engine), [2])
    await asyncio.to_thread(engine.entered.wait, LONG)
    return engine


def test_it_gets_what_a_request_gets(scheduler: Scheduler) -> None:
    async def test() -> None:
        runner = make_runner()
        rows = [[2, 3, 2], [3] * 900, []]
        spare, asked = await offer(scheduler, runner, *rows), await ask(scheduler, runner, *rows)
        for place in range(len(rows)):
            assert spare.result(place).tolist() == asked.result(place).tolist()
        assert spare.computed > 0

    run(test())


def test_a_request_that_comes_later_is_computed_before(scheduler: Scheduler) -> None:
    async def test() -> None:
        held = await hold(scheduler)
        runner, order = make_runner(), []
        spare = offer(scheduler, runner, [2] * 5)
        await asyncio.sleep(0)
        asked = ask(scheduler, runner, [2] * 50)
        for task, name in ((spare, "spare"), (asked, "asked")):
            task.add_done_callback(lambda _, name=name: order.append(name))
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(spare, asked)
        assert order == ["asked", "spare"]

    run(test())


@pytest.mark.medium
def test_a_request_does_not_wait_for_the_end_of_a_long_one(scheduler: Scheduler) -> None:
    """Spare work is done in slices too, and a request goes in between."""

    async def test() -> None:
        cost = Cost(call=1e-4, step=1e-4, text=1e-5)
        engine = HeldEngine()
        spare = offer(scheduler, make_runner(engine=engine, cost=cost), [2] * 4_000)
        await asyncio.to_thread(engine.entered.wait, LONG)
        asked = ask(scheduler, make_runner(), [2] * 50)
        await asyncio.sleep(0)
        engine.go.set()
        await asked
        assert not spare.done()
        await spare

    run(test())


def test_it_is_turned_away_while_a_request_waits(scheduler: Scheduler) -> None:
    async def test() -> None:
        held = await hold(scheduler)
        runner = make_runner()
        asked = ask(scheduler, runner, [2])
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="no time to spare"):
            await offer(scheduler, runner, [2])
        held.go.set()
        await asked
        assert (await offer(scheduler, runner, [2])).closed

    run(test())


def test_only_so_much_of_it_waits(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        held = await hold(scheduler)
        runner = make_runner()
        seconds = runner.cost.seconds(100)
        monkeypatch.setattr(scheduling, "SPARE_SECONDS", 3.5 * seconds)
        tasks = [offer(scheduler, runner, [2] * 100) for _ in range(6)]
        await asyncio.sleep(0)
        held.go.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(each, Overloaded) for each in done] == [False] * 3 + [True] * 3

    run(test())


def test_what_is_given_up_is_not_computed(scheduler: Scheduler) -> None:
    async def test() -> None:
        held = await hold(scheduler)
        engine = RecordingEngine()
        spare = offer(scheduler, make_runner(engine=engine), [2])
        await asyncio.sleep(0)
        spare.cancel()
        await asyncio.gather(spare, return_exceptions=True)
        held.go.set()
        await offer(scheduler, make_runner(), [2])
        assert engine.shapes == []

    run(test())


@pytest.mark.medium
def test_its_speed_is_not_that_of_requests(scheduler: Scheduler) -> None:
    """Or requests would be rejected because of a version that only reads copies."""

    async def test() -> None:
        slow = make_runner(engine=RecordingEngine(seconds=0.3))
        await offer(scheduler, slow, [2])
        held = await hold(scheduler)
        runner = make_runner()
        asked = ask(scheduler, runner, [2] * 50)
        await asyncio.sleep(0)
        assert scheduler.backlog_seconds == pytest.approx(runner.cost.seconds(50))
        held.go.set()
        await asked

    run(test())


@pytest.mark.medium
def test_it_does_not_count_as_backlog(scheduler: Scheduler) -> None:
    """Or requests would be rejected for the sake of work that comes after them."""

    async def test() -> None:
        held = await hold(scheduler)
        cost = Cost(call=1e-4, step=1e-3, text=1e-5)
        spare = offer(scheduler, make_runner(cost=cost), [2] * 400)
        await asyncio.sleep(0)
        assert scheduler.backlog_seconds == 0
        await scheduler.check(0.01, deadline=time.monotonic() + 0.1)
        held.go.set()
        await spare

    run(test())
