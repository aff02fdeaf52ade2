"""Writes the page of a report: one self-contained HTML file."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.report import words
from training.report.breakdown import ClassFigures, badness
from training.report.summary import Summary, headline

TEMPLATE = "page.html.jinja"
MOST_ROWS = 100  # of the tables by label
HERE = Path(__file__).parent


def render_page(summary: Summary, *, light: Mapping[str, bytes], dark: Mapping[str, bytes]) -> str:
    """Return the page as HTML.

    Args:
        summary: All figures.
        light: The plots as PNG by name, for light pages.
        dark: The same for dark ones.
    """
    return render(
        HERE / TEMPLATE,
        light=light,
        dark=dark,
        summary=summary,
        headline=headline(summary),
        most_rows=MOST_ROWS,
        shown=_shown,
    )


def render(
    template: Path, *, light: Mapping[str, bytes], dark: Mapping[str, bytes], **shown: Any
) -> str:
    """Return a page as HTML; its template may include those of this folder.

    Args:
        template: File of the template.
        light: The plots as PNG by name, for light pages.
        dark: The same for dark ones.
        shown: What else the template names.
    """
    environment = Environment(
        loader=FileSystemLoader((template.parent, HERE)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template(template.name)
    return page.render(light=_addresses(light), dark=_addresses(dark), words=words, **shown)


def _shown(classes: list[ClassFigures]) -> list[ClassFigures]:
    """Return the labels in the tables: all, or of very many the worst."""
    return classes if len(classes) <= MOST_ROWS else sorted(classes, key=badness)[:MOST_ROWS]


def _addresses(plots: Mapping[str, bytes]) -> dict[str, str]:
    """Return each plot as a data URL."""
    return {
        name: f"data:image/png;base64,{base64.b64encode(png).decode()}"
        for name, png in plots.items()
    }
