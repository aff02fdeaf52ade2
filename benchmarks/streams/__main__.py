"""Measures cost and limits of streams on the real service.

python -m benchmarks.streams fidelity --dataset DATA/imdb
python -m benchmarks.streams cost|document|fuzz|sockets
"""

from typing import Annotated, get_args

import datasets
import numpy as np
import typer
from rich.console import Console

from benchmarks.streams.cost import measure_cost
from benchmarks.streams.document import read_document
from benchmarks.streams.fidelity import measure_fidelity
from benchmarks.streams.fuzz import send_changed
from benchmarks.streams.sockets import hold_open
from models.replay import EngineName

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Model = Annotated[str, typer.Option(help="Shipped model.")]
Engine = Annotated[str, typer.Option(help="auto, native, onnx or savedmodel.")]


@app.command()
def fidelity(
    dataset: Annotated[str, typer.Option(help="IMDB: a folder or an id that datasets can load.")],
    texts: Annotated[int, typer.Option(help="Reviews to cut.")] = 500,
) -> None:
    """Cut reviews anywhere, send the pieces to two services in turn, compare with /predict."""
    rows = datasets.load_dataset(dataset, split="test").shuffle(seed=1).select(range(texts))
    for model in ("imdb-gru", "imdb-lstm"):
        for engine in get_args(EngineName):
            off, differing = measure_fidelity(list(rows["text"]), model=model, engine=engine)
            typer.echo(
                f"{model}, {engine}: {texts} reviews, probabilities off by {off:.1e} at most, "
                f"{differing} with another number of tokens"
            )


@app.command()
def cost(model: Model = "imdb-gru", engine: Engine = "auto") -> None:
    """Time a piece of 10 tokens after ever more text, beside sending the whole text again."""
    Console().print(measure_cost(model=model, engine=engine))


@app.command()
def document(
    tokens: Annotated[int, typer.Option(help="Tokens of the document.")] = 1_000_000,
    model: Model = "imdb-gru",
    engine: Engine = "auto",
) -> None:
    """Send a very long document, and short texts meanwhile."""
    found = read_document(tokens, model=model, engine=engine)
    typer.echo(f"{found.tokens:,} tokens in {found.seconds:.1f} s, +{found.megabytes:.1f} MB")
    _tell("20 tokens, before", found.idle)
    _tell("20 tokens, meanwhile", found.meanwhile)


@app.command()
def fuzz(
    changes: Annotated[int, typer.Option(help="Changed states to send.")] = 100_000,
    model: Model = "imdb-gru",
) -> None:
    """Send states that were changed, or joined from two."""
    statuses = send_changed(changes, model=model)
    typer.echo(", ".join(f"status {status}: {n:,}" for status, n in sorted(statuses.items())))


@app.command()
def sockets(
    streams: Annotated[int, typer.Option(help="WebSockets open at once.")] = 1_000,
    seconds: Annotated[float, typer.Option(help="Seconds to send pieces.")] = 30,
    model: Model = "imdb-gru",
) -> None:
    """Send a piece each second on each of many WebSockets; one more reads no answers."""
    held = hold_open(streams, seconds=seconds, model=model)
    typer.echo(f"{streams:,} streams, opened in {held.opening:.1f} s, {held.lost} lost")
    _tell("pieces", held.times)
    typer.echo("memory {:.0f} MB before, {:.0f} MB after".format(*held.memory))


def _tell(what: str, times: list[float]) -> None:
    p50, p99, most = np.percentile(np.array(times) * 1e3, [50, 99, 100])
    typer.echo(f"{what}: {len(times):,}, p50 {p50:.1f} ms, p99 {p99:.1f} ms, at most {most:.1f} ms")


if __name__ == "__main__":
    app()
