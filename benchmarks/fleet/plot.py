"""Draws predicted and real p99 by load."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from benchmarks.fleet.check import Compared
from benchmarks.serving.plots import OTHERS, OURS, STYLE, save


def plot_check(compared: Sequence[Compared], path: Path) -> None:
    """Draw a panel for each kind of texts."""
    kinds = list(dict.fromkeys(each.kind for each in compared))
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(kinds), figsize=(3.1 * len(kinds), 3), squeeze=False, sharey=True
        )
        for axis, kind in zip(axes[0], kinds, strict=True):
            _draw_kind(axis, [each for each in compared if each.kind == kind])
            axis.set_title(kind, loc="left")
        axes[0][0].set_ylabel("p99, ms")
        axes[0][0].legend(frameon=False, loc="upper left")
        save(figure, path)


def _draw_kind(axis: Axes, loads: Sequence[Compared]) -> None:
    rates = [each.rate for each in loads]
    real = [each.real["p99"] for each in loads]
    reach = [
        [p99 - each.spread[0] for p99, each in zip(real, loads, strict=True)],
        [each.spread[1] - p99 for p99, each in zip(real, loads, strict=True)],
    ]
    axis.errorbar(rates, real, yerr=reach, fmt="o", color=OTHERS, capsize=3, label="real")
    predicted = [each.predicted["p99"] for each in loads]
    axis.plot(rates, predicted, marker="_", markersize=14, color=OURS, label="predicted")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(LogFormatter())  # plain numbers
    axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.4)))
    axis.set_xlim(left=0)
    axis.set_xlabel("requests per second of one core")
