"""Writes the page of a comparison: one HTML file that needs nothing else."""

from collections.abc import Mapping
from pathlib import Path

from training.comparison.candidates import NAMES
from training.comparison.summary import Summary
from training.report import words
from training.report.page import HERE as SHARED
from training.report.page import addresses, make_environment

TEMPLATE = "comparison.html.jinja"


def render_page(summary: Summary, *, light: Mapping[str, bytes], dark: Mapping[str, bytes]) -> str:
    """Return the page as HTML; plots are PNG by name, for light pages and for dark ones."""
    environment = make_environment(Path(__file__).parent, SHARED)
    return environment.get_template(TEMPLATE).render(
        summary=summary,
        contestants={each["key"]: each for each in summary["contestants"]},
        light=addresses(light),
        dark=addresses(dark),
        words=words,
        cells=NAMES,
    )
