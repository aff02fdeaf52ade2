"""How soon the service is ready and how much memory it takes, for each engine in turn.

    python -m benchmarks.startup [--store models/store] [--runs 5]

Time is from the start of the process to the first 200 of /readyz; memory is the resident set after
100 predictions. Medians of all runs.
"""

import statistics
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.e2e.server import Server

TEXT = "It takes its time, but the last half hour more than makes up for a slow beginning."


def main(
    store: Annotated[Path, typer.Option(help="Folder of the versions.")] = Path("models/store"),
    model: Annotated[str, typer.Option(help="Model that answers.")] = "imdb-gru",
    runs: Annotated[int, typer.Option(min=1, help="Runs of each engine.")] = 5,
) -> None:
    """Measure both engines, alternating."""
    console = Console(stderr=True)
    figures: dict[str, list[tuple[float, float, bool]]] = {"onnx": [], "savedmodel": []}
    for engine in track(list(figures) * runs, "starting services", console=console):
        figures[engine].append(_measure(store, model, engine))
    table = Table("engine", "ready after s", "resident MB", "TensorFlow loaded", box=None)
    for engine, measured in figures.items():
        seconds, megabytes, loaded = zip(*measured, strict=True)
        table.add_row(
            engine,
            f"{statistics.median(seconds):.2f}",
            f"{statistics.median(megabytes):.0f}",
            "yes" if any(loaded) else "no",
        )
    Console().print(table)


def _measure(store: Path, model: str, engine: str) -> tuple[float, float, bool]:
    """Return seconds to ready, resident megabytes and whether TensorFlow is mapped."""
    server = Server(store, GATEWISE_ENGINE=engine, GATEWISE_MODEL=model)
    try:
        server.wait_until_ready()
        seconds = time.monotonic() - server.started
        for _ in range(100):
            status, answer = server.predict(text=TEXT)
            assert status == 200, answer
        process = Path(f"/proc/{server.process.pid}")
        resident = next(
            int(line.split()[1])
            for line in (process / "status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
        return seconds, resident / 1024, "libtensorflow" in (process / "maps").read_text()
    finally:
        server.process.kill()
        server.process.wait()


if __name__ == "__main__":
    typer.run(main)
