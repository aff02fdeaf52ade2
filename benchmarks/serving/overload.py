"""Measures Gatewise at twice its capacity.

Capacity is the rate of a closed loop in the same run. A good answer comes within the deadline.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.lineup import LINEUP
from benchmarks.serving.measure import OK, REFUSED, load, measure
from benchmarks.serving.place import Place
from benchmarks.serving.results import Record
from benchmarks.serving.server import serving
from benchmarks.serving.traffic import Traffic

DEADLINE_MS = 2_000
SATURATING = 256  # connections; with more it is not faster
CALM = 0.1  # of the capacity, before and after
CALM_SECONDS = 6.0
WINDOW = 0.5  # seconds over which latencies are judged after the burst

Rows = NDArray[np.float64]


def overload(traffic: Traffic, *, place: Place, seconds: float, factor: float = 2.0) -> Record:
    """Return the figures before, during and after a burst of some seconds."""
    with serving(LINEUP[0], place=place) as server:
        measure(server, traffic, seconds=2)
        capacity = measure(server, traffic, seconds=10, connections=SATURATING).rate
        calm = load(server, traffic, seconds=CALM_SECONDS, rate=CALM * capacity)
        before = server.megabytes()
        burst = load(server, traffic, seconds=seconds, rate=factor * capacity)
        memory = {"before": before, "after": server.megabytes()}
        after = load(server, traffic, seconds=CALM_SECONDS, rate=CALM * capacity)
        memory["peak"] = server.peak_megabytes
    return {
        "capacity": capacity,
        "seconds": seconds,
        "burst": summarize_burst(burst, seconds=seconds, deadline=DEADLINE_MS / 1e3),
        "megabytes": memory,
        "calm": _latency(calm[:, 2]),
        "recovery": [
            _latency(after[(after[:, 1] >= start) & (after[:, 1] < start + WINDOW), 2])
            for start in np.arange(0, CALM_SECONDS, WINDOW)
        ],
    }


def summarize_burst(rows: Rows, *, seconds: float, deadline: float) -> Record:
    """Return the results of the requests of a burst, from rows as `load` returns them."""
    accepted, refused = rows[rows[:, 3] == OK], rows[rows[:, 3] == REFUSED]
    return {
        "came": len(rows) / seconds,
        "good": float(np.sum(accepted[:, 2] <= deadline)) / seconds,
        "accepted": _latency(accepted[:, 2]),
        "refused": _latency(refused[:, 2]),
        "without_retry_after": int(np.sum(refused[:, 4] < 1)),
        "others": len(rows) - len(accepted) - len(refused),
    }


def _latency(seconds: Rows) -> Record:
    """Return the number of answers, and their times in milliseconds."""
    if len(seconds) == 0:
        return {"count": 0}
    p50, p99, most = np.percentile(seconds * 1e3, [50, 99, 100])
    return {"count": len(seconds), "p50": float(p50), "p99": float(p99), "most": float(most)}
