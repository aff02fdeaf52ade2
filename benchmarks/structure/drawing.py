"""Draws plans: rooms as boxes on floors, arrows as thin lines, upward ones in red."""

from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from benchmarks.structure.places import FLOOR_GAP, ROW, Box, Places, place_rooms
from benchmarks.structure.plan import Plan, implied

STYLE: dict[str, Any] = {
    "svg.hashsalt": "gatewise",  # the same graph gives the same file
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "figure.facecolor": "white",
}
INK, FAINT, RED = "#24292f", "#57606a", "#c62828"
LINE = "#5b7083"
FILLS = {"training/": "#dbe9f7", "service/": "#fbe5d0", "models/": "#dff0dc"}
OTHER = "#e9ecef"
FONT = 7.0  # points
WIDTH = 316.0  # of a plan, in points
MARGIN, BESIDE, HEAD, FOOT = 6.0, 22.0, 44.0, 26.0
KEY = (
    "A room is a file or a folder (bold). It stands above every room that it imports.",
    "Blue: training/. Orange: service/. Green: models/. Thin line: also reached by a longer way. ",
    "Red: upwards, or in a circle.",
)


def draw_plans(columns: Mapping[str, Sequence[Plan]], path: File) -> None:
    """Draw plans of the same views: a column for each checkout, a row for each view."""
    placed = [
        [(plan, place_rooms(plan, width=WIDTH, measure=_measure)) for plan in plans]
        for plans in columns.values()
    ]
    heights = [max(places.height for _, places in row) + HEAD for row in zip(*placed, strict=True)]
    width = MARGIN + len(placed) * (WIDTH + BESIDE + MARGIN)
    height = sum(heights) + FOOT
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=(width / 72, height / 72))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
        axes.axis("off")
        for column, (name, plans) in enumerate(zip(columns, placed, strict=True)):
            left = MARGIN + BESIDE + column * (WIDTH + BESIDE + MARGIN)
            bottom = height
            for (plan, places), high in zip(plans, heights, strict=True):
                bottom -= high
                _draw_plan(axes, plan, places, name=name, corner=(left, bottom))
        _draw_key(axes)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _draw_key(axes: Axes) -> None:
    first, second, red = KEY
    axes.text(MARGIN, 13, first, size=6.5, color=FAINT)
    drawn = axes.annotate(second, (MARGIN, 4), size=6.5, color=FAINT)
    axes.annotate(red, (1, 0), xycoords=drawn, size=6.5, color=RED, verticalalignment="bottom")


def _measure(room: str) -> float:
    path = TextPath((0, 0), _label(room), size=FONT, prop=FontProperties(weight="bold"))
    return float(path.get_extents().width) + 8


def _label(room: str) -> str:
    """Return the last part of a path; a folder's ends with a slash."""
    name = room.rstrip("/").rpartition("/")[2].removesuffix(".py")
    return f"{name}/" if room.endswith("/") else name


def _draw_plan(
    axes: Axes, plan: Plan, places: Places, *, name: str, corner: tuple[float, float]
) -> None:
    left, bottom = corner
    for box in places.boxes.values():
        box.left += left
        box.bottom += bottom
    for number, (low, high) in enumerate(places.floors, 1):
        band = (left - BESIDE + 2, bottom + low - FLOOR_GAP / 2), WIDTH + BESIDE - 2
        tint = "#f6f8fa" if number % 2 else "white"
        axes.add_patch(Rectangle(*band, high - low + FLOOR_GAP, color=tint, linewidth=0, zorder=0))
        middle = bottom + (low + high) / 2
        axes.text(left - BESIDE + 6, middle, str(number), size=6, color=FAINT, va="center")
    _draw_title(axes, plan, name=name, left=left - BESIDE + 6, bottom=bottom + places.height)
    faint = implied(plan.arrows.keys() - plan.upwards)
    for pair in sorted(plan.arrows.keys() - plan.upwards):
        start, end = (places.boxes[room] for room in pair)
        _draw_arrow(axes, start, end, faint=pair in faint)
    for pair in sorted(plan.upwards):
        _draw_upwards(axes, *(places.boxes[room] for room in pair))
    for room, box in places.boxes.items():
        _draw_room(axes, room, box, red=any(_holds(room, circle) for circle in plan.circles))


def _draw_title(axes: Axes, plan: Plan, *, name: str, left: float, bottom: float) -> None:
    axes.text(left, bottom + 20, f"{name}: {plan.view}", size=9, weight="bold", color=INK)
    figures = f"{len(plan.floors)} rooms, {plan.height} floors, {len(plan.arrows)} arrows"
    drawn = axes.annotate(figures, (left, bottom + 10), size=7.5, color=FAINT)
    circles = "1 circle" if len(plan.circles) == 1 else f"{len(plan.circles)} circles"
    bad = f"{len(plan.upwards)} upwards, {circles}"
    color = RED if plan.upwards or plan.circles else FAINT
    axes.annotate(
        f", {bad}", (1, 0), xycoords=drawn, size=7.5, color=color, verticalalignment="bottom"
    )


def _holds(room: str, circle: list[str]) -> bool:
    return any(file == room or (room[-1] == "/" and file.startswith(room)) for file in circle)


def _draw_arrow(axes: Axes, start: Box, end: Box, *, faint: bool) -> None:
    low, high = end.bottom + ROW, start.bottom
    bend = (high - low) / 2
    points = [(start.middle, high), (start.middle, high - bend)]
    points += [(end.middle, low + bend), (end.middle, low)]
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    axes.add_patch(
        PathPatch(
            Path(points, codes),
            facecolor="none",
            edgecolor=LINE,
            linewidth=0.4 if faint else 0.8,
            alpha=0.3 if faint else 0.8,
            zorder=1 if faint else 2,
        )
    )


def _draw_upwards(axes: Axes, start: Box, end: Box) -> None:
    axes.add_patch(
        FancyArrowPatch(
            (start.middle, start.bottom + ROW),
            (end.middle, end.bottom),
            arrowstyle="-|>,head_width=2,head_length=4",
            shrinkA=0,
            shrinkB=0,
            color=RED,
            linewidth=1.1,
            zorder=3,
        )
    )


def _draw_room(axes: Axes, room: str, box: Box, *, red: bool) -> None:
    folder = room.endswith("/")
    fill = next((fill for place, fill in FILLS.items() if room.startswith(place)), OTHER)
    axes.add_patch(
        FancyBboxPatch(
            (box.left, box.bottom),
            box.width,
            ROW,
            boxstyle="round,pad=0,rounding_size=2",
            facecolor=fill,
            edgecolor=RED if red else LINE,
            linewidth=1.2 if red else 0.6,
            zorder=4,
        )
    )
    axes.text(
        box.middle,
        box.bottom + ROW / 2 - 0.3,
        _label(room),
        size=FONT,
        weight="bold" if folder else "normal",
        color=INK,
        horizontalalignment="center",
        verticalalignment="center_baseline",
        zorder=5,
    )
