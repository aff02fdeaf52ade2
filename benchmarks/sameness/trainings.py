"""Compares the bytes that both checkouts publish from the same data and seed."""

from pathlib import Path

from benchmarks.sameness.checkout import Checkout, Pair
from benchmarks.sameness.made_up import write_reviews, write_tags, write_unlabeled
from benchmarks.sameness.published import STRIPPED, require_same_version
from benchmarks.sameness.report import Report

TINY = ("--vocabulary=300", "--units=8", "--embedding=8", "--batch=16", "--learning-rate=0.02")
NAME = "tiny"


def compare_trainings(pair: Pair, report: Report) -> None:
    """Compare small trainings with each cell, with several labels, and with unlabelled texts."""
    data = pair.folder("training-data")
    reviews = f"--dataset={write_reviews(data / 'reviews')}"
    tags = f"--dataset={write_tags(data / 'tags.jsonl')}"
    more = f"--unlabeled={write_unlabeled(data / 'more.csv')}"
    kinds = {
        "rnn": [reviews, "--cell=rnn", "--epochs=2", "--no-ngrams"],
        "gru": [reviews, "--cell=gru", "--epochs=3", "--subwords", "--seed=5"],
        "lstm": [reviews, "--cell=lstm", "--epochs=2", "--layers=2", "--class-weight=balanced"],
        "several labels": [tags, "--epochs=2", "--class-weight=balanced", "--adversarial=0"],
        "unlabelled": [reviews, more, "--epochs=1", "--pretraining=1", "--self-training=1"],
    }
    for kind, options in kinds.items():
        folder = pair.folder(f"train-{kind.replace(' ', '-')}")

        def train(checkout: Checkout, place: Path = folder, given: list[str] = options) -> Path:
            return train_well(checkout, place / checkout.side, *given)

        before, after = pair.both(train)
        files = require_same_version(f"training, {kind}", before, after)
        report.same(f"training, {kind}: {files} published files")
    for stripped in STRIPPED:
        report.note(f"left out of the comparison of versions, {stripped}")


def train_well(checkout: Checkout, folder: Path, *options: str) -> Path:
    """Train in a checkout; return the folder of the published version."""
    checkout.run_well(*command(folder, *options))
    return published(folder)


def command(folder: Path, *options: str) -> list[str]:
    """Return the arguments of a small training with store and checkpoints in a folder."""
    places = [f"--store={folder / 'store'}", f"--work={folder / 'work'}"]
    return ["-m", "training", "train", f"--name={NAME}", *TINY, *places, *options]


def published(folder: Path) -> Path:
    """Return the folder of the version that a training with this folder publishes."""
    return folder / "store" / NAME / "1"
