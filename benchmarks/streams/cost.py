"""Measures a piece of ten tokens after ever more text, beside sending all of it again."""

import statistics

from rich.progress import track
from rich.table import Table

from benchmarks.streams.service import connect, console, post, seconds, serving, words

PIECE = " " + words(10)
LENGTHS = (100, 1_000, 10_000, 100_000)
ROUNDS = 60
MOST_SECONDS = 3.0  # for sending one length again and again


def measure_cost(*, model: str, engine: str) -> Table:
    """Return a table of medians; the lengths take turns."""
    columns = ("tokens before", "a piece of 10, ms", "all again, ms", "state, bytes")
    with serving(model, engine) as server, connect(server) as http:
        states = {n: post(http, "/stream", text=words(n))["state"] for n in LENGTHS}
        pieces: dict[int, list[float]] = {n: [] for n in LENGTHS}
        for _ in track(range(ROUNDS), "pieces", console=console):
            for n, state in states.items():
                pieces[n].append(seconds(http, "/stream", text=PIECE, state=state))
        again = {}
        for n in track(LENGTHS, "all again", console=console):
            first = seconds(http, "/predict", text=words(n) + PIECE)
            more = range(min(ROUNDS, int(MOST_SECONDS / first)))
            again[n] = [first, *(seconds(http, "/predict", text=words(n) + PIECE) for _ in more)]
    table = Table(*columns, box=None)
    for n, state in states.items():
        times = (f"{statistics.median(taken[n]) * 1e3:,.2f}" for taken in (pieces, again))
        table.add_row(f"{n:,}", *times, f"{len(state):,}")
    return table
