"""What a version answers is written down in the order that was asked for, and how long it takes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.batching import Row
from models.replay import ReplayRequest, ReplayResult
from models.versions import Version
from service import replay as module
from service.engines.cores import available_cores
from tests.versions import CountingEngine, publish

EVERY = 8
ROWS = [[4] * length + [2, 2, 3][: length % 4] for length in (7, 0, 300, 1, 20)]


class RecordingEngine(CountingEngine):
    """Notes how many texts are asked for at a time."""

    def __init__(self) -> None:
        self.texts: list[int] = []

    def predict(self, rows: Sequence[Row]) -> np.ndarray:
        self.texts.append(len(rows))
        return super().predict(rows)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, RecordingEngine]]:
    """The engines that were opened, each with the threads that it was given."""
    found: list[tuple[int, RecordingEngine]] = []

    def load(_version: Version, *, kind: str, threads: int) -> RecordingEngine:
        found.append((threads, RecordingEngine()))
        return found[-1][1]

    monkeypatch.setattr(module, "load_engine", load)
    return found


def replay(
    folder: Path,
    *,
    engine: Any = "onnx",
    timed: Sequence[int] = (),
    watched: Sequence[int] = (),
) -> ReplayResult:
    request, result = folder / "ids.npz", folder / "answers.npz"
    ReplayRequest(
        rows=ROWS,
        timed=np.array(timed, np.int64),
        watched=np.array(watched, np.int64),
        every=EVERY,
    ).save(request)
    module.replay(publish(folder / "store").path, engine, request, result)
    return ReplayResult.load(result)


def test_answers_are_in_order(opened: list, tmp_path: Path) -> None:
    found = replay(tmp_path, timed=[])
    np.testing.assert_array_equal(
        found.probabilities,
        np.concatenate([CountingEngine().predict([row]) for row in ROWS]),
    )
    assert found.milliseconds.shape == (0,)


def test_texts_are_looked_at_on_their_way(opened: list, tmp_path: Path) -> None:
    found = replay(tmp_path, watched=[4, 1, 3])
    looked = [ROWS[4][:8], ROWS[4][:16], ROWS[4], [], ROWS[3]]
    expected = np.concatenate([CountingEngine().predict([row]) for row in looked])
    np.testing.assert_array_equal(found.looks, expected)


@pytest.mark.parametrize("engine", ["onnx", "savedmodel"])
def test_texts_are_timed_alone(engine: str, opened: list, tmp_path: Path) -> None:
    found = replay(tmp_path, engine=engine, timed=[2, 0, 4, 1])
    assert found.milliseconds.shape == (4,)
    assert (found.milliseconds > 0).all()
    threads, last = opened[-1]
    assert last.texts[-4:] == [1, 1, 1, 1]
    if engine == "onnx":
        assert (threads, len(last.texts)) == (1, module.WARM_TEXTS + 4)
    else:  # whose threads cannot be changed
        assert [threads for threads, _ in opened] == [available_cores()]


def test_timing_ends_when_its_time_is_over(
    opened: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMED_SECONDS", 0.0)
    assert replay(tmp_path, timed=[0, 1, 2]).milliseconds.shape == (1,)
