"""The command `compare`: trains each cell on the same data and says which is better."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from models.cells import CELLS
from training.commands.options import (
    DATA,
    WORK,
    Asked,
    RayOption,
    WorkOption,
    name_of,
    setting,
    start_tensorflow,
    takes,
)
from training.errors import TrainingError
from training.settings import SHAPE, Budget, Cell, NetworkSettings, TrainSettings

if TYPE_CHECKING:
    from training.pretrained.network import Pretrained

CELL_LIST = ",".join(reversed(CELLS))


@takes(
    *map(setting, DATA),
    setting(
        "units",
        help="Width at which all cells are compared (numbers)",
        default=NetworkSettings.units,
        most=1_024,
    ),
    *map(setting, ("epochs", "patience", "adversarial", "subwords")),
    setting(
        "pretrained",
        help="Whether to start from the English networks that are shipped; cells without one "
        "are left out",
        default=False,
    ),
    setting("seed", help="The first seed (a whole number)"),
)
def compare(
    asked: Asked,
    *,
    cells: Annotated[str, typer.Option(help=f"Which cells: {CELL_LIST}.")] = CELL_LIST,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Trainings of each cell.")] = 3,
    rows: Annotated[
        int | None, typer.Option(min=20, help="Rows of train to draw; all if absent.")
    ] = None,
    time_budget: Annotated[
        float | None,
        typer.Option(
            min=1, help="Time for all but the tasks (minutes); it decides the number of rows."
        ),
    ] = None,
    tasks: Annotated[
        bool, typer.Option(help="Whether to run the synthetic tasks, which need no data.")
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the comparison in that folder.")
    ] = False,
    ray: RayOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; if absent runs/compare/DATASET.")
    ] = None,
    work: WorkOption = WORK,
) -> None:
    """Compare the simple cell, GRU and LSTM on your data, under equal conditions."""
    budget = Budget(minutes=time_budget) if time_budget else None
    chosen = _read_cells(cells)
    named = {"name": name_of(asked["dataset"]), "cell": chosen[0]}
    settings = TrainSettings.of(asked | named)
    from training.prepare import prepare
    from training.pretrained.shipped import read_tokenizer

    starts = _find_starts(settings, chosen) if settings.pretrained else {}
    offered = read_tokenizer() if starts else None
    prepared = prepare(settings, offered=offered, rows=rows)
    start_tensorflow()

    from training.comparison.compare import Plan, who_takes_part
    from training.comparison.compare import compare as run_comparison
    from training.comparison.row_budget import choose_rows
    from training.run import Run
    from training.workers import open_workers

    folder = out or work / "compare" / settings.name
    run = Run(prepared=prepared, settings=settings, work=folder / "work", resume=resume)
    kept = work / "compare" / "tasks" if tasks else None
    plan = Plan(cells=tuple(starts) or chosen, seeds=seeds, tasks=kept, starts=starts)
    if budget is not None:
        contestants = who_takes_part(run, plan)
        note = folder / "rows.json"
        rows = choose_rows(run, contestants, seeds=seeds, budget=budget, note=note)
        if rows:
            run = replace(run, prepared=prepare(settings, offered=offered, rows=rows))
    with open_workers(ray, seed=settings.seed) as workers:
        run_comparison(run, plan, folder=folder, workers=workers)


def _find_starts(settings: TrainSettings, cells: Sequence[Cell]) -> "dict[Cell, Pretrained]":
    """Return the shipped network of each cell that has one of these settings."""
    from training.pretrained.shipped import find_shipped

    if settings.subwords:
        raise TrainingError("--pretrained and --subwords both say where to start; give one of them")
    shape = {name: getattr(settings.network, name) for name in SHAPE}
    found = {cell: known for cell in cells if (known := find_shipped(shape | {"cell": cell}))}
    if not found:
        raise TrainingError(
            f"--pretrained: no network of {settings.network.units} units is shipped for "
            f"{', '.join(CELLS[cell].title for cell in cells)}"
        )
    for cell in cells:
        if cell not in found:
            typer.echo(f"note: the {CELLS[cell].title} is left out; no network of it is shipped")
    return found


def _read_cells(cells: str) -> tuple[Cell, ...]:
    """Return the cells named in a list with commas, each once."""
    named = list(dict.fromkeys(part.strip() for part in cells.split(",")))
    known = get_args(Cell)
    if strange := [name for name in named if name not in known]:
        raise typer.BadParameter(f"unknown cell {strange[0]!r}; known are {', '.join(known)}")
    return tuple(named)
