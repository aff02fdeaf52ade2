"""What Gatewise does when twice as much comes as it can answer.

    python -m benchmarks.serving.overload --dataset DATA/imdb [--seconds 60] [--traffic reviews]

The service has one core, the load another. Capacity is the rate of a closed loop in the same run.
Good is an answer within the deadline.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.serving.__main__ import copy_version, find_cores
from benchmarks.serving.lineup import LINEUP
from benchmarks.serving.measure import OK, REFUSED, load, measure
from benchmarks.serving.server import Server, serving
from benchmarks.serving.traffic import Traffic, make_traffics
from models.versions import Store

DEADLINE_MS = 2_000
SATURATING = 256  # connections; with more it is not faster
CALM = 0.1  # of the capacity, before and after
CALM_SECONDS = 6.0
WINDOW = 0.5  # seconds over which latencies are judged after the burst


def main(
    dataset: Annotated[str, typer.Option(help="IMDB: a folder that datasets can load.")],
    seconds: Annotated[float, typer.Option(help="Of the burst.")] = 60,
    factor: Annotated[float, typer.Option(help="Times the capacity.")] = 2,
    traffic: Annotated[str, typer.Option(help="reviews, sentences or mix.")] = "reviews",
    model: Annotated[str, typer.Option(help="Shipped model.")] = "imdb-gru",
) -> None:
    """Measure, and print what was found."""
    version = Store(Path("models/store")).resolve(model)
    asked = make_traffics(dataset, version.tokenizer)[traffic]
    ours, load_core = find_cores()
    with tempfile.TemporaryDirectory() as scratch:
        store = copy_version(version, Path(scratch))
        with serving(LINEUP[0], store=store, environments=Path(), core=ours) as server:
            _burst(server, asked, seconds=seconds, factor=factor, core=load_core)


def _burst(server: Server, traffic: Traffic, *, seconds: float, factor: float, core: int) -> None:
    measure(server, traffic, seconds=2, core=core)
    capacity = measure(server, traffic, seconds=10, core=core, connections=SATURATING).rate
    calm = load(server, traffic, seconds=CALM_SECONDS, core=core, rate=CALM * capacity)
    before = server.megabytes()
    burst = load(server, traffic, seconds=seconds, core=core, rate=factor * capacity)
    at_end = server.megabytes()
    after = load(server, traffic, seconds=CALM_SECONDS, core=core, rate=CALM * capacity)
    good = burst[(burst[:, 3] == OK) & (burst[:, 2] <= DEADLINE_MS / 1e3), 2]
    refused = burst[burst[:, 3] == REFUSED]
    say = typer.echo
    say(f"capacity {capacity:,.0f}/s, came {len(burst) / seconds:,.0f}/s for {seconds:.0f} s")
    say(f"good {len(good) / seconds:,.0f}/s, {len(good) / seconds / capacity:.1%} of capacity")
    say(f"accepted: {_describe(burst[burst[:, 3] == OK, 2])}")
    say(f"refused {len(refused):,}: {_describe(refused[:, 2])}")
    say(f"refused without Retry-After: {np.sum(refused[:, 4] < 1):,}")
    others = {int(status) for status in burst[:, 3]} - {OK, REFUSED}
    for status in sorted(others):
        say(f"status {status}: {np.sum(burst[:, 3] == status):,}")
    say(f"memory: {before:.0f} MB before, {at_end:.0f} after, {server.peak_megabytes:.0f} at most")
    say(f"latency at {CALM:.0%} of capacity, before: {_describe(calm[:, 2])}")
    for start in np.arange(0, CALM_SECONDS, WINDOW):
        part = after[(after[:, 1] >= start) & (after[:, 1] < start + WINDOW), 2]
        say(f"  {start:.1f} s after the burst: {_describe(part)}")


def _describe(seconds: NDArray[np.float64]) -> str:
    if len(seconds) == 0:
        return "none"
    p50, p99, most = np.percentile(seconds * 1e3, [50, 99, 100])
    return f"p50 {p50:,.1f} ms, p99 {p99:,.1f} ms, at most {most:,.1f} ms"


if __name__ == "__main__":
    typer.run(main)
