"""Runs the comparisons of docs/lstm-and-gru.md, and writes their figures into it.

python -m benchmarks.cells run --data FOLDER
python -m benchmarks.cells write
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.cells.tutorial import KNOWN, PRETRAINED, write_tutorial

# IMDB has three million tokens; 4,000 rows without moved texts are half an hour of two cores.
OPTIONS: dict[str, tuple[str, ...]] = {
    "rotten_tomatoes": (),
    "tweet_emotion": (),
    "imdb": ("--rows", "4000", "--adversarial", "0"),
}
DOCS = Path(__file__).resolve().parents[2] / "docs"
REPORTS = DOCS / "comparisons"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder with a folder of each dataset.")],
    work: Annotated[Path, typer.Option(help="Folder of the comparisons.")] = Path("runs"),
    only: Annotated[str | None, typer.Option(help="One dataset; all if absent.")] = None,
) -> None:
    """Run the comparisons, or resume them, and keep their reports under docs."""
    for name in [only] if only else OPTIONS:
        _compare(data / name, name=name, work=work)
        if name != KNOWN:
            _compare(data / name, "--pretrained", "--no-tasks", name=name + PRETRAINED, work=work)


def _compare(dataset: Path, *options: str, name: str, work: Path) -> None:
    """Run one comparison under the name of its report."""
    folder = work / "compare" / name
    places = ["--dataset", str(dataset), "--work", str(work), "--out", str(folder)]
    command = ["compare", *places, "--resume", *OPTIONS[dataset.name], *options]
    subprocess.run([sys.executable, "-m", "training", *command], check=True)
    keep(folder / "report", name=name)


def keep(report: Path, *, name: str) -> None:
    """Copy the page and the figures of a report. The page contains the plots."""
    REPORTS.mkdir(exist_ok=True)
    for kind in ("html", "json"):
        shutil.copy(report / f"comparison.{kind}", REPORTS / f"{name}.{kind}")


@app.command()
def write() -> None:
    """Write tables and plots of docs/lstm-and-gru.md from the reports."""
    write_tutorial(REPORTS, docs=DOCS, names=list(OPTIONS))


if __name__ == "__main__":
    app()
