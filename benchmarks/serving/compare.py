"""Measures Gatewise and other servers of the same SavedModel in turn, under the same loads."""

import statistics

from rich.console import Console

from benchmarks.serving.lineup import LINEUP, Contestant
from benchmarks.serving.measure import load, measure
from benchmarks.serving.overload import DEADLINE_MS, summarize_burst
from benchmarks.serving.place import Place
from benchmarks.serving.results import Record, Results
from benchmarks.serving.server import Server, serving
from benchmarks.serving.traffic import Traffic

WARM_SECONDS = 2.0
SATURATING = 64  # connections at which Gatewise answers at its capacity
SHARES = (0.02, 0.1, 0.4, 0.7)  # of the capacity of Gatewise, at which mixed traffic comes
BURST = 2.0  # times its own capacity, at which reviews come once

Traffics = dict[str, Traffic]


def compare(
    results: Results,
    traffics: Traffics,
    *,
    place: Place,
    runs: int,
    seconds: float,
    names: list[str],
    console: Console,
) -> None:
    """Measure the missing runs of each server.

    Args:
        results: File of the results, run by run.
        traffics: Requests of each kind.
        place: Store and cores of the servers.
        runs: Runs of each server, those in the file included.
        seconds: Duration of each load.
        names: Servers to measure; all if empty.
        console: Where the progress is printed.
    """
    part = results.part("comparison")
    if "capacity" not in part:
        console.print("capacity for mixed traffic")
        part["capacity"] = _capacity(traffics["mix"], place, seconds=seconds)
    servers = part.setdefault("servers", {})
    for run in range(runs):
        for contestant in LINEUP:
            done = servers.setdefault(contestant.name, [])
            if len(done) > run or (names and contestant.name not in names):
                continue
            console.print(f"run {run + 1} of {runs}: {contestant.name}")
            done.append(_run(contestant, traffics, part["capacity"], place, seconds, seed=run))
            results.save()


def _run(
    contestant: Contestant,
    traffics: Traffics,
    capacity: float,
    place: Place,
    seconds: float,
    *,
    seed: int,
) -> Record:
    """Return all figures of one run of a server."""
    with serving(contestant, place=place) as server:
        found: Record = {"ready": server.ready_seconds, "mix": {}}
        _warm(server, traffics)
        for name in ("reviews", "sentences"):
            found[name] = measure(server, traffics[name], seconds=seconds, seed=seed).record()
        found["good"] = _good(server, traffics["reviews"], found["reviews"]["rate"], seconds, seed)
        for share in SHARES:
            _rest(server, traffics)
            figures = measure(
                server, traffics["mix"], seconds=seconds, rate=share * capacity, seed=seed
            )
            found["mix"][str(share)] = figures.record()
        found["megabytes"] = server.peak_megabytes
    return found


def _warm(server: Server, traffics: Traffics) -> None:
    measure(server, traffics["reviews"], seconds=WARM_SECONDS)


def _rest(server: Server, traffics: Traffics) -> None:
    """Wait until nothing of the last load is left: a server that works it off starts anew."""
    if not server.rests():
        server.stop()
        server.start()
        _warm(server, traffics)


def _good(server: Server, reviews: Traffic, capacity: float, seconds: float, seed: int) -> float:
    """Return the answers in time, per second, at twice the server's own capacity."""
    rows = load(server, reviews, seconds=seconds, rate=BURST * capacity, seed=seed)
    burst = summarize_burst(rows, seconds=seconds, deadline=DEADLINE_MS / 1e3)
    return float(burst["good"])


def _capacity(mix: Traffic, place: Place, *, seconds: float) -> float:
    """Return how many requests of the mix Gatewise answers in a second."""
    rates = []
    for seed in range(3):
        with serving(LINEUP[0], place=place) as server:
            measure(server, mix, seconds=WARM_SECONDS)
            how = {"connections": SATURATING, "seed": seed}
            rates.append(measure(server, mix, seconds=seconds, **how).rate)
    return statistics.median(rates)
