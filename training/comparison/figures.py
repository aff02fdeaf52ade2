"""Draws the plots of a comparison, for light and for dark pages.

A cell has one colour, one mark and one kind of line in all plots, which remain legible in
greyscale. Where a cell takes part twice, open marks and thin lines are those of equal weights.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from models.cells import CELLS, CellName
from training.comparison.summary import Summary
from training.report import words
from training.report.drawing import (
    HEIGHT,
    Theme,
    mark_points,
    new_plot,
    show_percent,
    show_plain,
    style_of,
    to_png,
    with_legend,
)

# Colour in a theme, mark and line of each cell, in the order of CELLS.
STYLES = [("other", "s", "--"), ("network", "o", "-"), ("ink", "^", ":"), ("ink", "D", "-.")]


def draw(summary: Summary, *, theme: Theme) -> dict[str, bytes]:
    """Return all plots as PNG, by name."""
    with matplotlib.rc_context(style_of(theme)):
        return {name: to_png(plot()) for name, plot in plots(summary, theme=theme)}


def plots(summary: Summary, *, theme: Theme) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield the name of each plot and the function that draws it."""
    for purpose in summary["data"]["judged"]:
        yield f"scores-{purpose}", partial(scores, summary, theme=theme, purpose=purpose)
    yield "by-length", partial(by_length, summary, theme=theme)
    yield "learning-steps", partial(learning, summary, theme=theme, over="steps")
    yield "learning-seconds", partial(learning, summary, theme=theme, over="seconds")
    yield "norms", partial(norms, summary, theme=theme)
    yield "fading-state", partial(fading, summary, theme=theme, of="state")
    yield "fading-verdict", partial(fading, summary, theme=theme, of="verdict")
    if any(each["memory"]["half_lives"] for each in sound(summary)):
        yield "half-lives", partial(half_lives, summary, theme=theme)
    yield "flips", partial(flips, summary, theme=theme)
    if summary["cuts"]:
        yield "cuts", partial(cuts, summary, theme=theme)
    for task in summary["tasks"] or ():
        yield f"task-{task['name']}", partial(draw_task, task, theme=theme)


def sound(summary: Summary) -> list[Summary]:
    """Return the contestants with at least one successful seed."""
    return [each for each in summary["contestants"] if each["scores"]]


def scores(summary: Summary, *, theme: Theme, purpose: str) -> Figure:
    """Draw each contestant's score with its interval and its seeds, and the baseline's."""
    shown, measure = sound(summary), summary["measure"]
    title = f"{_heading(measure)}, {purpose}"
    figure, axes = new_plot(title, height=0.34 * len(shown) + 1.6)
    places = np.arange(len(shown))
    for kind, shift, style in (
        ("alone", -0.14, {"color": theme.network, "marker": "o"}),
        ("joined", 0.14, {"color": theme.other, "marker": "D", "markerfacecolor": theme.paper}),
    ):
        found = [each["scores"][purpose][kind][measure] for each in shown]
        label = "network alone" if kind == "alone" else "with n-grams"
        mark_points(axes, places + shift, found, upright=False, label=label, **style)
        for place, each in zip(places + shift, found, strict=True):
            seeds = each["seeds"]
            axes.plot(seeds, [place] * len(seeds), "|", color=style["color"], markersize=7)
    baseline = summary["baseline"]["scores"][purpose][measure]["value"]
    axes.axvline(baseline, color=theme.ink, linewidth=0.8, linestyle=":", label="linear baseline")
    axes.set_yticks(places, [each["name"] for each in shown])
    axes.set(ylim=(len(shown) - 0.5, -0.5))
    if measure == "accuracy":
        show_percent(axes.xaxis)
    return with_legend(figure)


def by_length(summary: Summary, *, theme: Theme) -> Figure:
    """Draw the share of right rows by length of the text."""
    found = summary["by_length"]
    figure, axes = new_plot(f"Accuracy by length, {found['purpose']}")
    places = range(len(found["bins"]))
    for each in sound(summary):
        right = [bin["right"][each["key"]] for bin in found["bins"]]
        axes.plot(places, right, label=each["name"], **style_for(each, theme))
    right = [bin["right"]["baseline"] for bin in found["bins"]]
    style = {"color": theme.ink, "linewidth": 0.8, "linestyle": "-.", "marker": "x"}
    axes.plot(places, right, label="linear baseline", markersize=4, **style)
    spans = [f"{bin['shortest']:,}–{bin['longest']:,}" for bin in found["bins"]]
    axes.set_xticks(places, spans)
    axes.set(xlabel="tokens", ylabel="share right")
    show_percent(axes.yaxis)
    return with_legend(figure)


def learning(summary: Summary, *, theme: Theme, over: str) -> Figure:
    """Draw validation log loss after each epoch, over steps or over seconds of training."""
    figure, axes = new_plot(f"Validation log loss by {over}")
    for each in sound(summary):
        epochs = each["ease"]["epochs"]
        where, losses = ([epoch[name] for epoch in epochs] for name in (over, "log_loss"))
        axes.plot(where, losses, label=each["name"], **style_for(each, theme))
    axes.set(xlabel=over, ylabel="nats", xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    return with_legend(figure)


def norms(summary: Summary, *, theme: Theme) -> Figure:
    """Draw the norm of the gradient over training."""
    figure, axes = new_plot("Norm of the gradient while training")
    for each in sound(summary):
        steps, values = zip(*each["ease"]["norms"], strict=True)
        style = style_for(each, theme) | {"marker": "None"}
        axes.plot(steps, values, label=each["name"], **style)
    axes.set(xlabel="steps", yscale="log")
    show_plain(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    return with_legend(figure)


def fading(summary: Summary, *, theme: Theme, of: str) -> Figure:
    """Draw the gradient of the last state or of the verdict by distance from the end."""
    what = "last state" if of == "state" else "verdict"
    figure, axes = new_plot(f"What the {what} feels of a token, by distance")
    for each in sound(summary):
        shares = np.maximum(each["memory"]["fading"][of], 1e-12)
        marks = {"markevery": max(1, len(shares) // 8)}
        style = style_for(each, theme) | marks
        axes.plot(np.arange(len(shares)), shares, label=each["name"], **style)
    axes.axhline(summary["faint"], color=theme.ink, linewidth=0.6, linestyle=":")
    axes.set(xlabel="tokens before the end", ylabel="gradient, last token = 1", yscale="log")
    show_plain(axes.yaxis)
    axes.set_ylim(bottom=max(axes.get_ylim()[0], 1e-9))
    return with_legend(figure)


def half_lives(summary: Summary, *, theme: Theme) -> Figure:
    """Draw the distribution of the units' half-lives."""
    figure, axes = new_plot("Half-lives of the units, from their gates")
    for each in sound(summary):
        values = each["memory"]["half_lives"]
        if values:
            shares = np.linspace(0, 1, len(values))
            style = style_for(each, theme) | {"markevery": max(1, len(values) // 8)}
            axes.plot(values, shares, label=each["name"], **style)
    axes.set(xlabel="tokens", ylabel="share of units below", xscale="log")
    show_plain(axes.xaxis)
    show_percent(axes.yaxis)
    return with_legend(figure)


def flips(summary: Summary, *, theme: Theme) -> Figure:
    """Draw the share of verdicts that neutral tokens after the decisive part turn."""
    figure, axes = new_plot("Verdicts turned by an interruption")
    inserted = summary["inserted"]
    for each in sound(summary):
        axes.plot(inserted, each["memory"]["flips"], label=each["name"], **style_for(each, theme))
    axes.set_xscale("symlog", linthresh=10, linscale=0.6)
    axes.set_xticks(inserted, [f"{count:,}" for count in inserted])
    axes.minorticks_off()
    axes.set(xlabel="neutral tokens put in", ylabel="share of texts", ylim=(0, None))
    show_percent(axes.yaxis)
    return with_legend(figure)


def cuts(summary: Summary, *, theme: Theme) -> Figure:
    """Draw the score against the number of tokens read."""
    figure, axes = new_plot(f"{_heading(summary['measure'])} by tokens read")
    places = range(len(summary["cuts"]))
    for each in sound(summary):
        values = [found["value"] for found in each["cuts"]]
        axes.plot(places, values, label=each["name"], **style_for(each, theme))
    axes.set_xticks(places, [str(cut) for cut in summary["cuts"]])
    axes.set(xlabel="tokens read of a text, at most")
    if summary["measure"] == "accuracy":
        show_percent(axes.yaxis)
    return with_legend(figure)


def draw_task(task: Summary, *, theme: Theme) -> Figure:
    """Draw the accuracy of the cells in a synthetic task, by lag."""
    figure, axes = new_plot(
        f"{task['name'].capitalize()}: share right by lag", height=HEIGHT * 0.85
    )
    for cell, curve in task["curves"].items():
        _draw_spread(
            axes, task["lags"], curve, style=_cell_style(cell, theme), label=CELLS[cell].title
        )
    axes.axhline(task["chance"], color=theme.ink, linewidth=0.6, linestyle=":", label="chance")
    axes.set_xscale("log")
    axes.set_xticks(task["lags"], [f"{lag:,}" for lag in task["lags"]])
    axes.minorticks_off()
    axes.set(xlabel="lag, tokens", ylabel="share right", ylim=(0, 1.04))
    show_percent(axes.yaxis)
    return with_legend(figure)


def _draw_spread(
    axes: Axes, lags: Sequence[int], curve: Summary, *, style: dict[str, Any], label: str
) -> None:
    """Draw the median over seeds, and each seed as a small tick."""
    axes.plot(lags, curve["median"], label=label, **style)
    for lag, seeds in zip(lags, curve["seeds"], strict=True):
        axes.plot([lag] * len(seeds), seeds, "_", color=style["color"], markersize=6)


def _heading(measure: str) -> str:
    name = words.MEASURE[measure]
    return name[0].upper() + name[1:]


def style_for(contestant: Summary, theme: Theme) -> dict[str, Any]:
    """Return the style of a contestant: that of its cell, thin and open for equal weights only."""
    style = _cell_style(contestant["cell"], theme)
    if "equal width" in contestant["conditions"]:
        return style
    return style | {"markerfacecolor": theme.paper, "linewidth": 0.8}


def _cell_style(cell: CellName, theme: Theme) -> dict[str, Any]:
    colour, mark, line = STYLES[list(CELLS).index(cell) % len(STYLES)]
    return {
        "color": getattr(theme, colour),
        "marker": mark,
        "linestyle": line,
        "markersize": 4,
        "linewidth": 1.6,
    }
