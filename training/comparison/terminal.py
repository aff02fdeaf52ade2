"""Prints the result of a comparison in the terminal."""

from pathlib import Path

from rich.table import Table

from training.comparison.summary import Summary
from training.comparison.write import PAGE
from training.console import console
from training.report import words


def print_summary(summary: Summary, *, folder: Path) -> None:
    """Print the verdict, a table, and the place of the report."""
    console.print(summary["verdict"]["headline"])
    for reason in summary["verdict"]["reasons"]:
        console.print(f"- {reason}")
    console.print(_table(summary))
    console.print(f"the report: {folder / PAGE}")


def _table(summary: Summary) -> Table:
    measure = summary["measure"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    purposes = list(summary["data"]["judged"])
    for heading in (*(f"{purpose} {words.MEASURE[measure]}" for purpose in purposes), "weights"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in summary["contestants"]:
        table.add_row(each["name"], *_cells(each, purposes, measure), words.number(each["weights"]))
    baseline = summary["baseline"]["scores"]
    cells = [_cell(baseline[purpose][measure], measure) for purpose in purposes]
    table.add_row("linear baseline", *cells, "")
    return table


def _cells(contestant: Summary, purposes: list[str], measure: str) -> list[str]:
    if not contestant["scores"]:
        return ["failed"] * len(purposes)
    scores = contestant["scores"]
    return [_cell(scores[purpose]["alone"][measure], measure) for purpose in purposes]


def _cell(score: Summary, measure: str) -> str:
    return f"{words.figure(score['value'], measure)} ({words.interval(score, measure)})"
