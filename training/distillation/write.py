"""Writes what a student learned from its teacher: page, plots and figures."""

import json
from collections.abc import Mapping
from pathlib import Path

from training.distillation.certainty import WANTED
from training.distillation.figures import Distillation
from training.distillation.plots import draw
from training.report.drawing import DARK, LIGHT
from training.report.page import render
from training.report.summary import to_plain
from training.workspace.atomic import save_bytes

FIGURES, PAGE = "teacher.json", "teacher.html"
TEMPLATE = Path(__file__).with_name("distillation.html.jinja")


def write_distillation(found: Distillation, *, title: str, folder: Path) -> None:
    """Write page, figures and plots for light pages into the folder of a report.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    light, dark = (draw(found, theme=theme) for theme in (LIGHT, DARK))
    figures = json.dumps(to_plain(found), indent=1, ensure_ascii=False) + "\n"
    page = render_page(found, title=title, light=light, dark=dark)
    files = {f"{name}.png": png for name, png in light.items()}
    files |= {FIGURES: figures.encode(), PAGE: page.encode()}
    for name, content in files.items():
        save_bytes(content, path=folder / name)


def render_page(
    found: Distillation, *, title: str, light: Mapping[str, bytes], dark: Mapping[str, bytes]
) -> str:
    """Return the page, one self-contained HTML file.

    Args:
        found: All figures.
        title: Name of the version.
        light: The plots as PNG by name, for light pages.
        dark: The same for dark pages.
    """
    return render(TEMPLATE, light=light, dark=dark, found=found, title=title, wanted=WANTED)
