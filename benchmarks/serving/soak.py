"""Sends mixed traffic for about an hour: no request may fail, and memory may not grow."""

import numpy as np
from rich.console import Console

from benchmarks.serving.lineup import LINEUP
from benchmarks.serving.measure import OK, load
from benchmarks.serving.place import Place
from benchmarks.serving.results import Record
from benchmarks.serving.server import serving
from benchmarks.serving.traffic import Traffic

PIECE_SECONDS = 60.0
CONNECTIONS = 16


def soak(mix: Traffic, *, place: Place, requests: int, console: Console) -> Record:
    """Send requests as fast as they are answered; return failures and memory.

    They come from a closed loop, so the traffic of an hour takes less than the hour. Memory is the
    resident memory after each minute. The first minute fills caches and pools, and the others are
    compared with it.
    """
    megabytes: list[float] = []
    sent = failed = 0
    with serving(LINEUP[0], place=place) as server:
        while sent < requests or len(megabytes) < 2:
            rows = load(server, mix, seconds=PIECE_SECONDS, connections=CONNECTIONS, seed=sent)
            megabytes.append(server.resident_megabytes())
            if len(megabytes) > 1:
                sent += len(rows)
                failed += int(np.sum(rows[:, 3] != OK))
            console.print(f"{sent:,} of {requests:,}, {failed:,} failed, {megabytes[-1]:.1f} MB")
    return {"requests": sent, "failed": failed, "megabytes": megabytes}
