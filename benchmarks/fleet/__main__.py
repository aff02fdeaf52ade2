"""Plans a fleet from what one machine measures.

    python -m benchmarks.fleet measure --data DATA
    python -m benchmarks.fleet check
    python -m benchmarks.fleet plan --texts-a-day 5e6 --kind reviews
    python -m benchmarks.fleet write

The first measures one process of the service on one core: what it costs, and its answers at several
loads. The second compares these with a simulation. The third plans a fleet by it. The last writes
all into docs/scale.md. What was measured is kept in a JSON file, to which rounds can be added.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.serving.results import Results

RESULTS = Path("runs/fleet/results.json")
DOCS = Path("docs")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(stderr=True)

ResultsFile = Annotated[Path, typer.Option("--results", help="File of what was measured.")]


@app.command()
def measure(
    data: Annotated[Path, typer.Option(help="Folder with the datasets sst2 and imdb.")],
    results: ResultsFile = RESULTS,
    rounds: Annotated[int, typer.Option(help="Rounds to add; one takes a minute.")] = 4,
    model: Annotated[str, typer.Option(help="Shipped model.")] = "imdb-gru",
) -> None:
    """Measure one machine: calibration, loads, start, memory, reload and bytes."""
    from benchmarks.fleet.rounds import measure_rounds

    measure_rounds(Results(results), data=data, rounds=rounds, model=model, console=console)


@app.command()
def check(results: ResultsFile = RESULTS) -> None:
    """Compare the loads that were measured with a simulation of them."""
    from benchmarks.fleet.check import compare, find_costs
    from benchmarks.fleet.report import describe_check

    kept = Results(results)
    costs = find_costs(kept.found)
    compared = compare(kept.found, costs)
    kept.found |= {"costs": costs.record(), "compared": [each.record() for each in compared]}
    kept.save()
    typer.echo(describe_check(compared))


if __name__ == "__main__":
    app()
