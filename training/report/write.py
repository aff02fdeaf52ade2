"""Writes the report of a version: plots, figures and the page."""

import json
import os
import shutil
from pathlib import Path

from models.atomic import sync, sync_tree
from training.report.drawing import DARK, LIGHT
from training.report.figures import draw
from training.report.page import render_page
from training.report.results import Results
from training.report.summary import Summary, summarize

FIGURES, PAGE = "report.json", "report.html"


def write_report(results: Results, *, folder: Path) -> Summary:
    """Compute and write the report; return its figures.

    `folder` appears when it is complete: `report.html`, `report.json` and the plots for light
    pages as PNG. The page holds plots for dark pages too.

    Args:
        results: Input of the report.
        folder: Folder of the report; must be new or empty.

    Raises:
        OSError: The report cannot be written, or `folder` holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: holds something already")
    summary = summarize(results)
    light, dark = (draw(summary, theme=theme) for theme in (LIGHT, DARK))
    files = {f"{name}.png": png for name, png in light.items()}
    files[FIGURES] = (
        json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()
    files[PAGE] = render_page(summary, light=light, dark=dark).encode()
    publish(files, folder)
    return summary


def publish(files: dict[str, bytes], folder: Path) -> None:
    """Write the files beside `folder` and rename them into place, all at once."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        for name, content in files.items():
            (draft / name).write_bytes(content)
        sync_tree(draft)
        draft.rename(folder)
        sync(folder.parent)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
