"""Measures a sentence encoder with a linear classifier on few labels, to compare with.

The encoder stays as it is, and a logistic regression is fitted to its vectors of drawn rows of
train. Validation rows choose its strength. Milliseconds are those of one text at a time, tokens
included, as the medians of 200 texts. A version of Gatewise reads the same texts in turn.

    python -m benchmarks.frozen_encoder --data FOLDER/tweet_emotion --encoder FOLDER \
        --store FOLDER --model emotion
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from models.registry import Store
from models.versions import Version
from service.engines.loading import open_engine
from training.data.sources import load_source
from training.data.splits import read_data
from training.vectors.opening import open_encoder

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
Answer = Callable[[str], object]

DRAWN = 0  # seed of the rows, that of benchmarks.labels
TIMED = 200  # texts


def main(
    data: Annotated[Path, typer.Option(help="Folder of the dataset.")],
    encoder: Annotated[str, typer.Option(help="Folder or Hub id of the encoder.")],
    rows: Annotated[int, typer.Option(help="Rows of train.")] = 300,
    store: Annotated[Path, typer.Option(help="Folder of versions.")] = Path("models/store"),
    model: Annotated[str | None, typer.Option(help="Version to time beside it.")] = None,
) -> None:
    """Print macro-F1 and accuracy on test rows, and the times of a text."""
    source = open_encoder(encoder)
    splits = read_data(load_source(str(data), config=None, revision=None), seed=1).splits
    order = np.random.default_rng(DRAWN).permutation(len(splits["train"]))[:rows]
    splits["train"] = splits["train"].take(np.sort(order), name="drawn")
    vectors = {name: source.embed(split.texts)[0] for name, split in splits.items()}
    vectors = {
        name: found / np.linalg.norm(found, axis=1, keepdims=True)
        for name, found in vectors.items()
    }
    fitted = [
        LogisticRegression(C=strength, max_iter=2_000).fit(vectors["train"], splits["train"].labels)
        for strength in STRENGTHS
    ]
    best = max(
        fitted, key=lambda model: _score(model.predict(vectors["validation"]), splits["validation"])
    )
    given = best.predict(vectors["test"])
    typer.echo(
        f"{rows} rows: macro-F1 {_score(given, splits['test']):.4f}, "
        f"accuracy {accuracy_score(splits['test'].labels, given):.4f}"
    )
    timed = {"encoder": lambda text: best.predict(source.embed([text])[0])}
    if model is not None:
        timed["Gatewise"] = _open(Store(store).resolve(model))
    for name, milliseconds in _time(timed, splits["test"].texts[:TIMED]).items():
        typer.echo(f"{name}: {milliseconds:.2f} ms a text")


def _open(version: Version) -> Answer:
    """Return what answers from a version."""
    engine, tokenizer = open_engine(version, kind="auto").engine, version.tokenizer
    return lambda text: engine.predict([tokenizer.encode(text)])


def _time(timed: dict[str, Answer], texts: list[str]) -> dict[str, float]:
    """Return median milliseconds of a text, each read by all in turn."""
    taken: dict[str, list[float]] = {name: [] for name in timed}
    for text in texts:
        for name, answer in timed.items():
            started = time.perf_counter()
            answer(text)
            taken[name].append(time.perf_counter() - started)
    return {name: 1_000 * statistics.median(each) for name, each in taken.items()}


def _score(given: np.ndarray, split) -> float:
    return float(f1_score(split.labels, given, average="macro"))


if __name__ == "__main__":
    typer.run(main)
