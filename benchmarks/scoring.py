"""Measures the scoring of files beside the engine's bare speed on the same texts.

    python -m benchmarks.scoring --dataset DATA/imdb --split unsupervised [--runs 5]

Bare speed is that of the engine with ids made beforehand and batches of like length, with as many
threads. Figures are medians of runs in turn.
"""

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import datasets
import typer
from rich.console import Console

from models.batching import plan_batches
from models.registry import Store
from models.replay import EngineName
from models.versions import Version
from service.engines.batched import compute_batch
from service.engines.cores import available_cores
from service.engines.loading import open_engine
from service.scoring.request import ScoringRun
from service.scoring.run import score_file


def main(
    dataset: Annotated[str, typer.Option(help="A folder that datasets can load.")],
    split: Annotated[str, typer.Option(help="Split to score.")] = "test",
    rows: Annotated[int | None, typer.Option(help="Rows; all if absent.")] = None,
    runs: Annotated[int, typer.Option(help="Runs of each.")] = 5,
    model: Annotated[str, typer.Option(help="Shipped model.")] = "imdb-gru",
    engine: Annotated[EngineName, typer.Option(help="native, onnx or savedmodel.")] = "native",
) -> None:
    """Measure both, and print texts per second and their ratio."""
    texts = datasets.load_dataset(dataset, split=split)
    texts = texts if rows is None else texts.select(range(rows))
    version = Store(Path("models/store")).resolve(model)
    ids = version.tokenizer.encode_batch(texts["text"])
    console, bare, scored = Console(stderr=True), [], []
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "texts.parquet"
        texts.to_parquet(str(source))
        for run in range(runs):
            bare.append(len(ids) / _bare_seconds(version, ids, engine=engine))
            scoring = ScoringRun(
                source=source,
                target=Path(scratch) / f"{run}.parquet",
                format=None,
                column="text",
                prefix="predicted_",
                encoding=None,
                separator=None,
                engine=engine,
                threads=available_cores(),
            )
            started = time.perf_counter()
            score_file(scoring, version)
            scored.append(len(ids) / (time.perf_counter() - started))
            console.print(f"run {run + 1}: bare {bare[-1]:,.0f}/s, scored {scored[-1]:,.0f}/s")
    ratio = statistics.median(s / b for s, b in zip(scored, bare, strict=True))
    typer.echo(
        f"bare {statistics.median(bare):,.0f}/s, scored {statistics.median(scored):,.0f}/s, "
        f"{ratio:.0%} of it"
    )


def _bare_seconds(version: Version, ids: list[list[int]], *, engine: EngineName) -> float:
    opened = open_engine(version, kind=engine).engine
    state = version.metadata.state
    batches = [[ids[row] for row in batch] for batch in plan_batches([len(row) for row in ids])]
    started = time.perf_counter()
    with ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(lambda batch: compute_batch(opened, batch, state=state), batches))
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
