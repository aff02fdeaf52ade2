"""The points to measure: each task, at each lag, with each cell, for each seed."""

from collections.abc import Sequence
from typing import NamedTuple

from training.comparison.tasks.adding import ADDING
from training.comparison.tasks.brackets import BRACKETS
from training.comparison.tasks.recall import RECALL
from training.comparison.tasks.task import Task
from training.settings import Cell

TASKS: dict[str, Task] = {task.name: task for task in (RECALL, ADDING, BRACKETS)}


class Place(NamedTuple):
    """The place of a point, which identifies it."""

    task: str
    cell: Cell
    lag: int
    seed: int

    @property
    def name(self) -> str:
        """The name of its file, such as `adding-gru-100-1`."""
        return f"{self.task}-{self.cell}-{self.lag}-{self.seed}"


def plan(cells: Sequence[Cell], *, seeds: Sequence[int]) -> list[Place]:
    """Return all places, seed by seed; an interrupted run then has whole curves."""
    return [
        Place(task.name, cell, lag, seed)
        for seed in seeds
        for task in TASKS.values()
        for lag in task.lags
        for cell in cells
    ]
