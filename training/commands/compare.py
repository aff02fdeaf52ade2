"""The command `compare`: trains each cell on the same data and says which is better."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import typer

from models.cells import CELLS
from training.commands.options import (
    DATA,
    WORK,
    Asked,
    WorkOption,
    name_of,
    setting,
    start_tensorflow,
    takes,
)
from training.settings import Budget, Cell, NetworkSettings, TrainSettings

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
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; if absent runs/compare/DATASET.")
    ] = None,
    work: WorkOption = WORK,
) -> None:
    """Compare the simple cell, GRU and LSTM on your data, under equal conditions."""
    budget = Budget(minutes=time_budget) if time_budget else None
    chosen = _read_cells(cells)
    named = {"name": name_of(asked["dataset"]), "cell": chosen[0], "pretrained": False}
    settings = TrainSettings.of(asked | named)
    from training.prepare import prepare

    prepared = prepare(settings, rows=rows)
    start_tensorflow()

    from training.comparison.compare import Plan, who_takes_part
    from training.comparison.compare import compare as run_comparison
    from training.comparison.row_budget import choose_rows
    from training.run import Run

    folder = out or work / "compare" / settings.name
    run = Run(prepared=prepared, settings=settings, work=folder / "work", resume=resume)
    plan = Plan(cells=chosen, seeds=seeds, tasks=work / "compare" / "tasks" if tasks else None)
    if budget is not None:
        contestants = who_takes_part(run, plan)
        note = folder / "rows.json"
        rows = choose_rows(run, contestants, seeds=seeds, budget=budget, note=note)
        run = replace(run, prepared=prepare(settings, rows=rows) if rows else prepared)
    run_comparison(run, plan, folder=folder)


def _read_cells(cells: str) -> tuple[Cell, ...]:
    """Return the cells named in a list with commas, each once."""
    named = list(dict.fromkeys(part.strip() for part in cells.split(",")))
    known = get_args(Cell)
    if strange := [name for name in named if name not in known]:
        raise typer.BadParameter(f"unknown cell {strange[0]!r}; known are {', '.join(known)}")
    return tuple(named)
