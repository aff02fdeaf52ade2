"""A replay's question and answer are read as they were written."""

from pathlib import Path

import numpy as np
import pytest

from models.replay import ReplayRequest, ReplayResult


def test_a_request_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [[5, 6, 7], [], [8], []]
    asked = ReplayRequest(rows=rows, timed=np.array([2, 0]), watched=np.array([3]), every=32)
    asked.save(tmp_path / "ids.npz")
    found = ReplayRequest.load(tmp_path / "ids.npz")
    assert [row.tolist() for row in map(np.asarray, found.rows)] == rows
    assert (found.timed.tolist(), found.watched.tolist(), found.every) == ([2, 0], [3], 32)


def test_the_arrays_of_a_request(tmp_path: Path) -> None:
    none = np.array([], np.int64)
    asked = ReplayRequest(rows=[[5, 6], [7]], timed=np.array([1]), watched=none, every=8)
    asked.save(tmp_path / "ids.npz")
    with np.load(tmp_path / "ids.npz") as content:
        found = {name: (content[name].dtype.name, content[name].tolist()) for name in content}
    assert found == {
        "tokens": ("int32", [5, 6, 7]),
        "lengths": ("int64", [2, 1]),
        "timed": ("int64", [1]),
        "watched": ("int64", []),
        "every": ("int64", 8),
    }


@pytest.mark.parametrize("looks", [0, 3])
def test_a_result_is_read_as_it_was_written(looks: int, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    result = ReplayResult(
        probabilities=random.random((4, 2), np.float32),
        milliseconds=np.array([3.0, 1.0, 2.5]),
        looks=random.random((looks, 2), np.float32),
        looking=12.25,
    )
    result.save(tmp_path / "answers.npz")
    found = ReplayResult.load(tmp_path / "answers.npz")
    for name in ("probabilities", "milliseconds", "looks"):
        mine, yours = getattr(found, name), getattr(result, name)
        np.testing.assert_array_equal(mine, yours)
        assert mine.dtype == yours.dtype
    assert found.looking == 12.25
    assert found.median_milliseconds == 2.5


def test_the_arrays_of_a_result(tmp_path: Path) -> None:
    result = ReplayResult(
        probabilities=np.array([[0.25, 0.75]], np.float32),
        milliseconds=np.array([1.5]),
        looks=np.empty((0, 2), np.float32),
        looking=0.5,
    )
    result.save(tmp_path / "answers.npz")
    with np.load(tmp_path / "answers.npz") as content:
        found = {name: (content[name].dtype.name, content[name].shape) for name in content}
    assert found == {
        "probabilities": ("float32", (1, 2)),
        "milliseconds": ("float64", (1,)),
        "looking": ("float64", ()),
        "looks": ("float32", (0, 2)),
    }
