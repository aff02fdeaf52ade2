"""Draws the plots of a report, for light and for dark pages."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from training.report import words
from training.report.breakdown import ClassFigures, badness
from training.report.drawing import (
    FONT,
    HEIGHT,
    WIDTH,
    Theme,
    mark_points,
    new_figure,
    new_plot,
    or_nan,
    show_percent,
    style_of,
    to_png,
    with_legend,
)
from training.report.statistics import Floats
from training.report.summary import Calibration, SplitSummary, Summary

MOST_SHOWN = 30  # labels of the plot by label
LONGEST_NAME = 21  # characters of a label in a plot

Counts = NDArray[np.int64]

_CHARACTERS = 40  # side by side, from edge to edge


def draw(summary: Summary, *, theme: Theme) -> dict[str, bytes]:
    """Return all plots as PNG by name: the content, and the split if there is one."""
    with matplotlib.rc_context(style_of(theme)):
        return {name: to_png(plot()) for name, plot in _plots(summary, theme)}


def _plots(summary: Summary, theme: Theme) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the name of each plot and the function that draws it."""
    for split in summary["splits"]:
        name = split["name"]
        if split["confusion"] is not None:
            yield f"confusion-{name}", partial(confusion, split, theme=theme)
        yield f"reliability-{name}", partial(reliability, split, theme=theme)
        yield f"length-{name}", partial(by_length, split, theme=theme)
        yield f"classes-{name}", partial(by_class, split, theme=theme)
    if summary["epochs"]:
        yield "learning-loss", partial(learning, summary, theme=theme, loss=True)
        if _curves(summary, loss=False):
            yield "learning-score", partial(learning, summary, theme=theme, loss=False)


def confusion(split: SplitSummary, *, theme: Theme) -> Figure:
    """Draw the confusion matrix: counts, shaded by the share of the true class."""
    matrix = np.asarray(split["confusion"])
    labels = names(split["classes"])
    longest = max(map(len, labels))
    upright = len(labels) * longest > _CHARACTERS
    side = max(0.27 * len(matrix), HEIGHT - 0.8)
    height = side + (0.5 + 0.08 * longest if upright else 0.8)
    width = max(WIDTH, side + 2)
    figure, axes = new_plot(f"Confusion, {split['name']}", width=width, height=height)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shades = LinearSegmentedColormap.from_list("shades", [theme.paper, theme.network])
    axes.imshow(shares, cmap=shades, norm=PowerNorm(0.6, 0, 1), aspect="auto")
    _write_cells(axes, matrix, shares, theme)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_xticks(range(len(labels)), labels, rotation=90 if upright else 0)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _write_cells(axes: Axes, matrix: Counts, shares: Floats, theme: Theme) -> None:
    """Write the rows of each cell and, where there is room, their share of the true class."""
    size = 9 if len(matrix) <= 6 else 7 if len(matrix) <= 14 else 5.5
    for (truth, decided), rows in np.ndenumerate(matrix):
        share = shares[truth, decided]
        text = f"{rows:,}" if rows or len(matrix) <= 14 else ""
        if len(matrix) <= 6:
            text += f"\n{words.percent(share)}"
        colour = theme.paper if share > 0.4 else theme.ink
        axes.text(decided, truth, text, ha="center", va="center", color=colour, fontsize=size)


def reliability(split: SplitSummary, *, theme: Theme) -> Figure:
    """Draw the reliability diagram before and after calibration, above the rows of each bin."""
    figure = new_figure(f"Reliability, {split['name']}", width=WIDTH, height=HEIGHT * 1.15)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    axes.plot([0, 1], [0, 1], color=theme.ink, linewidth=0.8, linestyle=":")
    if split["uncalibrated"]:
        _reliability_curve(
            axes,
            split["uncalibrated"],
            "before calibration",
            color=theme.other,
            marker="D",
            markerfacecolor=theme.paper,
            linestyle="--",
        )
    _reliability_curve(
        axes, split["calibration"], "as served", color=theme.network, marker="o", linestyle="-"
    )
    bins = split["calibration"]["bins"]
    below.bar(
        [bin["low"] for bin in bins],
        [bin["rows"] for bin in bins],
        width=1 / len(bins),
        align="edge",
        color=theme.network,
        edgecolor=theme.paper,
    )
    axes.set(ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
    below.set(xlabel="probability", ylabel="count")
    show_percent(axes.xaxis, axes.yaxis)
    below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    below.yaxis.set_major_locator(MaxNLocator(2))
    return with_legend(figure)


def _reliability_curve(axes: Axes, found: Calibration, name: str, **style: Any) -> None:
    bins = [bin for bin in found["bins"] if bin["rows"]]
    places = [or_nan(bin["confidence"]) for bin in bins]
    label = f"{name}, ECE {words.decimal(found['expected_error'])}"
    shares = [bin["share_right"] for bin in bins]
    mark_points(axes, places, shares, label=label, clip_on=False, **style)


def by_length(split: SplitSummary, *, theme: Theme) -> Figure:
    """Draw accuracy by length of the text, with 95 % intervals."""
    figure, axes = new_plot(f"Accuracy by length, {split['name']}")
    bins = split["by_length"]
    places = range(len(bins))
    whole = next(found for name, found in split["figures"].items() if name.endswith("accuracy"))
    axes.axhline(whole["value"], color=theme.ink, linewidth=0.8, linestyle=":", label="all rows")
    mark_points(axes, places, [bin["accuracy"] for bin in bins], color=theme.network, marker="o")
    spans = [_span(bin["shortest"], bin["longest"]) for bin in bins]
    axes.set_xticks(places, spans, rotation=45, ha="right", rotation_mode="anchor")
    axes.set(xlabel="tokens", ylabel="share right", xlim=(-0.5, len(bins) - 0.5))
    show_percent(axes.yaxis)
    return with_legend(figure)


def by_class(split: SplitSummary, *, theme: Theme) -> Figure:
    """Draw recall and precision of each label with 95 % intervals; of many labels the worst."""
    classes, title = split["classes"], f"By label, {split['name']}"
    if len(classes) > MOST_SHOWN:
        classes = sorted(classes, key=badness)[:MOST_SHOWN]
        title += f": the {MOST_SHOWN} of least F1"
    figure, axes = new_plot(title, height=max(HEIGHT * 0.75, 0.22 * len(classes) + 1.2))
    places = np.arange(len(classes))
    for name, shift, style in (
        ("recall", -0.12, {"color": theme.network, "marker": "o"}),
        ("precision", 0.12, {"color": theme.other, "marker": "D", "markerfacecolor": theme.paper}),
    ):
        found = [each[name] for each in classes]
        mark_points(axes, places + shift, found, upright=False, label=name, **style)
    axes.set_yticks(places, names(classes))
    axes.set(ylim=(len(classes) - 0.4, -0.6))
    show_percent(axes.xaxis)
    return with_legend(figure)


def learning(summary: Summary, *, theme: Theme, loss: bool) -> Figure:
    """Draw the loss or the scores by epoch."""
    figure, axes = new_plot("Loss by epoch" if loss else "Score by epoch")
    epochs = np.arange(1, len(summary["epochs"]) + 1)
    for name in _curves(summary, loss=loss):
        values = [or_nan(epoch.get(name)) for epoch in summary["epochs"]]
        axes.plot(epochs, values, label=_curve_name(name), **_curve_style(name, theme))
    if best := summary["best_epoch"]:
        axes.axvline(best, color=theme.ink, linewidth=0.8, linestyle=":", label="kept")
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.08)
    return with_legend(figure)


def _curves(summary: Summary, *, loss: bool) -> list[str]:
    """Return the names of the losses or of the other curves; training comes first."""
    names = {name: None for epoch in summary["epochs"] for name in epoch}
    return sorted((name for name in names if name.endswith("loss") == loss), key=_is_validation)


def _is_validation(name: str) -> bool:
    return name.startswith("val_")


def _curve_name(name: str) -> str:
    place = "validation" if _is_validation(name) else "training"
    what = name.removeprefix("val_")
    return place if what == "loss" else f"{place} {words.MEASURE.get(what, what.replace('_', ' '))}"


def _curve_style(name: str, theme: Theme) -> dict[str, Any]:
    if _is_validation(name):
        return {"color": theme.network, "marker": "o", "markersize": 4}
    other = {"color": theme.other, "linestyle": "--", "marker": "D", "markersize": 4}
    return other | {"markerfacecolor": theme.paper}


def names(classes: Sequence[ClassFigures]) -> list[str]:
    """Return the labels for a plot: shortened, or a number if the font lacks a character."""
    known = get_font(findfont(FontProperties(family=FONT))).get_charmap()
    return [
        _shorten(each["label"])
        if all(ord(character) in known for character in each["label"])
        else f"label no. {each['number']}"
        for each in classes
    ]


def _shorten(label: str) -> str:
    """Cut the middle out of a long label, because names often differ at their ends."""
    half = LONGEST_NAME // 2
    return label if len(label) <= LONGEST_NAME else f"{label[:half]}…{label[-half:]}"


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
