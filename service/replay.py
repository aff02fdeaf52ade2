"""Computes probabilities of token ids from a file, in a process of its own.

A trainer runs this to check an export with the very code that will serve it.
"""

from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from models.quiet import quiet_start
from models.versions import Version
from service.compute import compute
from service.cores import available_cores
from service.engines.opening import EngineName, load_engine

CHUNK_TEXTS = 1_024


def replay(folder: Path, engine: EngineName, ids_file: Path, output: Path) -> None:
    """Write the probabilities, (texts, labels), of the ids in `ids_file` to `output`.

    Args:
        folder: A version's folder; it need not be published yet.
        engine: "onnx" or "savedmodel".
        ids_file: .npz with `tokens`, all ids in a row, and `lengths`, the tokens of each text.
        output: .npy file to write.
    """
    version = Version(folder)
    with quiet_start():
        loaded = load_engine(version, kind=engine, threads=available_cores())
    with np.load(ids_file) as content:
        rows = np.split(content["tokens"], np.cumsum(content["lengths"])[:-1])
    # Sorted before it is cut into chunks, so that each chunk has texts of like length.
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    chunks = [order[i : i + CHUNK_TEXTS] for i in range(0, len(order), CHUNK_TEXTS)]
    console = Console(stderr=True)
    parts = [
        compute(loaded, [rows[row] for row in chunk], state=version.metadata.state)
        for chunk in track(chunks, f"checking with {engine}", console=console, transient=True)
    ]
    probabilities = np.concatenate(parts)
    np.save(output, probabilities[np.argsort(order)])


def main(folder: Path, engine: EngineName, ids_file: Path, output: Path) -> None:
    """Replay, or say in one line why not."""
    try:
        replay(folder, engine, ids_file, output)
    except Exception as error:  # each runtime raises its own
        typer.echo(f"{engine}: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
