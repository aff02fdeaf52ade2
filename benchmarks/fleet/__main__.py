"""Plans a fleet from what one machine measures.

    python -m benchmarks.fleet measure --data DATA
    python -m benchmarks.fleet check
    python -m benchmarks.fleet plan --texts-a-day 5e6 --kind reviews
    python -m benchmarks.fleet write

The first measures one process of the service on one core: what it costs, and its answers at several
loads. The second compares these with a simulation. The third plans a fleet by it. The last writes
all into docs/scale.md. What was measured is kept in a JSON file, to which rounds can be added.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.fleet.kept import MEASURED, Measured, shorten
from benchmarks.serving.results import Results

RESULTS = Path("runs/fleet/results.json")
SIZES = ((1e6, 2), (5e7, 8), (1e9, 16))  # texts a day, and cores of a machine
A_DAY = 1e5  # texts of the day that is simulated whole
KINDS = ("sentences", "reviews")

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

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    measure_rounds(Results(results), data=data, rounds=rounds, model=model, console=console)


@app.command()
def check(results: ResultsFile = RESULTS) -> None:
    """Compare the loads that were measured with a simulation of them, and keep the costs."""
    from benchmarks.fleet.check import KINDS_OF_LOADS, compare, find_costs, lengths_of
    from benchmarks.fleet.report import describe_check

    found = Results(results).found
    costs = find_costs(found)
    measured = Measured(
        costs=costs,
        compared=compare(found, costs),
        lengths={kind: shorten(lengths_of(found)[kind]) for kind in KINDS_OF_LOADS},
        facts=found["facts"],
    )
    measured.save(MEASURED)
    typer.echo(describe_check(measured.compared))


@app.command()
def plan(
    texts_a_day: Annotated[float, typer.Option(help="Requests of a day, with one text each.")],
    kind: Annotated[str, typer.Option(help="sentences, reviews or mix.")] = "sentences",
    p99_ms: Annotated[float, typer.Option(help="Objective for the p99 at the peak.")] = 100,
    cores_a_machine: Annotated[int, typer.Option(min=1, help="Cores of each machine.")] = 8,
    euros_a_core_hour: Annotated[float, typer.Option(help="Price, memory included.")] = 0.04,
    swing: Annotated[float, typer.Option(min=0, max=1, help="Of the day's rate.")] = 0.6,
    burst: Annotated[float, typer.Option(min=1, help="Times the rate of the hour.")] = 1.5,
) -> None:
    """Plan a fleet by what was measured, and print it as JSON with what is nearest to its limit."""
    from benchmarks.fleet.limits import list_limits
    from benchmarks.fleet.sizing import Wanted, size

    measured = Measured.read(MEASURED)
    if kind not in measured.lengths:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(measured.lengths)}")
    wanted = Wanted(
        texts_a_day=texts_a_day,
        kind=kind,
        p99_ms=p99_ms,
        cores_a_machine=cores_a_machine,
        euros_a_core_hour=euros_a_core_hour,
        swing=swing,
        burst=burst,
    )
    try:
        sized = size(
            wanted,
            measured.costs,
            measured.lengths[kind],
            start=measured.facts["ready_seconds"],
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    shares = {limit.part: limit.share for limit in list_limits(sized, measured.facts)}
    typer.echo(json.dumps(sized.record() | {"shares_of_limits": shares}, indent=1))


@app.command()
def write(
    docs: Annotated[Path, typer.Option(help="Folder of scale.md and its plots.")] = Path("docs"),
) -> None:
    """Plan three fleets for each kind of texts, and write all into docs/scale.md."""
    from benchmarks.fleet import report
    from benchmarks.fleet.day import live
    from benchmarks.fleet.plot import plot_check
    from benchmarks.fleet.sizing import Wanted, size

    measured = Measured.read(MEASURED)
    fleets = []
    for texts_a_day, cores in SIZES:
        for kind in KINDS:
            console.print(f"{texts_a_day:,.0f} {kind} a day")
            wanted = Wanted(texts_a_day=texts_a_day, kind=kind, cores_a_machine=cores)
            start = measured.facts["ready_seconds"]
            fleets.append(size(wanted, measured.costs, measured.lengths[kind], start=start))
    plot_check(measured.compared, docs / "plots" / "scale.svg")
    report.write_page(
        docs,
        {
            "measured": report.describe_measured(measured.costs, measured.lengths, measured.facts),
            "check": report.describe_check(measured.compared),
            "fleets": report.describe_fleets(fleets, measured.facts),
            "limits": report.describe_limits(fleets, measured.facts),
        },
    )
    console.print("a day")
    wanted = Wanted(texts_a_day=A_DAY, kind=KINDS[0], cores_a_machine=1)
    lengths, start = measured.lengths[wanted.kind], measured.facts["ready_seconds"]
    smallest = size(wanted, measured.costs, lengths, start=start)
    lived = live(smallest, measured.costs, lengths, start=start)
    report.write_page(docs, {"day": report.describe_day(lived, smallest)})


if __name__ == "__main__":
    app()
