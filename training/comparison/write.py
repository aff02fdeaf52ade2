"""Writes the report of a comparison: the page, the plots for light pages, and all figures."""

import json
from pathlib import Path

from training.comparison.figures import draw
from training.comparison.page import render_page
from training.comparison.summary import Summary
from training.report.drawing import DARK, LIGHT
from training.report.summary import to_plain
from training.report.write import publish

FIGURES, PAGE = "comparison.json", "comparison.html"


def write_comparison(summary: Summary, *, folder: Path) -> None:
    """Write `folder`, which must not exist or be empty; it appears when everything is in it."""
    light, dark = (draw(summary, theme=theme) for theme in (LIGHT, DARK))
    files = {f"{name}.png": png for name, png in light.items()}
    files[FIGURES] = (json.dumps(to_plain(summary), indent=1, ensure_ascii=False) + "\n").encode()
    files[PAGE] = render_page(summary, light=light, dark=dark).encode()
    publish(files, folder)
