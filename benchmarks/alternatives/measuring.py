"""Measures each entry in turn as a server: processor time, latency, memory and start."""

from pathlib import Path

from rich.console import Console

from benchmarks.alternatives.lineup import DATASETS, LINEUP, REVIEWS, Entry, Ours
from benchmarks.alternatives.ours import find_version
from benchmarks.alternatives.places import Places
from benchmarks.serving.measure import measure
from benchmarks.serving.place import Place, place_of
from benchmarks.serving.results import Record, Results
from benchmarks.serving.server import serving
from benchmarks.serving.traffic import Traffic, make_traffics

WARM_SECONDS = 2.0
CONNECTIONS = {"alone": 1, "together": 32}
SHIPPED = "imdb-gru"  # its tokenizer counts the tokens of sentences


def measure_missing(
    results: Results, *, places: Places, runs: int, seconds: float, console: Console
) -> None:
    """Measure the missing runs of each entry whose accuracy is known.

    Args:
        results: File of the results, run by run.
        places: Folders of data, versions and fitted models.
        runs: Runs of each entry, those in the file included.
        seconds: Duration of each load.
        console: Where the progress is printed.
    """
    shipped = find_version(SHIPPED, places=places)
    traffics = make_traffics(str(places.data / DATASETS[REVIEWS]), shipped.tokenizer)
    part = results.part("runs")
    for run in range(runs):
        for entry in find_judged(results.part("accuracy")):
            done = part.setdefault(entry.texts, {}).setdefault(entry.name, [])
            if len(done) > run:
                continue
            console.print(f"run {run + 1} of {runs}: {entry.texts}, {entry.name}")
            name = entry.version if isinstance(entry, Ours) else SHIPPED
            version = find_version(name, places=places)
            with place_of(version, places.environments) as place:
                traffic = traffics[entry.texts]
                done.append(_run(entry, traffic, place, places.work, seconds=seconds, seed=run))
            results.save()


def find_judged(accuracies: Record) -> list[Entry]:
    """Return the entries whose accuracy is known, in their order."""
    return [entry for entry in LINEUP if entry.name in accuracies.get(entry.texts, {})]


def _run(
    entry: Entry, traffic: Traffic, place: Place, work: Path, *, seconds: float, seed: int
) -> Record:
    """Return all figures of one run of an entry."""
    with serving(entry.contestant(work), place=place) as server:
        found: Record = {"ready": server.ready_seconds}
        measure(server, traffic, seconds=WARM_SECONDS)
        for name, connections in CONNECTIONS.items():
            how = {"connections": connections, "seed": seed}
            found[name] = measure(server, traffic, seconds=seconds, **how).record()
        found["megabytes"] = server.peak_megabytes
    return found
