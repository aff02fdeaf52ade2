"""Gatewise beside other servers of the same SavedModel, each on one core, the load on another.

    python -m benchmarks.serving --dataset DATA/imdb --results serving.json [--runs 5] [--only NAME]

Each server's environment is made in the work folder the first time. What was measured stays in the
JSON file, so runs can be added; the table is of the medians.
"""

import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.serving.lineup import LINEUP, Contestant
from benchmarks.serving.measure import measure
from benchmarks.serving.server import serving
from benchmarks.serving.table import make_table
from benchmarks.serving.traffic import Traffic, make_traffics
from models.versions import Store, Version

WARM_SECONDS = 2.0
SATURATING = 64  # connections at which we answer as much as we can
SHARE = 0.7  # of our capacity, at which mixed traffic comes

Found = dict[str, Any]


def main(
    dataset: Annotated[str, typer.Option(help="IMDB: a folder that datasets can load.")],
    results: Annotated[Path, typer.Option(help="File of what was measured.")],
    runs: Annotated[int, typer.Option(help="Runs in all.")] = 5,
    seconds: Annotated[float, typer.Option(help="Of each load.")] = 8,
    only: Annotated[list[str] | None, typer.Option(help="Names to measure.")] = None,
    model: Annotated[str, typer.Option(help="Shipped model.")] = "imdb-gru",
    work: Annotated[Path, typer.Option(help="Folder of the environments.")] = Path("runs/serving"),
) -> None:
    """Measure what is missing, and print the table."""
    version = Store(Path("models/store")).resolve(model)
    traffics = make_traffics(dataset, version.tokenizer)
    found: Found = json.loads(results.read_text()) if results.exists() else {}
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as scratch:
        store = copy_version(version, Path(scratch))
        where = {"store": store, "environments": work.resolve(), "core": find_cores()[0]}
        if "rate" not in found:
            found["rate"] = SHARE * _capacity(traffics["mix"], seconds, where)
        for run in range(runs):
            for contestant in LINEUP:
                measured = found.setdefault(contestant.name, [])
                if len(measured) > run or (only and contestant.name not in only):
                    continue
                console.print(f"run {run + 1} of {runs}: {contestant.name}")
                measured.append(_run(contestant, traffics, found["rate"], seconds, where, run))
                results.write_text(json.dumps(found, indent=1))
    typer.echo(make_table(found))


def _run(
    contestant: Contestant,
    traffics: dict[str, Traffic],
    rate: float,
    seconds: float,
    where: dict[str, Any],
    run: int,
) -> Found:
    """Return all figures of one run."""
    core = find_cores()[1]
    with serving(contestant, **where) as server:
        found: Found = {"ready": server.ready_seconds}
        measure(server, traffics["reviews"], seconds=WARM_SECONDS, core=core)
        for name in ("reviews", "sentences"):
            figures = measure(server, traffics[name], seconds=seconds, core=core, seed=run)
            found[name] = figures.record()
        mixed = measure(server, traffics["mix"], seconds=seconds, core=core, rate=rate, seed=run)
        found["mix"] = mixed.record()
        found["megabytes"] = server.peak_megabytes
    return found


def _capacity(mix: Traffic, seconds: float, where: dict[str, Any]) -> float:
    """Return how many requests of the mix Gatewise answers in a second."""
    rates = []
    for seed in range(3):
        with serving(LINEUP[0], **where) as server:
            measure(server, mix, seconds=WARM_SECONDS, core=find_cores()[1])
            rates.append(
                measure(
                    server,
                    mix,
                    seconds=seconds,
                    core=find_cores()[1],
                    connections=SATURATING,
                    seed=seed,
                ).rate
            )
    return statistics.median(rates)


def copy_version(version: Version, folder: Path) -> Path:
    """Return a store that holds the version alone."""
    shutil.copytree(version.path, folder / version.metadata.name / version.path.name)
    return folder


def find_cores() -> list[int]:
    """Return the core of the server and that of the load."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise typer.BadParameter("this takes two cores: one for the server, one for the load")
    return cores[:2]


if __name__ == "__main__":
    typer.run(main)
