import csv
import gc
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import hypothesis
import pytest

from models.registry import Store
from models.versions import Version

pytest_plugins = ["tests.effort", "tests.measuring", "tests.selection", "tests.variants"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # then other processes use the other cores
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("patient")
os.environ.pop("MLFLOW_TRACKING_URI", None)  # else what is trained here would be logged there


def pytest_collection_finish() -> None:
    """Let garbage collections pass over what was imported, which lives to the end."""
    gc.collect()
    gc.freeze()


def write_reviews(path: Path, *, rows: int = 240, seed: int = 0) -> Path:
    """Write made-up reviews whose label a few words decide, under odd column names."""
    draw = random.Random(seed)
    kinds = {"like": ["lovely", "superb", "great"], "dislike": ["dull", "awful", "boring"]}
    filler = ["the", "plot", "was", "an", "evening", "with", "actors", "and", "music", "it", "is"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Was it any good?", "what they wrote", "no."])
        for row in range(rows):
            label = draw.choice(sorted(kinds))
            words = [*draw.choices(filler, k=draw.randint(3, 30)), draw.choice(kinds[label])]
            draw.shuffle(words)
            writer.writerow([label, " ".join(words), row])
    return path


def write_tags(path: Path, *, rows: int = 240, seed: int = 0) -> Path:
    """Write made-up messages with none to three tags, each of which has a word of its own."""
    import pyarrow as pa
    from pyarrow import parquet

    draw = random.Random(seed)
    words = {"food": "soup", "price": "expensive", "staff": "waiter"}
    filler = ["the", "was", "an", "evening", "with", "and", "table", "it", "is", "again"]
    texts, tags = [], []
    for _ in range(rows):
        tags.append([tag for tag in words if draw.random() < 0.4])
        told = [*draw.choices(filler, k=draw.randint(2, 20)), *(words[tag] for tag in tags[-1])]
        draw.shuffle(told)
        texts.append(" ".join(told))
    parquet.write_table(pa.table({"text": texts, "labels": tags}), path)
    return path


def train_tiny(folder: Path, dataset: Path, **changes: Any) -> Version:
    """Train a small version by the pipeline itself, with the smallest table of n-grams."""
    from tests.measuring import unmeasured
    from training.linear import ngrams
    from training.pipeline import train
    from training.prepare import prepare
    from training.run import Run
    from training.settings import FitSettings, NetworkSettings, TrainSettings

    options: dict[str, Any] = {
        "name": "tiny",
        "vocabulary": 300,
        "network": NetworkSettings(cell="gru", units=8, embedding=8, dropout=0.2),
        "fit": FitSettings(epochs=6, batch=16, learning_rate=0.02),
    }
    settings = TrainSettings(dataset=str(dataset), **options | changes)
    with unmeasured(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "TABLE_BYTES", 1)
        run = Run(prepared=prepare(settings), settings=settings, work=folder / "work")
        return train(run, store=Store(folder / "store"))


def build_once(
    name: str, build: Callable[[Path], Version], *, folders: pytest.TempPathFactory
) -> Version:
    """Return the version that `build` makes in a folder, built by one of all test processes."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return build(folders.mktemp(name))
    folder = folders.getbasetemp().parent / name  # which the processes of a run share
    with filelock.FileLock(folder.with_suffix(".lock")):
        published = Store(folder / "store")
        if not published.names():
            folder.mkdir(exist_ok=True)
            build(folder)
    return published.resolve(*published.names())


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A small version that tells two labels apart; tests that change it change a copy."""
    columns = {"text_column": "what they wrote", "label_column": "Was it any good?"}

    def build(folder: Path) -> Version:
        return train_tiny(folder, write_reviews(folder / "reviews.csv"), **columns)

    return build_once("trained", build, folders=tmp_path_factory)


@pytest.fixture(scope="session")
def trained_tags(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A small version that gives each text any number of three labels; not to be changed."""

    def build(folder: Path) -> Version:
        dataset = write_tags(folder / "tags.parquet")
        return train_tiny(folder, dataset, name="tags", class_weight="balanced")

    return build_once("tags", build, folders=tmp_path_factory)
