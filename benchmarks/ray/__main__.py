"""The command line.

    python -m benchmarks.ray score --dataset DATA/sst2 [--texts 200000] [--runs 3]
    python -m benchmarks.ray fits --dataset DATA/sst2 [--rows 4000] [--trials 6]
    python -m benchmarks.ray serve --dataset DATA/sst2

Nodes are processes of this machine with one core each. The cluster is up before the time starts.
"""

import csv
import tempfile
from pathlib import Path
from typing import Annotated

import pyarrow.parquet
import typer

from benchmarks.ray import scoring, serving

app = typer.Typer(add_completion=False, rich_markup_mode=None)
Dataset = Annotated[Path, typer.Option(help="Folder of train.parquet: sentences and labels.")]


def _read(dataset: Path) -> pyarrow.Table:
    return pyarrow.parquet.read_table(dataset / "train.parquet", columns=["sentence", "label"])


@app.command()
def score(
    dataset: Dataset,
    texts: Annotated[int, typer.Option(help="Texts to score.")] = 200_000,
    runs: Annotated[int, typer.Option(help="Runs of each.")] = 3,
) -> None:
    """Score with and without a cluster, and with a node that is killed on the way."""
    sentences = _read(dataset)["sentence"].to_pylist()
    found = scoring.measure(sentences, texts=texts, runs=runs)
    typer.echo(found)
    typer.echo(f"overhead {found.overhead:+.0%}")


@app.command()
def fits(
    dataset: Dataset,
    rows: Annotated[int, typer.Option(help="Rows to learn from.")] = 4_000,
    trials: Annotated[int, typer.Option(help="Trials of tune.")] = 6,
    seeds: Annotated[int, typer.Option(help="Seeds of compare.")] = 3,
    epochs: Annotated[int, typer.Option(help="Epochs of compare.")] = 2,
    only: Annotated[str, typer.Option(help="tune or compare; both if absent.")] = "",
) -> None:
    """Tune and compare alone, on one node and on two."""
    from benchmarks.ray import fits as fitting  # which imports TensorFlow

    drawn = _read(dataset).slice(0, rows).to_pylist()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows((row["sentence"], ("neg", "pos")[row["label"]]) for row in drawn)
        if only in ("", "tune"):
            found = fitting.measure_tune(path, trials=trials)
            typer.echo(f"tune: {found}, two nodes take {found.ratio:.2f} of one")
        if only in ("", "compare"):
            found = fitting.measure_compare(path, seeds=seeds, epochs=epochs)
            typer.echo(f"compare: {found}, two nodes take {found.ratio:.2f} of one")


@app.command()
def serve(dataset: Dataset) -> None:
    """Replace the replicas while clients ask, and stream over two of them."""
    sentences = _read(dataset)["sentence"].to_pylist()[:40]
    typer.echo(serving.measure(sentences))


app()
