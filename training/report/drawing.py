"""Tools of all plots: themes, papers, points with intervals, PNG.

Colours are blue and orange, which any colour vision distinguishes. Shapes and line styles differ
too, and remain legible in greyscale. Nothing here uses pyplot or a display.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from PIL import Image

from training.report import words
from training.report.measures import Estimate

DOTS_PER_INCH = 190
COLOURS = 64  # of a PNG's palette: plots have few, and this halves their size
FONT = "DejaVu Sans"  # comes with matplotlib, so plots look the same everywhere
DECADES = 1_000  # times the least value; a wider logarithmic axis has enough ticks
WIDTH, HEIGHT = 4.8, 3.4  # inches; half a page, or the whole of a phone


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours of a plot: paper, ink, the network, and others that it is compared with."""

    paper: str
    ink: str
    faint: str
    network: str
    other: str


LIGHT = Theme(paper="#ffffff", ink="#24292f", faint="#d5dae0", network="#0b5cad", other="#c9600c")
DARK = Theme(paper="#15191e", ink="#d7dde4", faint="#39424c", network="#6cb2f7", other="#f2a65a")


def mark_points(
    axes: Axes,
    places: Sequence[float],
    found: list[Estimate],
    *,
    upright: bool = True,
    **style: Any,
) -> None:
    """Mark existing figures at places along an axis, with their intervals."""
    values, low, high = (
        np.array([or_nan(each[name]) for each in found]) for name in ("value", "low", "high")
    )
    # Rounding can put an end of an interval slightly beyond its figure.
    reach = np.maximum([values - low, high - values], 0)
    where = (places, values, reach, None) if upright else (values, places, None, reach)
    shape = {"linestyle": "none", "markersize": 4, "linewidth": 1.2, "elinewidth": 1.0}
    axes.errorbar(*where, **(shape | style))


def or_nan(value: float | None) -> float:
    """Return a figure, NaN where it is None."""
    return float("nan") if value is None else value


def show_percent(*axes: Axis) -> None:
    """Write the ticks of an axis in percent."""
    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}{words.SPACE}%"))


def show_plain(*axes: Axis) -> None:
    """Write the ticks of a logarithmic axis as plain numbers, not as powers."""
    for axis in axes:
        low, high = axis.get_view_interval()
        if high < DECADES * low:  # powers of ten alone would be too few ticks
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def new_plot(title: str, *, width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return a figure with one plot; sizes are in inches."""
    figure = new_figure(title, width=width, height=height)
    return figure, figure.subplots()


def new_figure(title: str, *, width: float, height: float) -> Figure:
    """Return an empty figure; sizes are in inches."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
    figure.suptitle(title, x=0.005, ha="left")
    return figure


def with_legend(figure: Figure) -> Figure:
    """Add a legend below the plot, where it covers nothing."""
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def style_of(theme: Theme) -> dict[str, Any]:
    """Return the settings of matplotlib that match the page."""
    return {
        "font.family": FONT,
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


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG, with few colours."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    image.quantize(COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()
