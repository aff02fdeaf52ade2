"""The memory of each cell in the synthetic tasks: accuracy by lag, measured once and kept."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from training.comparison.tasks import point
from training.comparison.tasks.plan import TASKS, Place, plan
from training.comparison.tasks.point import Point, run_point
from training.comparison.tasks.task import Task
from training.console import StepProgress
from training.settings import Cell
from training.workspace.atomic import save_json
from training.workspace.interrupt import Interrupt

SEEDS = (1, 2, 3)


def measure_curves(cells: Sequence[Cell], *, folder: Path) -> list[dict[str, Any]]:
    """Return for each task the accuracy of each cell by lag, as the median over seeds.

    Points do not depend on the data, so `folder` keeps each for later comparisons.

    Raises:
        Interrupted: A signal asked for the end; complete points are kept.
    """
    places = plan(cells, seeds=SEEDS)
    points = []
    with Interrupt() as interrupt, StepProgress("synthetic tasks", total=len(places)) as progress:
        for done, place in enumerate(places):
            progress.show(done, place.name)
            points.append(_find_point(place, folder=folder))
            interrupt.leave_if_asked()
    return [_curves(task, cells, points) for task in TASKS.values()]


def _find_point(place: Place, *, folder: Path) -> Point:
    """Return a kept point, or measure it."""
    path, identity = folder / f"{place.name}.json", _identity()
    if path.is_file():
        found = json.loads(path.read_text())
        if found.pop("identity") == identity:
            return Point(**found)
    measured = run_point(TASKS[place.task], cell=place.cell, lag=place.lag, seed=place.seed)
    save_json(asdict(measured) | {"identity": identity}, path=path)
    return measured


def _identity() -> dict[str, Any]:
    """Return all that decides a point beside its place."""
    settings = {name: getattr(point, name) for name in ("UNITS", "BATCH", "STEPS", "LEARNING_RATE")}
    return settings | {name: version(name) for name in ("keras", "tensorflow", "numpy")}


def _curves(task: Task, cells: Sequence[Cell], points: Sequence[Point]) -> dict[str, Any]:
    own = [each for each in points if each.task == task.name]
    return {
        "name": task.name,
        "about": task.about,
        "source": task.source,
        "chance": task.chance,
        "lags": list(task.lags),
        "units": point.UNITS,
        "steps": point.STEPS,
        "curves": {
            cell: _curve(task, [each for each in own if each.cell == cell]) for cell in cells
        },
    }


def _curve(task: Task, points: Sequence[Point]) -> dict[str, Any]:
    """Return the points of one cell: accuracies and steps by lag, of each seed."""
    by_lag = [[each for each in points if each.lag == lag] for lag in task.lags]
    return {
        "median": [float(np.median([each.accuracy for each in at])) for at in by_lag],
        "seeds": [[each.accuracy for each in at] for at in by_lag],
        "steps": [float(np.median([each.steps for each in at])) for at in by_lag],
        "failed": sum(each.failed for each in points),
    }
