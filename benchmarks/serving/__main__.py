"""Measures the speed of the service, beside others and at its limits.

    python -m benchmarks.serving compare|overload|steps|soak|backlog --dataset DATA/imdb
    python -m benchmarks.serving write

The first five measure and keep their results in a JSON file. The last writes those of four, with
plots, into docs/benchmarks.md; docs/kubernetes.md quotes the fifth. Each server has one core, and
its load runs on another.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.serving.backlog import backlog as measure_backlog
from benchmarks.serving.compare import compare as compare_servers
from benchmarks.serving.overload import overload as measure_overload
from benchmarks.serving.place import make_place
from benchmarks.serving.report import write_report
from benchmarks.serving.results import Results
from benchmarks.serving.soak import soak as measure_soak
from benchmarks.serving.steps import measure_steps
from benchmarks.serving.traffic import make_traffics

WORK = Path("runs/serving")
HOUR = 3_600
HALF = 0.5

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(stderr=True)

Dataset = Annotated[str, typer.Option(help="IMDB: a folder or an id that datasets can load.")]
ResultsFile = Annotated[Path, typer.Option("--results", help="File of the results.")]
Model = Annotated[str, typer.Option(help="Shipped model.")]
Work = Annotated[Path, typer.Option(help="Folder of the servers' environments.")]
RESULTS = WORK / "results.json"


@app.command()
def compare(
    dataset: Dataset,
    results: ResultsFile = RESULTS,
    runs: Annotated[int, typer.Option(help="Runs in all; those in the file count.")] = 5,
    seconds: Annotated[float, typer.Option(help="Seconds of each load.")] = 5,
    only: Annotated[list[str] | None, typer.Option(help="Names to measure.")] = None,
    model: Model = "imdb-gru",
    work: Work = WORK,
) -> None:
    """Measure Gatewise and five other servers in turn. The first run makes their environments."""
    kept = Results(results)
    with make_place(model, work) as place:
        compare_servers(
            kept,
            make_traffics(dataset, place.version.tokenizer),
            place=place,
            runs=runs,
            seconds=seconds,
            names=only or [],
            console=console,
        )


@app.command()
def overload(
    dataset: Dataset,
    results: ResultsFile = RESULTS,
    seconds: Annotated[float, typer.Option(help="Seconds of the burst.")] = 60,
    traffic: Annotated[str, typer.Option(help="reviews, sentences or mix.")] = "reviews",
    model: Model = "imdb-gru",
) -> None:
    """Send requests at twice the capacity."""
    kept = Results(results)
    with make_place(model, WORK) as place:
        asked = make_traffics(dataset, place.version.tokenizer)[traffic]
        found = measure_overload(asked, place=place, seconds=seconds)
    kept.part("overload")[traffic] = found
    kept.save()
    console.print_json(data=found)


@app.command()
def steps(dataset: Dataset, results: ResultsFile = RESULTS, model: Model = "imdb-gru") -> None:
    """Measure each step of a request, and the limit of the processor."""
    kept = Results(results)
    with make_place(model, WORK) as place:
        traffics = make_traffics(dataset, place.version.tokenizer)
        found = measure_steps([traffics["sentences"], traffics["reviews"]], place=place)
    kept.found["steps"] = found
    kept.save()
    console.print_json(data=found)


@app.command()
def soak(
    dataset: Dataset,
    results: ResultsFile = RESULTS,
    requests: Annotated[
        int | None, typer.Option(help="Requests; if absent an hour's at half of the capacity.")
    ] = None,
    model: Model = "imdb-gru",
) -> None:
    """Send mixed traffic for about an hour."""
    kept = Results(results)
    if requests is None:
        requests = round(HALF * HOUR * kept.found["comparison"]["capacity"])
    with make_place(model, WORK) as place:
        mix = make_traffics(dataset, place.version.tokenizer)["mix"]
        found = measure_soak(mix, place=place, requests=requests, console=console)
    kept.found["soak"] = found
    kept.save()


@app.command()
def backlog(
    dataset: Dataset,
    results: ResultsFile = RESULTS,
    seconds: Annotated[float, typer.Option(help="Seconds of each load.")] = 40,
    traffic: Annotated[str, typer.Option(help="reviews, sentences or mix.")] = "mix",
    shares: Annotated[str, typer.Option(help="Shares of the capacity, with commas.")] = (
        "0.5,0.7,0.85,1,1.2"
    ),
    model: Model = "imdb-gru",
) -> None:
    """Measure what waits at shares of the capacity."""
    kept = Results(results)
    with make_place(model, WORK) as place:
        asked = make_traffics(dataset, place.version.tokenizer)[traffic]
        wanted = [float(each) for each in shares.split(",")]
        found = measure_backlog(asked, place=place, seconds=seconds, shares=wanted)
    kept.part("backlog")[traffic] = found
    kept.save()
    console.print_json(data=found)


@app.command()
def write(
    results: ResultsFile = RESULTS,
    docs: Annotated[Path, typer.Option(help="Folder of benchmarks.md and its plots.")] = Path(
        "docs"
    ),
) -> None:
    """Write the results into docs/benchmarks.md."""
    write_report(Results(results).found, docs)


if __name__ == "__main__":
    app()
