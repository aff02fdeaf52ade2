"""Prints the main figures of a report in the terminal."""

from rich.table import Table

from training.console import console
from training.report import words
from training.report.summary import SplitSummary, Summary, answer_times, headline


def print_summary(summary: Summary) -> None:
    """Print the headline, the main figures of each split and the time of an answer."""
    console.print(headline(summary))
    console.print(_table(summary))
    if times := answer_times(summary):
        console.print(f"time to answer: {times}")


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in ("figure", "95 %", "baseline", "difference", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for split in summary["splits"]:
        table.add_row(f"{split['name']}, {split['rows']:,} rows", style="bold")
        for name in split["figures"]:
            table.add_row(f"  {words.MEASURE[name]}", *_cells(split, name))
        error = words.decimal(split["calibration"]["expected_error"])
        table.add_row("  calibration error", error)
    return table


def _cells(split: SplitSummary, name: str) -> list[str]:
    found = split["figures"][name]
    cells = [words.figure(found["value"], name), words.interval(found, name)]
    if baseline := split["baseline"]:
        difference = baseline["differences"][name]
        cells += [
            words.figure(baseline["figures"][name]["value"], name),
            words.apart(difference["value"], name, plus=True),
            words.p_value(difference),
        ]
    return cells
