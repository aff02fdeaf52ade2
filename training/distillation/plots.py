"""Draws what a student learned from its teacher."""

import matplotlib as mpl
from matplotlib.figure import Figure

from training.distillation.certainty import WANTED
from training.distillation.figures import Distillation
from training.report import words
from training.report.drawing import (
    Theme,
    mark_points,
    new_plot,
    show_percent,
    style_of,
    to_png,
    with_legend,
)

FEWEST_POINTS = 2


def draw(found: Distillation, *, theme: Theme) -> dict[str, bytes]:
    """Return the plots as PNG, by name."""
    with mpl.rc_context(style_of(theme)):
        plots = {"agreement": _draw_agreement(found, theme)}
        if len(found["students"]) >= FEWEST_POINTS:
            plots["teacher"] = _draw_scores(found, theme)
        return {name: to_png(figure) for name, figure in plots.items()}


def _draw_scores(found: Distillation, theme: Theme) -> Figure:
    """Draw the scores of the students by the number of texts, below that of the teacher."""
    name, teacher = words.MEASURE[found["measure"]], found["score"]
    figure, axes = new_plot(f"{name[0].upper()}{name[1:]} by texts of the teacher")
    axes.axhspan(teacher["low"], teacher["high"], color=theme.other, alpha=0.15, linewidth=0)
    axes.axhline(teacher["value"], color=theme.other, linestyle="--", label="teacher, with 95 %")
    mark_points(
        axes,
        [each["texts"] for each in found["students"]],
        [each["score"] for each in found["students"]],
        label="student",
        color=theme.network,
        marker="o",
        linestyle="-",
    )
    axes.set_xlabel("texts that the teacher labelled")
    axes.locator_params(axis="x", nbins=4)  # more long numbers would run into each other
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel(f"{name} on {found['rows']:,} {found['purpose']} rows")
    if found["measure"] == "accuracy":
        show_percent(axes.yaxis)
    return with_legend(figure)


def _draw_agreement(found: Distillation, theme: Theme) -> Figure:
    """Draw how often both agree, by the share of rows that the student is surest of."""
    figure, axes = new_plot("Agreement on the surest rows")
    covered, agreed = zip(*found["trace"], strict=True)
    axes.plot(covered, agreed, color=theme.network, label="student and teacher agree")
    axes.axhline(WANTED, color=theme.faint, linestyle=":", label=f"{WANTED:.0%}")
    if found["certainty"] is not None:
        place = found["certainty"]["coverage"]["value"]
        axes.axvline(place, color=theme.other, linestyle="--", label="certain enough")
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of rows, the surest first")
    axes.set_ylabel("share that agrees")
    show_percent(axes.xaxis, axes.yaxis)
    return with_legend(figure)
