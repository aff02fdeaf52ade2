"""Compares cells on a dataset: all steps in order."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from models.metadata import FORMAT_VERSION
from training.comparison.candidates import Contestant, keep_started, list_contestants
from training.comparison.curves import measure_curves
from training.comparison.entries import examine_all
from training.comparison.material import Material
from training.comparison.summary import Summary, summarize
from training.comparison.terminal import print_summary
from training.comparison.write import write_comparison
from training.errors import TrainingError
from training.pretrained.network import Pretrained
from training.run import Run, start_repeatably
from training.settings import Cell
from training.workers import ALONE, Workers
from training.workspace.atomic import save_json
from training.workspace.checkpoint import list_changes
from training.workspace.space import writing

IDENTITY, FITS, REPORT = "identity.json", "fits", "report"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a comparison.

    Args:
        cells: The cells to compare.
        seeds: Number of seeds for each cell, counted up from that of the settings.
        tasks: Folder of the results of the synthetic tasks; None to leave them out.
        starts: The network that each cell starts from; empty if all start from nothing.
    """

    cells: tuple[Cell, ...]
    seeds: int
    tasks: Path | None = None
    starts: Mapping[Cell, Pretrained] = field(default_factory=dict)


def compare(run: Run, plan: Plan, *, folder: Path, workers: Workers = ALONE) -> Summary:
    """Fit and examine all contestants, and write the report to `folder`.

    Results are kept there; a run with `resume` examines only the contestants without one.

    Args:
        run: The data and the common settings.
        plan: The plan.
        folder: Folder of the results.
        workers: Where the fits run.

    Raises:
        TrainingError: The folder holds a comparison of something else, or no fit succeeded.
        Interrupted: A signal asked for the end. A run with `resume` continues from there.
    """
    contestants = who_takes_part(run, plan)
    with run.lock():
        _open(folder, run, plan)
        start_repeatably(run.settings.seed)
        material = Material.of(replace(run, work=run.work.absolute()))  # for workers elsewhere
        examined = examine_all(
            material,
            contestants,
            plan.seeds,
            starts=plan.starts,
            folder=folder / FITS,
            workers=workers,
        )
        run.clean_up()
        if all(each.failed for each in examined):
            raise TrainingError("no fit succeeded, so there is nothing to compare")
        tasks = None
        if plan.tasks:
            tasks = measure_curves(plan.cells, folder=plan.tasks, workers=workers)
        summary = summarize(material, contestants, examined, tasks=tasks)
        shutil.rmtree(folder / REPORT, ignore_errors=True)  # of the last comparison
        with writing(folder):
            write_comparison(summary, folder=folder / REPORT)
    print_summary(summary, folder=folder / REPORT)
    return summary


def who_takes_part(run: Run, plan: Plan) -> list[Contestant]:
    """Return the contestants of a comparison."""
    shape = run.settings.network
    contestants = list_contestants(
        plan.cells,
        units=shape.units,
        embedding=shape.embedding,
        labels=len(run.prepared.data.labels),
    )
    return keep_started(contestants, plan.starts, units=shape.units) if plan.starts else contestants


def _open(folder: Path, run: Run, plan: Plan) -> None:
    """Prepare the folder: for a new comparison, or to resume the one in it."""
    identity = _identify(run, plan)
    path = folder / IDENTITY
    if run.resume and path.is_file():
        if changed := list_changes(json.loads(path.read_text()), identity):
            raise TrainingError(
                f"{folder} holds a comparison of something else: {changed}; "
                "give the same options, or compare without --resume"
            )
        return
    run.start_anew()
    shutil.rmtree(folder / FITS, ignore_errors=True)
    save_json(identity, path=path)


def _identify(run: Run, plan: Plan) -> dict[str, Any]:
    """Return all that decides the results."""
    splits = run.prepared.data.splits
    own = {"cells": list(plan.cells), "seeds": plan.seeds, "format": FORMAT_VERSION}
    hashes = {name: split.sha256 for name, split in splits.items()}
    starts = {f"start of {cell}": start.record.sha256 for cell, start in plan.starts.items()}
    return json.loads(json.dumps(run.settings.record() | own | hashes | starts))
