"""Computes probabilities of token ids from a file, in a process of its own; see models/replay.py.

A trainer runs this to check an export with the very code that will serve it, and to time it.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from models.batching import Row
from models.golden import Probabilities
from models.metadata import StateTensor
from models.quiet_start import quiet_start
from models.replay import EngineName, ReplayRequest, ReplayResult
from models.versions import Version
from service.engines.batched import compute
from service.engines.cores import available_cores
from service.engines.loading import THREADS, load_engine
from service.engines.protocol import Engine, initial_state

CHUNK_TEXTS = 1_024
WARM_TEXTS = 3  # answered before any is timed
TIMED_SECONDS = 2.0  # after which no more texts are timed


def replay(folder: Path, engine: EngineName, request_file: Path, result_file: Path) -> None:
    """Compute what a file asks for; write what the version makes of it, and how long it takes.

    Args:
        folder: A version's folder; it need not be published yet.
        engine: Which engine computes.
        request_file: A `ReplayRequest`.
        result_file: Where to write the `ReplayResult`.
    """
    version = Version(folder)
    with quiet_start():
        loaded = load_engine(version, kind=engine, threads=available_cores())
    asked = ReplayRequest.load(request_file)
    probabilities = _compute(loaded, asked.rows, version=version, name=engine)
    if engine != "savedmodel":  # TensorFlow keeps to the threads of its first engine
        loaded = load_engine(version, kind=engine, threads=THREADS)
    milliseconds = _time(loaded, [asked.rows[row] for row in asked.timed], version=version)
    started, state = time.perf_counter(), version.metadata.state
    looks = [watch(loaded, asked.rows[n], state=state, every=asked.every) for n in asked.watched]
    looking = 1e3 * (time.perf_counter() - started)
    ReplayResult(
        probabilities=probabilities,
        milliseconds=np.array(milliseconds, np.float64),
        looks=np.concatenate([np.empty((0, probabilities.shape[1]), np.float32), *looks]),
        looking=looking,
    ).save(result_file)


def _compute(
    engine: Engine, rows: Sequence[Row], *, version: Version, name: EngineName
) -> Probabilities:
    """Return the probabilities (rows, labels) of all texts, read whole, in their order."""
    # Sorted before it is cut into chunks, so that each chunk has texts of like length.
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    chunks = [order[i : i + CHUNK_TEXTS] for i in range(0, len(order), CHUNK_TEXTS)]
    console = Console(stderr=True)
    parts = [
        compute(engine, [rows[row] for row in chunk], state=version.metadata.state)
        for chunk in track(
            chunks,
            f"checking with {name}",
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
    ]
    return np.asarray(np.concatenate(parts)[np.argsort(order)])


def watch(engine: Engine, row: Row, *, state: tuple[StateTensor, ...], every: int) -> Probabilities:
    """Return the probabilities (looks, labels) of a text at each look, the last at its end."""
    found, before = [], initial_state(state, batch=1)
    for start in range(0, max(1, len(row)), every):
        probabilities, before = engine.step([row[start : start + every]], before)
        found.append(probabilities)
    return np.concatenate(found)


def _time(engine: Engine, rows: Sequence[Row], *, version: Version) -> list[float]:
    """Return the milliseconds to answer each text alone, as far as TIMED_SECONDS reach."""
    state = version.metadata.state
    deadline = time.perf_counter() + TIMED_SECONDS
    for row in rows[:WARM_TEXTS]:
        compute(engine, [row], state=state)
    found: list[float] = []
    for row in rows:
        started = time.perf_counter()
        if found and started >= deadline:
            break
        compute(engine, [row], state=state)
        found.append(1e3 * (time.perf_counter() - started))
    return found


def main(folder: Path, engine: EngineName, request_file: Path, result_file: Path) -> None:
    """Replay, or say in one line why not."""
    try:
        replay(folder, engine, request_file, result_file)
    except Exception as error:  # each runtime raises its own
        typer.echo(f"{engine}: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
