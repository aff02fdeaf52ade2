import numpy as np
import pytest

from service.engines.batched import SLICE_TOKENS, compute
from tests.versions import STATE, CountingEngine


class RecordingEngine(CountingEngine):
    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def step(self, rows, state):
        self.shapes.append((len(rows), max(map(len, rows))))
        return super().step(rows, state)


def test_results_are_in_the_order_of_the_texts() -> None:
    random = np.random.default_rng(0)
    rows = [random.integers(2, 9, length).tolist() for length in random.integers(0, 300, 100)]
    together = compute(CountingEngine(), rows, state=STATE)
    alone = np.concatenate([CountingEngine().predict([row]) for row in rows])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("length", [SLICE_TOKENS, SLICE_TOKENS + 1, 5 * SLICE_TOKENS])
def test_long_texts_are_read_in_slices(length: int) -> None:
    engine = RecordingEngine()
    rows = [[4] * (length - 3) + [2, 2, 3], [2]]
    found = compute(engine, rows, state=STATE)
    np.testing.assert_array_equal(found, CountingEngine().predict(rows))
    assert max(width for _, width in engine.shapes) <= SLICE_TOKENS


def test_without_state_nothing_is_sliced() -> None:
    engine = RecordingEngine()
    compute(engine, [[4] * (SLICE_TOKENS + 1)], state=())
    assert engine.shapes == [(1, SLICE_TOKENS + 1)]
