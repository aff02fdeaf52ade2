"""Fits alone, and on a cluster of one and of two nodes: the outcome, and the time."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.ray.cluster import nodes, run_command
from training.workers import ONE_THREAD

_TIMES = {"seconds", "tokens_per_second", "effort", "cost"}
Read = Callable[[Path], Any]


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """What was measured of a command.

    Args:
        alone: Seconds in one process, with one thread.
        one: Seconds on a cluster of one node of one core, which is up.
        two: Seconds on two such nodes.
        same: Whether the outcomes of all three are equal, times left out.
    """

    alone: float
    one: float
    two: float
    same: bool

    @property
    def ratio(self) -> float:
        """Time on two nodes as a share of that on one."""
        return self.two / self.one


def measure_tune(dataset: Path, *, trials: int) -> SideBySide:
    """Tune with so many trials."""
    command = ["tune", "--dataset", dataset, "--name", "bench", "--trials", trials]
    return _measure([*command, "--minutes", 60], _read_trials)


def measure_compare(dataset: Path, *, seeds: int, epochs: int) -> SideBySide:
    """Compare two cells with so many seeds."""
    command = ["compare", "--dataset", dataset, "--cells", "rnn,gru", "--seeds", seeds]
    return _measure([*command, "--epochs", epochs, "--no-tasks"], _read_comparison)


def _measure(command: list[object], read: Read) -> SideBySide:
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / name for name in ("alone", "one", "two")]
        seconds = [_run(command, folders[0], cores=(0,))]
        for count, folder in enumerate(folders[1:], start=1):
            with nodes(count) as cluster:
                seconds.append(_run([*command, "--ray", cluster.address], folder))
        outcomes = [_without_times(read(folder)) for folder in folders]
    alone, one, two = seconds
    same = outcomes[0] == outcomes[1] == outcomes[2]
    return SideBySide(alone=alone, one=one, two=two, same=same)


def _run(command: list[object], work: Path, *, cores: tuple[int, ...] = ()) -> float:
    seconds, _ = run_command("training", *command, "--work", work, cores=cores, **ONE_THREAD)
    return seconds


def _read_trials(work: Path) -> Any:
    return json.loads((work / "tune" / "bench" / "trials.json").read_text())


def _read_comparison(work: Path) -> Any:
    (path,) = work.glob("compare/*/report/comparison.json")
    return json.loads(path.read_text())


def _without_times(found: Any) -> Any:
    """Return what was found without the figures of time."""
    if isinstance(found, dict):
        kept = {name: value for name, value in found.items() if name not in _TIMES}
        return {name: _without_times(value) for name, value in kept.items()}
    return [_without_times(each) for each in found] if isinstance(found, list) else found
