"""Compares the accuracy of the service with that of the metadata, for each engine.

    python -m benchmarks.http_accuracy --dataset ../shared/data/imdb --model imdb-gru

It starts a service, POSTs every text of the test split to it, and prints the share of right labels
beside the recorded accuracy.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, get_args

import datasets
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.registry import Store
from models.replay import EngineName
from tests.e2e.server import Server, running

TEXTS_PER_REQUEST = 50
CLIENTS = 2


def main(
    dataset: Annotated[str, typer.Option(help="Dataset with a split 'test'.")],
    model: Annotated[str, typer.Option(help="Model that answers.")],
    store: Annotated[Path, typer.Option(help="Folder of the versions.")] = Path("models/store"),
) -> None:
    """POST the test split to each engine and compare with the metadata."""
    metadata = Store(store).resolve(model).metadata
    rows = datasets.load_dataset(dataset, split="test")
    texts = rows[metadata.data.text_column][:]
    labels = [metadata.labels[label] for label in rows[metadata.data.label_column][:]]
    table = Table("engine", "texts", "accuracy over HTTP", "accuracy in metadata.json", box=None)
    for engine in get_args(EngineName):
        with running(store, GATEWISE_ENGINE=engine, GATEWISE_MODEL=model) as server:
            found = _ask(server, texts, engine)
        right = sum(a == b for a, b in zip(found, labels, strict=True))
        recorded = metadata.metrics["test"]["accuracy"]
        table.add_row(engine, f"{len(texts):,}", f"{right / len(texts):.4%}", f"{recorded:.4%}")
    Console().print(table)


def _ask(server: Server, texts: list[str], engine: str) -> list[str]:
    batches = [
        texts[start : start + TEXTS_PER_REQUEST]
        for start in range(0, len(texts), TEXTS_PER_REQUEST)
    ]
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = clients.map(lambda batch: _labels(server, batch), batches)
        shown = track(answers, f"asking {engine}", len(batches), console=Console(stderr=True))
        return list(itertools.chain.from_iterable(shown))


def _labels(server: Server, texts: list[str]) -> list[str]:
    status, answer = server.predict(texts=texts)
    assert status == 200, answer
    return [prediction["label"] for prediction in answer["predictions"]]


if __name__ == "__main__":
    typer.run(main)
