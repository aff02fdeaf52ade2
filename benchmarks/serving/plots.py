"""Draws the plots of the serving benchmark."""

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.serving.results import Record

OURS, OTHERS = "#1f5fa8", "#9aa5b1"
STYLE: dict[str, Any] = {
    "svg.hashsalt": "gatewise",  # the same figures give the same file
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
}
MARKS = "osD^vX*P"
PATIENT_MS = 10_000.0  # slower ones are drawn at the edge
MOST_FAILED = 0.05  # of requests

Servers = dict[str, list[Record]]


def plot_throughput(servers: Servers, path: Path) -> None:
    """Draw texts answered per second of processor time, a bar for each server."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(9, 0.5 + 0.34 * len(servers)), sharey=True)
        for axis, traffic in zip(axes, ("reviews", "sentences"), strict=True):
            rates = {
                name: statistics.median(run[traffic]["per_cpu_second"] for run in runs)
                for name, runs in servers.items()
            }
            _draw_bars(axis, rates)
            axis.set_title(f"{traffic} per second of processor time", loc="left")
        axes[0].invert_yaxis()  # shared, so of both
        save(figure, path)


def _draw_bars(axis: Axes, rates: dict[str, float]) -> None:
    colors = [OURS if name.startswith("Gatewise") else OTHERS for name in rates]
    bars = axis.barh(list(rates), list(rates.values()), color=colors)
    axis.bar_label(bars, fmt="{:,.0f}", padding=3)
    axis.margins(x=0.12)
    axis.set_xticks([])
    axis.spines["bottom"].set_visible(False)
    axis.tick_params(left=False)


def plot_mix(servers: Servers, capacity: float, path: Path) -> None:
    """Draw the p99 of sentences by the rate of mixed traffic, a line for each server."""
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7.5, 3.6))
        for (name, runs), mark in zip(servers.items(), MARKS[: len(servers)], strict=True):
            shares = sorted(runs[0]["mix"], key=float)
            late = [_latency([run["mix"][share] for run in runs]) for share in shares]
            color = OURS if name.startswith("Gatewise") else OTHERS
            rates = [float(share) * capacity for share in shares]
            axis.plot(rates, late, marker=mark, color=color, label=name)
        axis.set_yscale("log")
        axis.set_xlabel("requests per second, one in ten of 2,000 tokens")
        axis.set_ylabel("p99 of sentences, ms (10 s: not keeping up)")
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        save(figure, path)


def _latency(runs: list[Record]) -> float:
    """Return the median p99 of sentences; the edge if too many got no answer."""
    if statistics.median(run["failed"] for run in runs) > MOST_FAILED:
        return PATIENT_MS
    return min(PATIENT_MS, statistics.median(run["p99"][0] for run in runs))


def save(figure: Any, path: Path) -> None:
    """Write a figure to a file and close it."""
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
