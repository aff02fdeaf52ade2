"""The curves of the synthetic tasks are measured once, and again if what decides them changed."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.tensorflow  # which the module imports


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have points made up, and return what was measured."""
    from training.comparison import curves
    from training.comparison.tasks.point import Point

    done: list[str] = []

    def make_up(task: Any, *, cell: Any, lag: int, seed: int) -> Point:
        done.append(f"{task.name}-{cell}-{lag}-{seed}")
        return Point(
            task=task.name,
            cell=cell,
            lag=lag,
            seed=seed,
            accuracy=seed / 10,
            steps=100 * seed,
            seconds=0.0,
            solved=False,
            failed=False,
        )

    monkeypatch.setattr(curves, "run_point", make_up)
    return done


def test_a_curve_is_the_median_over_seeds(tmp_path: Path, measured: list[str]) -> None:
    from training.comparison.curves import measure_curves
    from training.comparison.tasks.plan import TASKS

    found = measure_curves(("rnn", "gru"), folder=tmp_path)
    assert [task["name"] for task in found] == list(TASKS)
    for task in found:
        for curve in task["curves"].values():
            assert curve["median"] == [0.2] * len(task["lags"])
            assert curve["seeds"] == [[0.1, 0.2, 0.3]] * len(task["lags"])
            assert curve["steps"] == [200] * len(task["lags"])


def test_what_is_known_is_not_measured_again(tmp_path: Path, measured: list[str]) -> None:
    from training.comparison.curves import measure_curves

    first = measure_curves(("rnn",), folder=tmp_path)
    count = len(measured)
    assert measure_curves(("rnn",), folder=tmp_path) == first
    assert len(measured) == count
    measure_curves(("rnn", "gru"), folder=tmp_path)
    assert all("gru" in name for name in measured[count:])


def test_what_was_measured_otherwise_is_measured_again(
    tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.comparison.curves import measure_curves
    from training.comparison.tasks import point

    measure_curves(("rnn",), folder=tmp_path)
    count = len(measured)
    monkeypatch.setattr(point, "STEPS", 7)
    measure_curves(("rnn",), folder=tmp_path)
    assert len(measured) == 2 * count
