"""Counts and draws the import graph of a checkout, or of two side by side.

python -m benchmarks.structure
python -m benchmarks.structure --before FOLDER --draw docs/plots/structure.svg

`plan.py` says what is counted. For a picture of a change, check out the commit before it
into a folder of its own: `git worktree add FOLDER COMMIT`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.pages import table
from benchmarks.structure.imports import Kind, read_imports
from benchmarks.structure.plan import Plan, plan_views

FOLDERS = ("training/", "service/", "models/")
DRAWN = (0, 2)  # of the views: the repository and service/
COLUMNS: dict[str, Callable[[Plan], int]] = {
    "rooms": lambda plan: len(plan.floors),
    "floors": lambda plan: plan.height,
    "arrows": lambda plan: len(plan.arrows),
    "in functions": lambda plan: plan.count(Kind.FUNCTION),
    "for types": lambda plan: plan.count(Kind.TYPES),
    "upwards": lambda plan: len(plan.upwards),
    "circles": lambda plan: len(plan.circles),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    root: Annotated[Path, typer.Option("--root", "--after", help="The checkout.")] = Path(),
    before: Annotated[Path | None, typer.Option(help="A checkout to compare it with.")] = None,
    draw: Annotated[Path | None, typer.Option(help="Where to write a picture (SVG).")] = None,
) -> None:
    """Print the tables in Markdown; draw the repository and the service if asked to."""
    checkouts = {"before": before, "after": root} if before else {"today": root}
    plans = {name: plan_views(read_imports(folder), FOLDERS) for name, folder in checkouts.items()}
    typer.echo(write_table(list(plans.values())))
    for name, views in plans.items():
        typer.echo("".join(f"\n{line}" for line in list_faults(views, name=name)))
    if draw:
        from benchmarks.structure.drawing import draw_plans

        draw_plans({name: [views[i] for i in DRAWN] for name, views in plans.items()}, draw)


def write_table(checkouts: list[list[Plan]]) -> str:
    """Return a row for each view; figures of several checkouts stand in one cell, in order."""
    rows = [
        [
            views[0].view,
            *(" → ".join(str(count(plan)) for plan in views) for count in COLUMNS.values()),
        ]
        for views in zip(*checkouts, strict=True)
    ]
    return table(["view", *COLUMNS], rows)


def list_faults(plans: list[Plan], *, name: str) -> list[str]:
    """Return a line for each circle of files and for each view with arrows upwards."""
    every = plans[-1]
    lines = [f"- circle, {name}: {', '.join(circle)}" for circle in every.circles]
    return lines + [
        f"- upwards, {name}, {plan.view}: "
        + ", ".join(f"{start} → {end}" for start, end in sorted(plan.upwards))
        for plan in plans[:-1]
        if plan.upwards
    ]


if __name__ == "__main__":
    app()
