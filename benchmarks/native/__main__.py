"""The command line: `python -m benchmarks.native speed|accuracy|words --dataset DATA/imdb`.

`speed` times the bare engines in turn, in one process and one thread. `accuracy` compares all
texts of the split with ONNX Runtime. `words` compares their ids with those of the tokenizer.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import datasets
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.native.accuracy import (
    answer,
    compare,
    compare_long_text,
    count_other_bits,
)
from benchmarks.native.speed import measure_limit, median_ratio, time_engines
from benchmarks.native.words import compare_words
from models.network import Network
from models.registry import Store
from models.versions import Version
from service.engines.native.engine import NativeEngine
from service.engines.native.layout import Precision
from service.engines.native.library import supported
from service.engines.onnx import OnnxEngine

MODELS = ("imdb-gru", "imdb-lstm")
BATCHES = (1, 8, 32)
TIMED = 320  # texts

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Dataset = Annotated[str, typer.Option(help="Folder or Hub id of the texts, with a test split.")]
Models = Annotated[list[str], typer.Option("--model", help="Models of the store.")]
StoreFolder = Annotated[Path, typer.Option("--store", help="Folder of the versions.")]


@app.command()
def speed(
    dataset: Dataset,
    models: Models = list(MODELS),  # noqa: B006
    store: StoreFolder = Path("models/store"),
    tokens: Annotated[int, typer.Option(help="Cut texts to so many tokens; 0 for none.")] = 0,
) -> None:
    """Time the bare engines: microseconds of a token, and how many times as fast as ONNX Runtime.

    Figures are medians of five rounds. The limit is the larger of both: reading the weights from
    the second cache once for all texts of a call, and multiplying.
    """
    for version, rows in _each(models, dataset, store=store, texts=TIMED):
        cut = [row[: tokens or None] for row in rows]
        mean = np.mean([len(row) for row in cut])
        best = next(name for name in supported() if name != "portable")
        limit = measure_limit(version.metadata.architecture, instructions=best)
        table = Table("engine", *(f"{n} texts" for n in BATCHES), box=None, title=version.reference)
        timed = time_engines(version, cut, batches=BATCHES)
        for name in timed[1]:
            cells = []
            for texts in BATCHES:
                seconds = timed[texts][name]
                ratio = median_ratio(timed[texts]["onnx"], seconds)
                median = statistics.median(seconds)
                share = median / limit.seconds(texts=texts)
                cells.append(f"{1e6 * median:.2f} us, {ratio:.2f}x, {share:.2f} of the limit")
            table.add_row(name, *cells)
        Console().print(table)
        Console().print(
            f"{mean:.0f} tokens a text; {best}: {1e6 * limit.memory:.2f} us a token from the second"
            f" cache, {1e6 * limit.products:.2f} us of products"
        )


@app.command()
def accuracy(
    dataset: Dataset,
    models: Models = list(MODELS),  # noqa: B006
    store: StoreFolder = Path("models/store"),
    texts: Annotated[int, typer.Option(help="Texts that are compared; 0 for all.")] = 0,
) -> None:
    """Compare every precision with ONNX Runtime, alone, in batches, and cut anywhere.

    Alone and cut anywhere, all texts are read with 16 bits, and a tenth with other precisions.
    """
    precisions: tuple[Precision, ...] = ("int16", "int8", "float32")
    for version, rows in _each(models, dataset, store=store, texts=texts):
        exact = OnnxEngine(version.path, network=Network.of(version.metadata))
        expected = answer(exact, rows, version=version)
        table = Table(
            *("precision", "largest error", "p99.9", "other labels", "other bits alone", "cut"),
            "a million tokens",
            box=None,
            title=f"{version.reference}, {len(rows):,} texts",
        )
        for precision in precisions:
            found = answer(NativeEngine.load(version, precision=precision), rows, version=version)
            errors = compare(found, expected, version=version)
            # Every text costs three readings; the default precision is asked about all of them.
            some = slice(None if precision == "int16" else len(rows) // 10)
            alone, cut = count_other_bits(version, rows[some], found[some], precision=precision)
            long = compare_long_text(version, rows, precision=precision, exact=exact)
            table.add_row(
                precision,
                f"{errors.largest:.1e}",
                f"{errors.p999:.1e}",
                *(f"{number:,}" for number in (errors.labels, alone, cut)),
                f"{long:.1e}",
            )
        Console().print(table)


@app.command()
def words(
    dataset: Dataset,
    models: Models = list(MODELS),  # noqa: B006
    store: StoreFolder = Path("models/store"),
    texts: Annotated[int, typer.Option(help="Texts that are compared; 0 for all.")] = 0,
) -> None:
    """Compare ids and their time with those of the tokenizer in Python."""
    table = Table("model", "texts", "of ASCII", "other ids", "tokenizer", "native", box=None)
    for version, read in _each_read(models, dataset, store=store, texts=texts):
        found = compare_words(version.tokenizer, read)
        table.add_row(
            version.reference,
            *(f"{number:,}" for number in (len(read), found.ascii_texts, found.different)),
            *(f"{each:.1f} us" for each in (found.tokenizer, found.native)),
        )
    Console().print(table)


def _each(
    models: list[str], dataset: str, *, store: Path, texts: int
) -> Iterator[tuple[Version, list[np.ndarray]]]:
    """Yield each version with the ids of the texts."""
    for version, read in _each_read(models, dataset, store=store, texts=texts):
        ids = version.tokenizer.encode_batch(read)
        yield version, [np.array(row, np.int32) for row in ids]


def _each_read(
    models: list[str], dataset: str, *, store: Path, texts: int
) -> Iterator[tuple[Version, list[str]]]:
    """Yield each version with the texts."""
    split = datasets.load_dataset(dataset, split="test").shuffle(seed=0)
    read = list(split["text"])[: texts or None]
    for model in models:
        yield Store(store).resolve(model), read


if __name__ == "__main__":
    app()
