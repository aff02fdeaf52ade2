"""Writes the results into docs/benchmarks.md, between its markers, and draws the plot."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.alternatives.lineup import TITLES
from benchmarks.alternatives.plot import plot_alternatives
from benchmarks.alternatives.summary import Line, summarize
from benchmarks.pages import Row, replace_block, table
from benchmarks.serving.report import PLOTS
from benchmarks.serving.results import Record

NAME, COMMAND = "alternatives", "python -m benchmarks.alternatives"
PLOT = f"{NAME}.svg"
COLUMNS = (
    "texts",
    "model",
    "accuracy (95 %)",
    "CPU ms a text",
    "texts/s",
    "alone: p50, p99, ms",
    "memory, MB",
    "ready after, s",
)


def write_report(found: Record, docs: Path) -> None:
    """Replace the block of benchmarks.md.

    Args:
        found: The results, as the benchmark keeps them.
        docs: Folder of benchmarks.md; the plot goes into a folder in it.
    """
    lines = summarize(found)
    plot_alternatives(lines, docs / PLOTS / PLOT)
    page = docs / "benchmarks.md"
    block = describe(lines)
    page.write_text(replace_block(page.read_text(), NAME, block, command=COMMAND))


def describe(lines: Sequence[Line]) -> str:
    """Return the plot, the table and the settings in Markdown."""
    fewest = min(line.runs for line in lines)
    parts = [
        f"![Accuracy by processor time of a text](plots/{PLOT})",
        f"Figures of servers are medians of {fewest} runs in turn.",
        table(COLUMNS, [_to_row(line) for line in lines]),
        "These settings were chosen on validation rows, where there was a choice:",
        "\n".join(dict.fromkeys(_describe_settings(line) for line in lines)),
    ]
    return "\n\n".join(parts)


def _to_row(line: Line) -> Row:
    low, high = (f"{100 * value:.1f}" for value in line.interval)
    return (
        TITLES[line.entry.texts],
        line.entry.name,
        f"{100 * line.accuracy:.1f} ({low} to {high})",
        f"{line.milliseconds:.2f}",
        f"{line.rate:,.0f}",
        f"{line.p50:.1f}, {line.p99:.1f}",
        f"{line.megabytes:,.0f}",
        f"{line.ready:.1f}",
    )


def _describe_settings(line: Line) -> str:
    return f"- {line.entry.name} ({line.entry.texts}): {line.settings}"
