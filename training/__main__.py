"""The command line: `python -m training …`."""

import signal
import sys
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from models.errors import GatewiseError
from models.versions import Store
from models.quiet import quiet_start

BAD_INPUT = 2

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


class CellOption(StrEnum):
    """Recurrent cells by their names on the command line."""

    lstm = "lstm"
    gru = "gru"
    rnn = "rnn"


StoreOption = Annotated[Path, typer.Option(help="Folder of the versions.", envvar="GATEWISE_STORE")]


@app.callback()
def main() -> None:
    """Train text classifiers and manage their versions."""


@app.command()
def train(
    dataset: Annotated[
        str, typer.Option(help="CSV, TSV, JSON, JSONL or Parquet file, folder, or Hub id.")
    ],
    name: Annotated[str, typer.Option(help="Model to publish a new version of.")],
    cell: Annotated[CellOption, typer.Option(help="Recurrent cell.")] = CellOption.gru,
    config: Annotated[str | None, typer.Option(help="Configuration of a Hub dataset.")] = None,
    revision: Annotated[
        str | None, typer.Option(help="Hub branch, tag or commit. [default: newest commit]")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column of the text. [default: found]")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the label. [default: found]")
    ] = None,
    vocabulary: Annotated[int, typer.Option(min=100, help="Tokens at most.")] = 24_000,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens after which a training text is cut.")
    ] = 1_000,
    units: Annotated[int, typer.Option(min=1, help="Width of a recurrent layer.")] = 128,
    layers: Annotated[int, typer.Option(min=1, max=8, help="Recurrent layers.")] = 1,
    embedding: Annotated[int, typer.Option(min=1, help="Width of a token's vector.")] = 128,
    dropout: Annotated[float, typer.Option(min=0, max=0.9, help="Share of channels.")] = 0.4,
    word_dropout: Annotated[float, typer.Option(min=0, max=0.9, help="Share of tokens.")] = 0.1,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the rows at most.")] = 4,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without gain to go on.")] = 2,
    batch: Annotated[int, typer.Option(min=1, help="Texts per step.")] = 64,
    learning_rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(min=0, help="Decides all that is random.")] = 1,
    store: StoreOption = Path("models/store"),
) -> None:
    """Train a classifier on labelled text and publish it."""
    with quiet_start():
        import tensorflow  # noqa: F401

    from training.fit import FitSettings
    from training.network import NetworkSettings
    from training.pipeline import TrainSettings
    from training.pipeline import train as run

    run(
        TrainSettings(
            name=name,
            dataset=dataset,
            config=config,
            revision=revision,
            text_column=text_column,
            label_column=label_column,
            vocabulary=vocabulary,
            max_tokens=max_tokens,
            seed=seed,
            network=NetworkSettings(
                cell=cell.value,
                layers=layers,
                units=units,
                embedding=embedding,
                dropout=dropout,
                word_dropout=word_dropout,
            ),
            fit=FitSettings(
                epochs=epochs, patience=patience, batch=batch, learning_rate=learning_rate
            ),
        ),
        store=Store(store),
    )


@app.command()
def prune(
    name: Annotated[str, typer.Option(help="Model whose old versions go.")],
    keep: Annotated[int, typer.Option(min=1, help="Newest versions that stay.")],
    store: StoreOption = Path("models/store"),
) -> None:
    """Delete all but the newest versions of a model."""
    deleted = Store(store).prune(name, keep=keep)
    typer.echo(f"deleted versions of {name}: {', '.join(map(str, deleted)) or 'none'}")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)  # so that unfinished work is cleaned up


def run_app() -> Any:
    """Run the command line; an error that the user can put right is one line and status 2."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except (GatewiseError, OSError) as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    run_app()
