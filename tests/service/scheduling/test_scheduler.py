"""What is computed when, what is refused, and that nobody's failure is another's."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from service.engines.cost import Cost
from service.engines.runner import Runner
from service.errors import ClientGone, DeadlinePassed, Overloaded
from service.metrics import Metrics
from service.scheduling.jobs import Reading, Ticket
from service.scheduling.scheduler import NICE, Scheduler
from tests.service.recording import LONG, HeldEngine, RecordingEngine, make_runner, run
from tests.versions import CountingEngine

pytestmark = pytest.mark.usefixtures("in_threads")


def hold(runner: Runner) -> HeldEngine:
    runner.engine = engine = HeldEngine()
    return engine


async def entered(engine: HeldEngine) -> None:
    await asyncio.to_thread(engine.entered.wait, LONG)


def ask(
    scheduler: Scheduler, runner: Runner, *rows: list[int], within: float = LONG, **more
) -> asyncio.Task[Ticket]:
    deadline = time.monotonic() + within
    readings = [Reading(row) for row in rows]
    return asyncio.create_task(scheduler.compute(runner, readings, deadline=deadline, **more))


def foresee(scheduler: Scheduler, tokens: int, *, seconds: float, coming: int = 0) -> int | None:
    return scheduler.foresee(least=tokens, usual=tokens, coming=coming, patience=lambda _: seconds)


@pytest.mark.batched
@pytest.mark.medium
@pytest.mark.parametrize("threads", [1, 3])
def test_many_requests_at_once_get_what_each_gets_alone(threads: int) -> None:
    runner = make_runner()
    scheduler = Scheduler(threads=threads, metrics=Metrics())
    scheduler.start()
    random = np.random.default_rng(0)
    requests = [
        [random.integers(2, 5, length).tolist() for length in random.integers(0, 2_500, count)]
        for count in random.integers(1, 6, 40)
    ]

    async def test() -> None:
        tickets = await asyncio.gather(*(ask(scheduler, runner, *rows) for rows in requests))
        for ticket, rows in zip(tickets, requests, strict=True):
            np.testing.assert_array_equal(ticket.results, CountingEngine().predict(rows))
            assert ticket.started >= ticket.arrived
            assert ticket.tokens == sum(map(len, rows))

    run(test())
    assert scheduler.backlog_seconds == 0
    scheduler.shutdown()
    assert any(texts > 1 for texts, _ in runner.engine.shapes)


@pytest.mark.medium
def test_a_short_text_waits_for_one_slice_of_a_long_one(scheduler: Scheduler) -> None:
    runner = make_runner()
    engine = hold(runner)

    async def test() -> None:
        long = ask(scheduler, runner, [2] * 20_000)
        await entered(engine)
        short = ask(scheduler, runner, [3] * 10)
        await asyncio.sleep(0)
        engine.go.set()
        await short
        assert not long.done()
        assert engine.shapes.index((1, 10)) <= 2  # after what was under way
        await long

    run(test())


@pytest.mark.batched
def test_many_texts_of_one_request_are_computed_together(scheduler: Scheduler) -> None:
    runner = make_runner()

    async def test() -> None:
        await ask(scheduler, runner, *[[2] * 20] * 300)

    run(test())
    assert len(runner.engine.shapes) <= 300 / 16


def test_a_poisoned_text_fails_alone(scheduler: Scheduler) -> None:
    runner = make_runner()
    runner.engine.poison = 4

    async def test() -> None:
        rows = [[2, 3], [4, 2], [3, 3]]
        one, other = await asyncio.gather(
            ask(scheduler, runner, *rows), ask(scheduler, runner, [2, 2])
        )
        assert isinstance(one.results[1], RuntimeError)
        expected = CountingEngine().predict([[2, 3], [3, 3], [2, 2]])
        found = [one.results[0], one.results[2], other.results[0]]
        np.testing.assert_array_equal(found, expected)

    run(test())


class TestDeadlines:
    # Costs are made high, so that what waits seems to be much.
    COST = Cost(call=1e-3, step=1e-3, text=1e-3)

    def test_where_nothing_waits_no_refusal_is_foreseen(self, scheduler) -> None:
        assert foresee(scheduler, 1_000_000, seconds=0.001, coming=1_000_000) is None

    @pytest.mark.medium
    def test_what_comes_too_late_is_refused_at_once(self, scheduler) -> None:
        runner = make_runner(cost=self.COST)
        engine = hold(runner)

        async def test() -> None:
            running = [ask(scheduler, runner, [2] * 20) for _ in range(100)]
            await entered(engine)
            started = time.monotonic()
            with pytest.raises(Overloaded) as refusal:
                await ask(scheduler, runner, [2] * 100, within=4.0)
            assert time.monotonic() - started < 1
            assert 1 <= refusal.value.retry_after <= 8
            assert foresee(scheduler, 100, seconds=4.0) >= refusal.value.retry_after
            assert foresee(scheduler, 100, seconds=400.0) is None
            assert foresee(scheduler, 100, seconds=400.0, coming=1_000_000) >= 1
            with pytest.raises(Overloaded):
                await scheduler.check(0.2, deadline=time.monotonic() + 4.0)
            await scheduler.check(0.2, deadline=time.monotonic() + 40)
            # What is short enough to come first is answered nevertheless.
            short = ask(scheduler, runner, [2], within=4.0)
            engine.go.set()
            await asyncio.gather(short, *running)

        run(test())

    def test_admission_knows_that_a_near_deadline_comes_first(self, scheduler) -> None:
        runner = make_runner(cost=Cost(call=0.1, step=0.1, text=0.1))
        engine = hold(runner)

        async def test() -> None:
            running = [ask(scheduler, runner, [2] * 50, within=1_000) for _ in range(20)]
            await entered(engine)
            await scheduler.check(10.0, deadline=time.monotonic() + 100)
            assert foresee(scheduler, 50, seconds=100) is None
            near = ask(scheduler, runner, [2] * 50, within=100)
            await asyncio.sleep(0)
            engine.go.set()
            await asyncio.gather(near, *running)

        run(test())

    def test_the_only_request_is_never_refused(self, scheduler) -> None:
        # Two seconds for a token, so 200 for the text: estimates may be wrong.
        runner = make_runner(cost=Cost(call=1.0, step=1.0, text=1.0))

        async def test() -> None:
            await ask(scheduler, runner, [2] * 100, within=LONG / 2)

        run(test())

    def test_what_expires_is_told_and_not_computed(self, scheduler) -> None:
        runner = make_runner()
        engine = hold(runner)

        async def test() -> None:
            first = ask(scheduler, runner, [2] * 5)
            await entered(engine)
            with pytest.raises(DeadlinePassed, match=r"not answered within \d+ ms"):
                await ask(scheduler, runner, [3] * 7, within=0.05)
            assert scheduler.backlog_seconds == 0
            engine.go.set()
            await first

        run(test())
        assert engine.shapes == [(1, 5)]

    def test_what_expires_on_its_way_is_not_read_to_its_end(self, scheduler) -> None:
        runner = make_runner(engine=RecordingEngine(seconds=0.02))

        async def test() -> None:
            with pytest.raises(DeadlinePassed):
                await ask(scheduler, runner, [3] * 100_000, within=0.1)
            await ask(scheduler, runner, [2])

        run(test())
        assert len(runner.engine.shapes) < 15


class TestClients:
    def asked(self, scheduler: Scheduler, leave: Callable) -> HeldEngine:
        """Ask for a text that a client does not wait for, behind another; return the engine."""
        runner = make_runner()
        engine = hold(runner)

        async def test() -> None:
            first = ask(scheduler, runner, [2] * 5)
            await entered(engine)
            await leave(runner)
            assert scheduler.backlog_seconds == 0
            engine.go.set()
            await first

        run(test())
        return engine

    def test_what_a_client_left_is_not_computed(self, scheduler: Scheduler) -> None:
        def watch(then: Callable[[], None]) -> Callable[[], None]:
            return asyncio.get_running_loop().call_later(0.01, then).cancel

        async def leave(runner: Runner) -> None:
            with pytest.raises(ClientGone):
                await ask(scheduler, runner, [3] * 7, watch=watch)

        assert self.asked(scheduler, leave).shapes == [(1, 5)]

    def test_what_is_cancelled_is_not_computed(self, scheduler: Scheduler) -> None:
        async def leave(runner: Runner) -> None:
            asked = ask(scheduler, runner, [3] * 7)
            await asyncio.sleep(0.01)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

        assert self.asked(scheduler, leave).shapes == [(1, 5)]


def test_the_event_loop_is_free_meanwhile(scheduler: Scheduler) -> None:
    runner = make_runner()
    engine = hold(runner)

    async def test() -> None:
        asked = ask(scheduler, runner, [2])
        await entered(engine)
        for _ in range(100):
            await asyncio.sleep(0)  # or this would not come to an end
        assert not asked.done()
        engine.go.set()
        await asked

    run(test())


def test_shutdown_ends_the_threads() -> None:
    before = threading.active_count()
    scheduler = Scheduler(threads=3, metrics=Metrics())
    assert threading.active_count() == before
    scheduler.start()
    assert threading.active_count() == before + 3
    scheduler.shutdown()
    assert threading.active_count() == before


def test_the_backlog_is_shown_at_each_change() -> None:
    metrics, runner = Metrics(), make_runner()
    scheduler = Scheduler(threads=1, metrics=metrics)  # not started, so all waits
    shown = metrics.backlog_tokens.collect, metrics.backlog_seconds.collect

    def values() -> list[float]:
        return [next(iter(collect())).samples[0].value for collect in shown]

    async def test() -> None:
        first = ask(scheduler, runner, [2] * 100, [2] * 50)
        second = ask(scheduler, runner, [2] * 7)
        await asyncio.sleep(0.05)
        alone = [runner.cost.seconds(tokens) for tokens in (100, 50, 7)]
        assert values() == pytest.approx([157, sum(alone)])
        first.cancel()
        await asyncio.sleep(0.05)
        assert values() == pytest.approx([7, alone[2]])
        second.cancel()
        await asyncio.sleep(0.05)
        assert values() == [0, 0]  # and not what rounding leaves over
        third = ask(scheduler, runner, [2] * 7)
        scheduler.start()
        await third
        assert values() == [0, 0]
        (texts,) = metrics.batch_texts.collect()
        assert {s.name: s.value for s in texts.samples}["gatewise_batch_texts_sum"] == 1

    run(test())
    scheduler.shutdown()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
@pytest.mark.parametrize(("nice", "expected"), [(0, NICE), (NICE + 3, NICE + 3)])
def test_no_thread_asks_for_a_priority_above_that_of_its_process(
    nice: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not root may not raise one."""
    given: list[int] = []
    monkeypatch.setattr(os, "getpriority", lambda *_: nice)
    monkeypatch.setattr(os, "setpriority", lambda _kind, _thread, value: given.append(value))
    scheduler = Scheduler(threads=1, metrics=Metrics())
    scheduler.start()
    scheduler.shutdown()
    assert given == [expected]
