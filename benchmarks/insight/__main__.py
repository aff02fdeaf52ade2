"""Measures contributions and the rules of the early exit, on test texts.

python -m benchmarks.insight deletions|stopping --dataset DATA/imdb
"""

from pathlib import Path
from typing import Annotated

import datasets
import typer

from benchmarks.insight.deletions import DELETED, measure_deletions
from benchmarks.insight.stopping import measure_stopping
from models.registry import Store
from models.versions import Version
from service.engines.loading import open_engine
from service.engines.protocol import Engine

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Dataset = Annotated[str, typer.Option(help="IMDB: a folder or an id that datasets can load.")]
Model = Annotated[str, typer.Option(help="Shipped model.")]


@app.command()
def deletions(
    dataset: Dataset,
    texts: Annotated[int, typer.Option(help="Texts to explain.")] = 500,
    model: Model = "imdb-gru",
) -> None:
    """Delete the tokens that contribute most, and random ones."""
    version, engine = _open(model)
    rows = datasets.load_dataset(dataset, split="test").shuffle(seed=2).select(range(texts))
    falls = measure_deletions(version, engine, list(rows["text"]))
    for name, fall in falls.items():
        times = fall / falls["random"]
        typer.echo(f"without {DELETED} tokens by {name}: {fall:+.4f}, {times:.1f} times random")


@app.command()
def stopping(
    dataset: Dataset,
    texts: Annotated[int | None, typer.Option(help="Texts to read; all if absent.")] = None,
    model: Model = "imdb-gru",
) -> None:
    """Read texts with early exit, by each rule."""
    version, engine = _open(model)
    rows = datasets.load_dataset(dataset, split="test")
    rows = rows if texts is None else rows.shuffle(seed=3).select(range(texts))
    for row in measure_stopping(version, engine, list(rows["text"])):
        typer.echo(f"{row.certainty}: {row.saved:.1%} saved, {row.differing:.2%} labels differ")


def _open(model: str) -> tuple[Version, Engine]:
    version = Store(Path("models/store")).resolve(model)
    return version, open_engine(version, kind="auto").engine


if __name__ == "__main__":
    app()
