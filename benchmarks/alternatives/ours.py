"""Versions of Gatewise: finds them, trains the one of sentences, and judges them."""

import subprocess
import sys

import numpy as np

from benchmarks.alternatives.lineup import DATASETS, SENTENCES, Ours
from benchmarks.alternatives.models.rows import Rows
from benchmarks.alternatives.places import Places
from benchmarks.native.accuracy import answer
from benchmarks.serving.place import STORE
from benchmarks.serving.results import Record
from benchmarks.serving.server import ROOT
from models.decisions import DecisionRule
from models.registry import Store
from models.versions import Version
from service.engines.loading import open_engine

TRAINED = "sst2"  # the version that is not shipped


def find_version(name: str, *, places: Places) -> Version:
    """Return a version by name, trained here or shipped."""
    return Store(places.store if name == TRAINED else STORE).resolve(name)


def judge(entry: Ours, test: Rows, *, labels: list[str], places: Places) -> Record:
    """Return the right answers of a version on test rows; train it first if it is missing."""
    if entry.version == TRAINED and TRAINED not in Store(places.store).names():
        _train(places)
    version = find_version(entry.version, places=places)
    engine = open_engine(version, kind=entry.engine).engine
    ids = [np.array(version.tokenizer.encode(text), np.int32) for text in test.texts]
    chosen = DecisionRule.of(version.metadata).choose(answer(engine, ids, version=version))
    found = [labels.index(version.metadata.labels[label]) for label in chosen]
    return {"right": test.count_right(found), "rows": len(ids), "engine": engine.name}


def _train(places: Places) -> None:
    """Train the version of sentences by the defaults."""
    command = [sys.executable, "-m", "training", "train", "--text-column", "sentence"]
    command += ["--dataset", str((places.data / DATASETS[SENTENCES]).resolve())]
    command += ["--name", TRAINED, "--store", str(places.store.resolve())]
    command += ["--work", str(places.work.resolve() / "training")]
    subprocess.run(command, cwd=ROOT, check=True)
