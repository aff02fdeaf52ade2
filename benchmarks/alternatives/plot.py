"""Draws accuracy against processor time, a panel for each kind of text."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.alternatives.lineup import TITLES
from benchmarks.alternatives.summary import Line
from benchmarks.serving.plots import OTHERS, OURS, STYLE, save

GREY = "#5c6873"  # of words, darker than a point
LEFT, RIGHT = 3.0, 5.0  # times the smallest and the largest figure, for names beside points
TICKS = (1.0, 3.0)  # of each power of ten


def plot_alternatives(lines: Sequence[Line], path: Path) -> None:
    """Draw a point with its interval for each line."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(TITLES), figsize=(10, 4), layout="constrained")
        for axis, (texts, title) in zip(axes, TITLES.items(), strict=True):
            _draw(axis, [line for line in lines if line.entry.texts == texts])
            axis.set_title(title, loc="left")
        axes[0].set_ylabel("accuracy on test rows, %")
        save(figure, path)


def _draw(axis: Axes, lines: Sequence[Line]) -> None:
    for line in lines:
        _draw_line(axis, line, left=_is_left(line, lines))
    costs = [line.milliseconds for line in lines]
    axis.set_xscale("log")
    if costs:
        axis.set_xlim(min(costs) / LEFT, max(costs) * RIGHT)
    axis.xaxis.set_major_locator(LogLocator(subs=TICKS))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlabel("milliseconds of processor time for a text")


def _draw_line(axis: Axes, line: Line, *, left: bool) -> None:
    accuracy, low, high = (100 * value for value in (line.accuracy, *line.interval))
    color = OURS if line.is_ours else OTHERS
    bars = [[accuracy - low], [high - accuracy]]
    axis.errorbar(line.milliseconds, accuracy, bars, fmt="o", color=color, capsize=2)
    axis.annotate(
        line.entry.name,
        (line.milliseconds, accuracy),
        xytext=(-7 if left else 7, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color=OURS if line.is_ours else GREY,
    )


def _is_left(line: Line, lines: Sequence[Line]) -> bool:
    """Return whether the name is better left of the point: others are near on its right."""
    low, high = line.interval
    return any(
        other.milliseconds > line.milliseconds and low < other.accuracy < high for other in lines
    )
