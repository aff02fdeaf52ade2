"""Writes a learning curve: all figures as JSON, and the plot."""

import json
from dataclasses import asdict
from pathlib import Path

from training.console import console
from training.labelling.curve import Curve
from training.labelling.plot import draw_curve
from training.workspace.atomic import save_bytes

FIGURES, PLOT = "curve.json", "curve.png"


def write_curve(curve: Curve, *, folder: Path) -> None:
    """Write the files to `folder`; they replace those of an earlier curve.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    figures = json.dumps(asdict(curve), indent=1, ensure_ascii=False) + "\n"
    files = {FIGURES: figures.encode(), PLOT: draw_curve(curve)}
    for name, content in files.items():
        save_bytes(content, path=folder / name)
    console.print(f"written: {folder / PLOT}, {folder / FIGURES}")
