"""Writes a learning curve: all figures as JSON, and the plot."""

import json
from dataclasses import asdict
from pathlib import Path

from models.atomic import replace_file
from training.console import console
from training.labelling.curve import Curve
from training.labelling.plot import draw_curve
from training.workspace.space import writing

FIGURES, PLOT = "curve.json", "curve.png"


def write_curve(curve: Curve, *, folder: Path) -> None:
    """Write the files to `folder`; they replace those of an earlier curve.

    Raises:
        CannotWrite: The disk is full, or takes no files.
    """
    figures = json.dumps(asdict(curve), indent=1, ensure_ascii=False) + "\n"
    files = {FIGURES: figures.encode(), PLOT: draw_curve(curve)}
    with writing(folder, needed=sum(map(len, files.values()))):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with replace_file(folder / name) as unfinished:
                unfinished.write_bytes(content)
    console.print(f"written: {folder / PLOT}, {folder / FIGURES}")
