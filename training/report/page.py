"""Writes the page of a report: one self-contained HTML file."""

import base64
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.report import words
from training.report.breakdown import ClassFigures, badness
from training.report.summary import Summary, headline

TEMPLATE = "page.html.jinja"
MOST_ROWS = 100  # of the tables by label
HERE = Path(__file__).parent


def make_environment(*folders: Path) -> Environment:
    """Return the environment that renders the templates in folders."""
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render_page(summary: Summary, *, light: Mapping[str, bytes], dark: Mapping[str, bytes]) -> str:
    """Return the page as HTML.

    Args:
        summary: All figures.
        light: The plots as PNG by name, for light pages.
        dark: The same for dark ones.
    """
    return (
        make_environment(HERE)
        .get_template(TEMPLATE)
        .render(
            summary=summary,
            headline=headline(summary),
            light=addresses(light),
            dark=addresses(dark),
            words=words,
            most_rows=MOST_ROWS,
            shown=_shown,
        )
    )


def _shown(classes: list[ClassFigures]) -> list[ClassFigures]:
    """Return the labels in the tables: all, or of very many the worst."""
    return classes if len(classes) <= MOST_ROWS else sorted(classes, key=badness)[:MOST_ROWS]


def addresses(plots: Mapping[str, bytes]) -> dict[str, str]:
    """Return each plot as a data URL."""
    return {
        name: f"data:image/png;base64,{base64.b64encode(png).decode()}"
        for name, png in plots.items()
    }
