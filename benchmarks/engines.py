"""Measures the cost of each engine: time to ready, memory, and time of an answer.

    python -m benchmarks.engines [--store models/store] [--model imdb-gru] [--runs 5]

Services with each engine start in turn, each with one model and one computing thread. Ready is
the time from the start of the process to the first 200 of /readyz. Times of an answer are those of
POST /predict over one kept connection, as a client sees them. Figures are medians of all runs.
"""

import http.client
import json
import statistics
import time
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.memory import megabytes
from benchmarks.serving.place import store_of
from models.registry import Store
from models.replay import EngineName
from tests.e2e.server import Server, running

SENTENCE = "It takes its time, but the last half hour more than makes up for a slow beginning."
REVIEW = " ".join([SENTENCE] * 14)  # about as long as the mean review of IMDB
REQUESTS = 300

Figures = dict[str, float]


def main(
    store: Annotated[Path, typer.Option(help="Folder of the versions.")] = Path("models/store"),
    model: Annotated[str, typer.Option(help="Model that answers.")] = "imdb-gru",
    runs: Annotated[int, typer.Option(min=1, help="Runs of each engine.")] = 5,
) -> None:
    """Measure the engines in turn."""
    console = Console(stderr=True)
    measured: dict[str, list[Figures]] = {name: [] for name in get_args(EngineName)}
    with store_of(Store(store).resolve(model)) as alone:
        for engine in track(list(measured) * runs, "measuring", console=console):
            measured[engine].append(_measure(alone, engine))
    table = Table("engine", *measured["native"][0], "TensorFlow", box=None)
    for engine, figures in measured.items():
        medians = [statistics.median(run[key] for run in figures) for key in figures[0]]
        loaded = "loaded" if engine == "savedmodel" else "not loaded"
        table.add_row(engine, *(f"{median:.2f}" for median in medians), loaded)
    Console().print(table)


def _measure(store: Path, engine: str) -> Figures:
    with running(store, GATEWISE_ENGINE=engine, GATEWISE_THREADS="1") as server:
        ready = time.monotonic() - server.started
        figures = {
            "ready, s": ready,
            "sentence, ms": _milliseconds(server, SENTENCE),
            "review, ms": _milliseconds(server, REVIEW),
            "resident, MB": megabytes(server.process.pid, "Rss"),
        }
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert ("libtensorflow" in maps) == (engine == "savedmodel")
        return figures


def _milliseconds(server: Server, text: str) -> float:
    """Return the median time of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    body = json.dumps({"text": text}).encode()
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        connection.request("POST", "/predict", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - started)
        assert answer.status == 200
    connection.close()
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    typer.run(main)
