"""That those who are refused go one by one, and that nobody waits long."""

import asyncio
import time

import pytest

from service.scheduling import refusals
from service.scheduling.refusals import SPACING, RefusalPacer


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
