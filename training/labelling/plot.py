"""Draws a learning curve: points with intervals, the linear baseline, and the extrapolation."""

import matplotlib as mpl
from matplotlib.axes import Axes

from training.labelling.curve import Curve
from training.report import words
from training.report.drawing import (
    LIGHT,
    mark_points,
    new_plot,
    show_percent,
    show_plain,
    style_of,
    to_png,
    with_legend,
)

LOOKS = {
    "network": {"label": "network", "color": LIGHT.network, "marker": "o"},
    "baseline": {"label": "linear baseline", "color": LIGHT.other, "marker": "s"},
}


def draw_curve(curve: Curve) -> bytes:
    """Return the plot as PNG."""
    name = words.MEASURE[curve.measure]
    with mpl.rc_context(style_of(LIGHT)):
        figure, axes = new_plot(f"{name} by labelled rows", width=6.2, height=3.8)
        rows = [point.rows for point in curve.points]
        for side, look in LOOKS.items():
            scores = [getattr(point, side) for point in curve.points]
            mark_points(axes, rows, scores, **({"linestyle": "-"} | look))
        if curve.ahead:
            _draw_ahead(axes, curve)
        axes.set_xscale("log")
        axes.set_xlabel("labelled rows")
        axes.set_ylabel(f"{name} on {curve.judged:,} validation rows")
        show_plain(axes.xaxis)
        show_percent(axes.yaxis)
        return to_png(with_legend(figure))


def _draw_ahead(axes: Axes, curve: Curve) -> None:
    """Draw what is expected of more rows, from the last point on."""
    last = curve.points[-1]
    now = last.network["value"]
    places = [last.rows, *(each.rows for each in curve.ahead)]
    low = [now, *(each.low for each in curve.ahead)]
    high = [now, *(each.high for each in curve.ahead)]
    axes.fill_between(places, low, high, color=LIGHT.network, alpha=0.15, linewidth=0)
    values = [now, *(each.value for each in curve.ahead)]
    axes.plot(places, values, color=LIGHT.network, linestyle="--", label="expected, with 95 %")
