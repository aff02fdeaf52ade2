"""Costs are found from calls that take exactly what they should."""

from collections.abc import Sequence

import numpy as np
import pytest

from models.batching import Row
from models.golden import Probabilities
from service.engines import cost
from service.engines.cost import Cost, measure_cost
from service.engines.protocol import BatchState
from tests.versions import STATE, CountingEngine


class TimedEngine(CountingEngine):
    """Takes the time that it says, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, true: Cost) -> None:
        self.now, self.true, self.noise = 0.0, true, np.random.default_rng(0)
        monkeypatch.setattr(cost.time, "perf_counter", lambda: self.now)

    def step(self, rows: Sequence[Row], state: BatchState) -> tuple[Probabilities, BatchState]:
        texts, tokens = len(rows), len(rows[0])
        self.now += self.true.seconds(tokens, texts=texts) + self.noise.choice([0, 0, 1e-3])
        return super().step(rows, state)


@pytest.mark.parametrize("state", [STATE, ()])
@pytest.mark.parametrize("true", [Cost(1e-4, 6e-6, 5e-6), Cost(2e-3, 5e-5, 1e-6)])
def test_costs_are_found(true: Cost, state: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measure_cost(TimedEngine(monkeypatch, true=true), state)
    for name in ("call", "step", "text"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), rel=1e-6)


def test_costs_are_never_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measure_cost(TimedEngine(monkeypatch, true=Cost(0, 0, 0)), STATE)
    assert min(found.call, found.step, found.text) > 0


def test_seconds() -> None:
    cost = Cost(call=1.0, step=0.5, text=0.25)
    assert cost.seconds(4) == 1 + 4 * 0.75
    assert cost.seconds(4, texts=2) == 1 + 4 * 1.0
    assert cost.seconds(0) == 1


@pytest.mark.parametrize("texts", [1, 7])
def test_tokens_within_seconds(texts: int) -> None:
    cost = Cost(call=1.0, step=0.5, text=0.25)
    tokens = cost.tokens_within(20.0, texts=texts)
    assert cost.seconds(tokens, texts=texts) <= 20 < cost.seconds(tokens + 1, texts=texts)
    assert cost.tokens_within(0.5, texts=texts) == 1
