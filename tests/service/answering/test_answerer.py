"""What a request costs its caller."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.batching import Row
from service.answering.answerer import Caller
from service.errors import DeadlinePassed
from service.scheduling.jobs import Reading
from service.settings import Settings
from service.web.app import create_app


class Budget:
    """Counts what is taken and not given back."""

    def __init__(self) -> None:
        self.taken = 0

    async def take(self, tokens: int) -> None:
        self.taken += tokens

    async def settle(self, taken: int, *, read: int) -> None:
        self.taken += read - taken


def plan(rows: Sequence[Row]) -> list[Reading]:
    return [Reading(row) for row in rows]


def test_a_request_that_is_late_before_its_work_costs_nothing(store: Path) -> None:
    service = create_app(Settings(store=store, threads=1)).state.service
    service.catalog.refresh()
    service.scheduler.start()
    budget = Budget()

    async def ask(seconds: float) -> int:
        caller = Caller(seconds=seconds, budget=budget)
        await service.answerer.answer(
            service.catalog.find(None, version=None), ["good film"], caller=caller, plan=plan
        )
        return budget.taken

    with pytest.raises(DeadlinePassed):
        asyncio.run(ask(0.0))
    assert budget.taken == 0
    assert asyncio.run(ask(60.0)) == 2
    service.scheduler.shutdown()
