"""That those who are refused go one by one, and that nobody waits long."""

import asyncio
import time

import pytest

from service.scheduling import refusals
from service.scheduling.refusals import LATEST_RETURN, SPACING, RefusalPacer, ReturnTimes


async def let_through(gate: RefusalPacer, count: int) -> list[float]:
    """Return when each of those who come at once goes, in seconds."""
    started = time.monotonic()

    async def go() -> float:
        await gate.wait_for_turn()
        return time.monotonic() - started

    return await asyncio.gather(*(go() for _ in range(count)))


def test_who_comes_alone_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_seconds: float) -> None:
        raise AssertionError

    monkeypatch.setattr(refusals.asyncio, "sleep", never)
    asyncio.run(RefusalPacer().wait_for_turn())


def test_many_go_one_by_one() -> None:
    times = asyncio.run(let_through(RefusalPacer(), 50))
    assert all(seconds >= number * SPACING * 0.9 for number, seconds in enumerate(times))


def test_nobody_waits_longer_than_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(refusals.asyncio, "sleep", sleep)
    monkeypatch.setattr(refusals, "LONGEST", 0.02)

    async def run() -> None:
        gate = RefusalPacer()
        for _ in range(100):
            await gate.wait_for_turn()

    asyncio.run(run())
    assert max(waited) <= 0.02 + 1e-9  # the difference of two times is rounded


class TestReturnTimes:
    @pytest.fixture(autouse=True)
    def _stop_the_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(refusals.time, "monotonic", lambda: self.now)

    def test_those_who_come_together_return_one_after_the_other(self) -> None:
        times = ReturnTimes()
        assert [times.plan(1.0, seconds=0.5) for _ in range(4)] == [1.0, 1.5, 2.0, 2.5]

    def test_what_was_planned_passes(self) -> None:
        times = ReturnTimes()
        times.plan(1.0, seconds=2.0)
        self.now += 1.5
        assert times.plan(0.5, seconds=2.0) == 1.5
        self.now += 60
        assert times.plan(0.5, seconds=2.0) == 0.5

    def test_nobody_is_sent_away_for_long(self) -> None:
        times = ReturnTimes()
        for _ in range(99):
            assert times.plan(1.0, seconds=9.0) <= LATEST_RETURN
