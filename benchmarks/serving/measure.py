"""Loads a server and summarizes its answers."""

import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.load import Plan
from benchmarks.serving.server import ROOT, Server
from benchmarks.serving.traffic import Traffic

OK, REFUSED = 200, 429


@dataclass(frozen=True)
class Figures:
    """The results of a server under a load.

    Args:
        rate: Answers per second.
        per_cpu_second: Answers per second of processor time.
        p50, p99: Milliseconds of an answer, by class of the text.
        failed: Share of requests that got no prediction.
    """

    rate: float
    per_cpu_second: float
    p50: list[float]
    p99: list[float]
    failed: float

    def record(self) -> dict[str, object]:
        """Return all figures as values of JSON."""
        return asdict(self)


def load(
    server: Server,
    traffic: Traffic,
    *,
    seconds: float,
    connections: int = 32,
    rate: float | None = None,
    headers: dict[str, str] | None = None,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return a row for each request: class, when due, seconds, status, Retry-After."""
    contestant = server.contestant
    plan = Plan(
        port=server.port,
        path=contestant.path,
        bodies=[contestant.body(text) for text in traffic.texts],
        kinds=traffic.kinds,
        seconds=seconds,
        connections=connections,
        rate=rate,
        headers=headers or {},
        core=server.place.load_core,
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as scratch:
        wanted, results = Path(scratch) / "plan.json", Path(scratch) / "results.npy"
        plan.save(wanted)
        command = [sys.executable, "-m", "benchmarks.serving.load", wanted, results]
        subprocess.run(list(map(str, command)), cwd=ROOT, check=True)
        rows: NDArray[np.float64] = np.load(results)
    return rows


def measure(server: Server, traffic: Traffic, *, seconds: float, **how: object) -> Figures:
    """Load a server; return the figures."""
    before = server.cpu_seconds()
    rows = load(server, traffic, seconds=seconds, **how)  # type: ignore[arg-type]
    cpu = server.cpu_seconds() - before
    return summarize(rows, cpu_seconds=cpu)


def summarize(rows: NDArray[np.float64], *, cpu_seconds: float) -> Figures:
    """Return the figures of requests as `load` gives them."""
    good = rows[rows[:, 3] == OK]
    lasted = float((rows[:, 1] + rows[:, 2]).max())
    kinds = [good[good[:, 0] == kind, 2] * 1e3 for kind in np.unique(rows[:, 0])]
    return Figures(
        rate=len(good) / lasted,
        per_cpu_second=len(good) / cpu_seconds,
        p50=[float(np.percentile(times, 50)) if len(times) else float("inf") for times in kinds],
        p99=[float(np.percentile(times, 99)) if len(times) else float("inf") for times in kinds],
        failed=1 - len(good) / len(rows),
    )
