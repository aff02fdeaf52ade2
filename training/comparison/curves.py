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
from training.workers import ALONE, Workers
from training.workspace.atomic import save_json
from training.workspace.interrupt import Interrupt

SEEDS = (1, 2, 3)


def measure_curves(
    cells: Sequence[Cell], *, folder: Path, workers: Workers = ALONE
) -> list[dict[str, Any]]:
    """Return for each task the accuracy of each cell by lag, as the median over seeds.

    Points do not depend on the data, so `folder` keeps each for later comparisons.

    Raises:
        Interrupted: A signal asked for the end; complete points are kept.
    """
    places = plan(cells, seeds=SEEDS)
    points = {place: _find_point(place, folder=folder) for place in places}
    due = [place for place, point in points.items() if point is None]
    started = {workers.start(measure_point, place): place for place in due}
    with Interrupt() as interrupt, StepProgress("synthetic tasks", total=len(due)) as progress:
        for done, call in enumerate(workers.by_completion(list(started))):
            place = started[call]
            progress.show(done, place.name)
            points[place] = measured = call.result()
            save_json(asdict(measured) | {"identity": _identity()}, path=_path(place, folder))
            interrupt.leave_if_asked()
    whole = [points[place] for place in places]
    return [_curves(task, cells, whole) for task in TASKS.values()]


def measure_point(place: Place) -> Point:
    """Measure the point at a place. A process of a cluster may do it."""
    return run_point(TASKS[place.task], cell=place.cell, lag=place.lag, seed=place.seed)


def _find_point(place: Place, *, folder: Path) -> Point | None:
    """Return a kept point; None if it has to be measured."""
    if (path := _path(place, folder)).is_file():
        found = json.loads(path.read_text())
        if found.pop("identity") == _identity():
            return Point(**found)
    return None


def _path(place: Place, folder: Path) -> Path:
    return folder / f"{place.name}.json"


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
