"""Fits what is missing, and counts right answers on test rows."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.alternatives.lineup import DATASETS, LINEUP, ONE_THREAD, Alternative, Entry
from benchmarks.alternatives.models.fit import FITTED
from benchmarks.alternatives.models.rows import Rows, Splits
from benchmarks.alternatives.ours import judge
from benchmarks.alternatives.places import Places
from benchmarks.serving.environments import make_environment
from benchmarks.serving.results import Record, Results
from benchmarks.serving.server import ROOT
from training.data.sources import load_source
from training.data.splits import LabelledData, Split, read_data

SEED = 1  # of the validation rows, that of `train`


def fit_missing(results: Results, *, places: Places, console: Console) -> None:
    """Fit and judge each entry that has no accuracy yet."""
    for texts, dataset in DATASETS.items():
        accuracies = results.part("accuracy").setdefault(texts, {})
        missing = [e for e in LINEUP if e.texts == texts and e.name not in accuracies]
        if not missing:
            continue
        source = load_source(str(places.data / dataset), config=None, revision=None)
        splits = to_splits(read_data(source, seed=SEED))
        for entry in missing:
            if isinstance(entry, Alternative) and places.lacks(entry):
                console.print(f"{texts}: {entry.name} is left out, it needs --{entry.source}")
                continue
            console.print(f"{texts}: {entry.name}")
            accuracies[entry.name] = _fit(entry, splits, places=places)
            results.save()


def to_splits(data: LabelledData) -> Splits:
    """Return the rows for alternatives: those that train, decide and judge Gatewise, too.

    Raises:
        ValueError: There are no labelled test rows.
    """
    if data.test is None:
        raise ValueError("the dataset has no labelled test rows")
    whole = np.flatnonzero(data.validation.whole)  # only these decide
    deciding = data.validation.take(whole, name="validation")
    train, validation, test = map(_to_rows, (data.train, deciding, data.test))
    return Splits(list(data.labels), train, validation, test)


def _to_rows(split: Split) -> Rows:
    return Rows(split.texts, [int(label) for label in split.labels])


def _fit(entry: Entry, splits: Splits, *, places: Places) -> Record:
    """Return the right answers on test rows, and what was chosen."""
    if not isinstance(entry, Alternative):
        return judge(entry, splits.test, labels=splits.labels, places=places)
    fitted = entry.folder(places.work) / FITTED
    if not fitted.exists():
        drawn = splits.draw(train=entry.most_train, test=entry.most_test)
        _fit_apart(entry, drawn, places=places)
    found: Record = json.loads(fitted.read_text())
    return found


def _fit_apart(entry: Alternative, splits: Splits, *, places: Places) -> None:
    """Fit an alternative in its own environment."""
    environment = places.environments / entry.contestant(places.work).environment_name
    programs = make_environment(entry.packages, folder=environment)
    source = places.sources.get(entry.source) if entry.source else None
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.json"
        splits.save(rows)
        command = [programs / "python", "-m", "benchmarks.alternatives.models.fit", entry.model]
        command += [rows, entry.folder(places.work).resolve()]
        command += [source.resolve()] if source else []
        variables = ONE_THREAD | {"PYTHONPATH": str(ROOT)}
        subprocess.run(list(map(str, command)), cwd=ROOT, env=os.environ | variables, check=True)
