"""Compares Gatewise with what else runs on a CPU: accuracy against processor time of a text.

    python -m benchmarks.alternatives fit --data DATA --encoder FOLDER --tuned FOLDER
    python -m benchmarks.alternatives measure --data DATA
    python -m benchmarks.alternatives write

DATA has a folder for each of `imdb` and `sst2`. An encoder is a folder with `model.onnx` and
`tokenizer.json`. Fits and runs that are in the file of the results are not repeated.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.alternatives.fitting import fit_missing
from benchmarks.alternatives.measuring import measure_missing
from benchmarks.alternatives.places import Places
from benchmarks.alternatives.report import write_report
from benchmarks.serving.results import Results

WORK = Path("runs/alternatives")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(stderr=True)

Data = Annotated[Path, typer.Option(help="Folder with a folder of each dataset.")]
Gatewise = Annotated[Path, typer.Option(help="Store of the version of sentences.")]
Work = Annotated[Path, typer.Option(help="Folder of models, environments and results.")]
STORE = WORK / "store"
RESULTS = "results.json"


@app.command()
def fit(
    data: Data,
    encoder: Annotated[Path | None, typer.Option(help="Folder of all-MiniLM-L6-v2.")] = None,
    tuned: Annotated[
        Path | None, typer.Option(help="Folder of a network fine-tuned on SST-2.")
    ] = None,
    gatewise: Gatewise = STORE,
    work: Work = WORK,
) -> None:
    """Fit what is missing, and judge it on test rows."""
    places = Places(data, gatewise, work, {"encoder": encoder, "tuned": tuned})
    fit_missing(Results(work / RESULTS), places=places, console=console)


@app.command()
def measure(
    data: Data,
    runs: Annotated[int, typer.Option(help="Runs in all; those in the file count.")] = 5,
    seconds: Annotated[float, typer.Option(help="Seconds of each load.")] = 5,
    gatewise: Gatewise = STORE,
    work: Work = WORK,
) -> None:
    """Measure what was fitted, as servers in turn."""
    measure_missing(
        Results(work / RESULTS),
        places=Places(data, gatewise, work),
        runs=runs,
        seconds=seconds,
        console=console,
    )


@app.command()
def write(
    work: Work = WORK,
    docs: Annotated[Path, typer.Option(help="Folder of benchmarks.md and its plots.")] = Path(
        "docs"
    ),
) -> None:
    """Write the results into docs/benchmarks.md."""
    write_report(Results(work / RESULTS).found, docs)


if __name__ == "__main__":
    app()
