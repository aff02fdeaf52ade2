"""Writes the report of a comparison: the page, the plots for light pages, and all figures."""

import json
from collections.abc import Mapping
from pathlib import Path

from models.cells import CELLS
from training.comparison.figures import draw
from training.comparison.summary import Summary
from training.report.drawing import DARK, LIGHT
from training.report.page import render
from training.report.summary import to_plain
from training.report.write import publish

FIGURES, PAGE = "comparison.json", "comparison.html"
TEMPLATE = Path(__file__).with_name("comparison.html.jinja")


def write_comparison(summary: Summary, *, folder: Path) -> None:
    """Write `folder`, which must be new or empty; it appears when it is complete."""
    light, dark = (draw(summary, theme=theme) for theme in (LIGHT, DARK))
    files = {f"{name}.png": png for name, png in light.items()}
    files[FIGURES] = (json.dumps(to_plain(summary), indent=1, ensure_ascii=False) + "\n").encode()
    files[PAGE] = render_page(summary, light=light, dark=dark).encode()
    publish(files, folder)


def render_page(summary: Summary, *, light: Mapping[str, bytes], dark: Mapping[str, bytes]) -> str:
    """Return the page, one self-contained HTML file.

    Args:
        summary: All figures.
        light: The plots as PNG by name, for light pages.
        dark: The same for dark pages.
    """
    return render(
        TEMPLATE,
        light=light,
        dark=dark,
        summary=summary,
        contestants={each["key"]: each for each in summary["contestants"]},
        cells=CELLS,
    )
