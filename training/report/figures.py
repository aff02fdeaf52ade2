"""Draws the plots of a report, for light and for dark pages.

Colours are blue and orange, told apart with any colour vision; shape and line style say the same
again, so that nothing is lost in greyscale. Nothing here touches pyplot or a display.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from training.report import words
from training.report.breakdown import ClassFigures, badness
from training.report.measures import Estimate
from training.report.statistics import Floats
from training.report.summary import Calibration, SplitSummary, Summary

DOTS_PER_INCH = 190
COLOURS = 64  # of a PNG's palette: plots have few, and this halves their size
MOST_SHOWN = 30  # labels of the plot by label
LONGEST_NAME = 21  # characters of a label in a plot

Counts = NDArray[np.int64]

_WIDTH, _HEIGHT = 4.8, 3.4  # inches; half a page, or the whole of a phone
_CHARACTERS = 40  # beside each other, from edge to edge
_FONT = "DejaVu Sans"  # comes with matplotlib, so plots look the same everywhere


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours of a plot: paper and ink, the network's and those of what it is compared with."""

    paper: str
    ink: str
    faint: str
    network: str
    other: str


LIGHT = Theme(paper="#ffffff", ink="#24292f", faint="#d5dae0", network="#0b5cad", other="#c9600c")
DARK = Theme(paper="#15191e", ink="#d7dde4", faint="#39424c", network="#6cb2f7", other="#f2a65a")


def draw(summary: Summary, *, theme: Theme) -> dict[str, bytes]:
    """Return all plots as PNG, by name: what they show, and the split where there is one."""
    with matplotlib.rc_context(_style(theme)):
        return {name: _png(plot()) for name, plot in _plots(summary, theme)}


def _plots(summary: Summary, theme: Theme) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the name of each plot and what draws it."""
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
    side = max(0.27 * len(matrix), _HEIGHT - 0.8)
    height = side + (0.5 + 0.08 * longest if upright else 0.8)
    width = max(_WIDTH, side + 2)
    figure, axes = _start(f"Confusion, {split['name']}", width=width, height=height)
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
    """Draw the reliability diagram, before and after calibration, over how many rows it counts."""
    figure = _figure(f"Reliability, {split['name']}", width=_WIDTH, height=_HEIGHT * 1.15)
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
    _show_percent(axes.xaxis, axes.yaxis)
    below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    below.yaxis.set_major_locator(MaxNLocator(2))
    return _with_legend(figure)


def _reliability_curve(axes: Axes, found: Calibration, name: str, **style: Any) -> None:
    bins = [bin for bin in found["bins"] if bin["rows"]]
    places = [_number(bin["confidence"]) for bin in bins]
    label = f"{name}, ECE {words.decimal(found['expected_error'])}"
    shares = [bin["share_right"] for bin in bins]
    _points(axes, places, shares, label=label, clip_on=False, **style)


def by_length(split: SplitSummary, *, theme: Theme) -> Figure:
    """Draw accuracy by length of the text, with 95 % intervals."""
    figure, axes = _start(f"Accuracy by length, {split['name']}")
    bins = split["by_length"]
    places = range(len(bins))
    whole = next(found for name, found in split["figures"].items() if name.endswith("accuracy"))
    axes.axhline(whole["value"], color=theme.ink, linewidth=0.8, linestyle=":", label="all rows")
    _points(axes, places, [bin["accuracy"] for bin in bins], color=theme.network, marker="o")
    spans = [_span(bin["shortest"], bin["longest"]) for bin in bins]
    axes.set_xticks(places, spans, rotation=45, ha="right", rotation_mode="anchor")
    axes.set(xlabel="tokens", ylabel="share right", xlim=(-0.5, len(bins) - 0.5))
    _show_percent(axes.yaxis)
    return _with_legend(figure)


def by_class(split: SplitSummary, *, theme: Theme) -> Figure:
    """Draw recall and precision of each label, with 95 % intervals; of many the worst."""
    classes, title = split["classes"], f"By label, {split['name']}"
    if len(classes) > MOST_SHOWN:
        classes = sorted(classes, key=badness)[:MOST_SHOWN]
        title += f": the {MOST_SHOWN} of least F1"
    figure, axes = _start(title, height=max(_HEIGHT * 0.75, 0.22 * len(classes) + 1.2))
    places = np.arange(len(classes))
    for name, shift, style in (
        ("recall", -0.12, {"color": theme.network, "marker": "o"}),
        ("precision", 0.12, {"color": theme.other, "marker": "D", "markerfacecolor": theme.paper}),
    ):
        found = [each[name] for each in classes]
        _points(axes, places + shift, found, upright=False, label=name, **style)
    axes.set_yticks(places, names(classes))
    axes.set(ylim=(len(classes) - 0.4, -0.6))
    _show_percent(axes.xaxis)
    return _with_legend(figure)


def learning(summary: Summary, *, theme: Theme, loss: bool) -> Figure:
    """Draw the loss, or else the scores, by epoch."""
    figure, axes = _start("Loss by epoch" if loss else "Score by epoch")
    epochs = np.arange(1, len(summary["epochs"]) + 1)
    for name in _curves(summary, loss=loss):
        values = [_number(epoch.get(name)) for epoch in summary["epochs"]]
        axes.plot(epochs, values, label=_curve_name(name), **_curve_style(name, theme))
    if best := summary["best_epoch"]:
        axes.axvline(best, color=theme.ink, linewidth=0.8, linestyle=":", label="kept")
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.08)
    return _with_legend(figure)


def _curves(summary: Summary, *, loss: bool) -> list[str]:
    """Return the names of the losses, or of the other curves, those of training first."""
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


def _points(
    axes: Axes,
    places: Sequence[float],
    found: list[Estimate],
    *,
    upright: bool = True,
    **style: Any,
) -> None:
    """Mark figures at places along an axis, with their intervals; those that exist."""
    values, low, high = (
        np.array([_number(each[name]) for each in found]) for name in ("value", "low", "high")
    )
    # Rounding can put an end of an interval a hair beyond its figure.
    reach = np.maximum([values - low, high - values], 0)
    where = (places, values, reach, None) if upright else (values, places, None, reach)
    shape = {"linestyle": "none", "markersize": 4, "linewidth": 1.2, "elinewidth": 1.0}
    axes.errorbar(*where, **(shape | style))


def names(classes: Sequence[ClassFigures]) -> list[str]:
    """Return the labels as plots can write them: short, and by number if the font lacks them."""
    known = get_font(findfont(FontProperties(family=_FONT))).get_charmap()
    return [
        _shorten(each["label"])
        if all(ord(character) in known for character in each["label"])
        else f"label no. {each['number']}"
        for each in classes
    ]


def _shorten(label: str) -> str:
    """Leave out the middle, for names often differ at their ends."""
    half = LONGEST_NAME // 2
    return label if len(label) <= LONGEST_NAME else f"{label[:half]}…{label[-half:]}"


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _show_percent(*axes: Axis) -> None:
    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}{words.SPACE}%"))


def _start(title: str, *, width: float = _WIDTH, height: float = _HEIGHT) -> tuple[Figure, Axes]:
    figure = _figure(title, width=width, height=height)
    return figure, figure.subplots()


def _figure(title: str, *, width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    figure.suptitle(title, x=0.005, ha="left")
    return figure


def _with_legend(figure: Figure) -> Figure:
    """Say below the plot what is what, where it covers nothing."""
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _style(theme: Theme) -> dict[str, Any]:
    return {
        "font.family": _FONT,
        "font.size": 9,
        "text.color": theme.ink,
        "text.parse_math": False,  # a label may hold dollar signs
        "figure.facecolor": theme.paper,
        "figure.titlesize": 10,
        "figure.titleweight": "bold",
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 8,
    }


def _png(figure: Figure) -> bytes:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    image.quantize(COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()
