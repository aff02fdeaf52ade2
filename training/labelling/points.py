"""Fits classifiers to growing numbers of rows; keeps what each decides about validation rows."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from models import __version__
from models.metadata import FORMAT_VERSION
from training.console import console, hushed
from training.errors import TrainingError
from training.linear.baseline import fit_baseline
from training.prepare import thin
from training.recipe.classifier import TrainedClassifier
from training.recipe.learn import learn
from training.report.tallies import Decisions
from training.run import Run, start_repeatably
from training.workspace.atomic import save_arrays

FEWEST = 50  # rows of the smallest point
FEWEST_OF_CLASS = 5  # the same for each class, on average
MOST_POINTS = 6


@dataclass(frozen=True)
class Draw:
    """One training: how many rows it has, and the seed that draws them.

    The seed decides weights, order and dropout too.
    """

    rows: int
    seed: int


@dataclass(frozen=True)
class Decided:
    """What was decided about the validation rows, each of shape (rows,) or (rows, labels)."""

    network: Decisions
    baseline: Decisions


def choose_sizes(rows: int, *, classes: int) -> list[int]:
    """Return numbers of rows that double, up to all.

    Raises:
        TrainingError: There are too few rows for two points.
    """
    fewest = max(FEWEST, FEWEST_OF_CLASS * classes)
    sizes = [rows]
    while len(sizes) < MOST_POINTS and sizes[-1] // 2 >= fewest:
        sizes.append(sizes[-1] // 2)
    if len(sizes) == 1:
        raise TrainingError(
            f"{rows:,} rows of train are too few for a curve; {2 * fewest:,} at least are needed"
        )
    return sizes[::-1]


def find_point(run: Run, draw: Draw, *, folder: Path) -> Decided:
    """Return what a training decides, kept in `folder` or found anew.

    Args:
        run: The training on all rows.
        draw: The rows of this one.
        folder: Where decisions are kept, by all that decides them.

    Raises:
        TrainingError: The fit failed, or a kept file is broken.
        Interrupted: A signal asked for the end.
    """
    path = folder / f"{_identify(run, draw)}.npz"
    if path.is_file():
        return _load(path, rows=int(run.honest.sum()))
    decided, _ = fit_point(run, draw)
    save_arrays({"network": decided.network, "baseline": decided.baseline}, path=path)
    return decided


def fit_point(run: Run, draw: Draw) -> tuple[Decided, TrainedClassifier]:
    """Return what a training on drawn rows decides, and its classifier."""
    known = run.pretrained.tokenizer if run.pretrained is not None else None
    prepared = thin(run.prepared, draw.rows, seed=draw.seed, settings=run.settings, known=known)
    one = replace(
        run,
        prepared=prepared,
        settings=replace(run.settings, seed=draw.seed),
        resume=False,
    )
    start_repeatably(draw.seed)
    linear = fit_baseline(prepared.data, score=one.score, seed=draw.seed)
    classifier = learn(one).classifier
    one.clean_up()
    probabilities = classifier.probabilities(one.judges.ids)
    network = classifier.rule.choose(probabilities)
    of_baseline = linear.probabilities["validation"][run.honest]
    return Decided(network, linear.rule.choose(of_baseline)), classifier


def fit_all(run: Run) -> TrainedClassifier:
    """Return the classifier of a training on all rows."""
    rows = len(run.prepared.data.train)
    with console.status(f"fitting all {rows:,} rows"), hushed():
        return fit_point(run, Draw(rows, run.settings.seed))[1]


def _identify(run: Run, draw: Draw) -> str:
    data = run.prepared.data
    everything = run.settings.record() | {
        "train": data.train.sha256,
        "validation": data.validation.sha256,
        "origins": {name: record.sha256 for name, record in run.origins.items()},
        "draw": [draw.rows, draw.seed],
        "release": __version__,
        "format": FORMAT_VERSION,
    }
    content = json.dumps(everything, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:24]


def _load(path: Path, *, rows: int) -> Decided:
    try:
        with path.open("rb") as file, np.load(file) as content:
            found = Decided(content["network"], content["baseline"])
        if len(found.network) != rows or len(found.baseline) != rows:
            raise ValueError(f"{len(found.network)} rows in place of {rows}")
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise TrainingError(f"{path} holds no decisions ({error}); delete it") from error
    return found
