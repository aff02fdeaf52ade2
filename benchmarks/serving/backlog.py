"""Measures what waits, and what the processor does, at shares of the capacity.

An autoscaler looks at both, so its targets come from here: deploy/kubernetes/base/autoscaler.yaml.
"""

import re
import threading
import time
import urllib.request
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.lineup import LINEUP
from benchmarks.serving.measure import OK, REFUSED, load, measure
from benchmarks.serving.place import Place
from benchmarks.serving.results import Record
from benchmarks.serving.server import Server, serving
from benchmarks.serving.traffic import Traffic

SATURATING = 256  # connections; with more it is not faster
LOOK_SECONDS = 0.2
_TOKENS = re.compile(rb"^gatewise_backlog_tokens (\S+)$", re.MULTILINE)


def backlog(
    traffic: Traffic, *, place: Place, seconds: float, shares: Sequence[float]
) -> list[Record]:
    """Return for each share of the capacity what waited and what was answered."""
    with serving(LINEUP[0], place=place) as server:
        measure(server, traffic, seconds=2)
        capacity = measure(server, traffic, seconds=10, connections=SATURATING).rate
        return [_at(server, traffic, seconds=seconds, share=each, of=capacity) for each in shares]


def _at(server: Server, traffic: Traffic, *, seconds: float, share: float, of: float) -> Record:
    seen: list[float] = []
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(server, seen, over))
    used, began = server.cpu_seconds(), time.monotonic()
    watching.start()
    rows = load(server, traffic, seconds=seconds, rate=share * of)
    over.set()
    watching.join()
    cores = (server.cpu_seconds() - used) / (time.monotonic() - began)
    answered = rows[rows[:, 3] == OK]
    return {
        "share": share,
        "rate": share * of,
        "mean_tokens": float(np.mean(seen)),
        "most_tokens": float(np.max(seen)),
        "cores": cores,
        "p50": _milliseconds(answered[:, 2], 50),
        "p99": _milliseconds(answered[:, 2], 99),
        "refused": float(np.mean(rows[:, 3] == REFUSED)),
    }


def _watch(server: Server, seen: list[float], over: threading.Event) -> None:
    """Look at the metric until told to end."""
    while not over.wait(LOOK_SECONDS):
        url = f"http://127.0.0.1:{server.port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            match = _TOKENS.search(answer.read())
        assert match is not None
        seen.append(float(match[1]))


def _milliseconds(seconds: NDArray[np.float64], percentile: float) -> float:
    return float(np.percentile(seconds, percentile) * 1e3) if len(seconds) else float("inf")
