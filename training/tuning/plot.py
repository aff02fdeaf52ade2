"""Draws the score by trial, and against every setting of the search.

The kinds of trials differ in the shape of their marks, and remain legible in greyscale.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from training.report.drawing import DOTS_PER_INCH, LIGHT
from training.tuning.outcome import Outcome, rank
from training.tuning.space import SPACE

COLUMNS = 2
WIDTH, HEIGHT = 9.0, 2.6  # inches of the plot, and of each row of panels
LOGARITHMIC = ("learning_rate", "batch")
TICKS = {
    "layers": (1, 2),
    "learning_rate": (0.0005, 0.001, 0.002, 0.004, 0.008),
    "batch": (8, 16, 32, 64, 128),
}
STYLES: dict[str, dict[str, Any]] = {
    "tried": {"marker": "o", "color": LIGHT.network},
    "the defaults": {"marker": "D", "c": LIGHT.paper, "edgecolors": LIGHT.ink},
    "ended early": {"marker": "x", "color": LIGHT.other},
    "best": {"marker": "o", "s": 160, "c": "none", "edgecolors": LIGHT.ink},
}


def draw(outcomes: Sequence[Outcome], *, score: str) -> bytes:
    """Return the plot as PNG; `score` is the name of the score."""
    rows = -(-(1 + len(SPACE)) // COLUMNS)
    figure = Figure(figsize=(WIDTH, HEIGHT * rows), layout="constrained", facecolor=LIGHT.paper)
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, COLUMNS, sharey=True).flatten()
    _by_trial(panels[0], outcomes)
    for axes, name in zip(panels[1:], SPACE, strict=True):
        _by_value(axes, outcomes, name)
    for axes in panels[::COLUMNS]:
        axes.set_ylabel(score.replace("_", " "))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH)
    return file.getvalue()


def _by_trial(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    """Draw the score of every trial and the best so far."""
    _scatter(axes, [(outcome.number, outcome) for outcome in outcomes])
    complete = [outcome for outcome in outcomes if outcome.ending == "complete"]
    best = np.maximum.accumulate([outcome.score or 0.0 for outcome in complete])
    numbers = [outcome.number for outcome in complete]
    axes.step(numbers, best, where="post", color=LIGHT.ink, linewidth=1, label="best so far")
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _by_value(axes: Axes, outcomes: Sequence[Outcome], name: str) -> None:
    """Draw the score against the values of a setting."""
    if name in LOGARITHMIC:
        axes.set_xscale("log")
    _scatter(axes, [(outcome.values[name], outcome) for outcome in outcomes])
    if name in TICKS:
        axes.set_xticks(TICKS[name], list(map(str, TICKS[name])))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(name.replace("_", " "))


def _scatter(axes: Axes, points: Sequence[tuple[float, Outcome]]) -> None:
    """Mark outcomes at their places."""
    best = next(iter(rank([outcome for _, outcome in points])), None)
    for kind, style in STYLES.items():
        chosen = [(x, o) for x, o in points if o.score is not None and kind in _kinds(o, best)]
        if chosen:
            scores = [outcome.score or 0.0 for _, outcome in chosen]
            axes.scatter([x for x, _ in chosen], scores, label=kind, **style)
    axes.grid(color=LIGHT.faint, linewidth=0.5)
    axes.set_axisbelow(True)


def _kinds(outcome: Outcome, best: Outcome | None) -> set[str]:
    """Return the names of the marks that a trial gets."""
    if outcome.ending != "complete":
        return {"ended early"}
    own = "the defaults" if outcome.is_default else "tried"
    return {own, "best"} if outcome is best else {own}
