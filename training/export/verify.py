"""Verifies an exported version: compares the answers of each engine, in fresh processes."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.golden import Probabilities
from models.replay import ENGINES, EngineName, ReplayResult
from training.errors import ExportError
from training.export.cases import awkward_rows
from training.export.early_exit import EVERY, Looks, draw_watched, make_looks
from training.export.replay import draw_timed, median_tokens, replay
from training.prepare import Rows
from training.recipe.classifier import TrainedClassifier

REFERENCE: EngineName = "onnx"  # its answers are kept; those of other engines are compared
AGREEMENT = 1e-5  # absolute, on a probability


@dataclass(frozen=True)
class VerifiedExport:
    """The answers of the exported version, and their speed.

    Args:
        golden: Probabilities of the golden rows, shape (rows, labels).
        splits: The same of each split.
        milliseconds: Median time to answer one text, by engine.
        timed_tokens: Median number of tokens of the timed texts.
        looks: Looks at texts of the first split, for early exit.
    """

    golden: Probabilities
    splits: dict[str, Probabilities]
    milliseconds: dict[str, float]
    timed_tokens: float
    looks: Looks


def verify_export(
    classifier: TrainedClassifier, folder: Path, *, golden: Rows, splits: dict[str, Rows]
) -> VerifiedExport:
    """Compute golden rows and splits with each engine; check that all agree.

    The engines must agree with each other on all rows. On the golden rows and on difficult ones
    they must also agree with the trained classifier. Difficult rows are empty, of one, 2,000 or
    5,000 tokens, and ragged batches. Texts of the first split are timed and looked at.

    Raises:
        ExportError: An engine fails, or probabilities differ by more than AGREEMENT.
    """
    awkward = awkward_rows(vocabulary=classifier.network.get_layer("embedding").input_dim)
    checked = [*golden, *awkward]
    rows = [*checked, *itertools.chain(*splits.values())]
    first = len(next(iter(splits.values())))
    timed = len(checked) + draw_timed(first)
    watched = len(checked) + draw_watched(first)
    results = {
        engine: replay(
            folder,
            rows,
            engine=engine,
            timed=timed,
            watched=watched if engine == REFERENCE else (),
            every=EVERY,
        )
        for engine in ENGINES
    }
    _require_agreement_of_all(results, trained=classifier.probabilities(checked))
    reference = results[REFERENCE]
    ends = np.cumsum([len(ids) for ids in splits.values()])
    parts = np.split(reference.probabilities[len(checked) :], ends[:-1])
    return VerifiedExport(
        golden=reference.probabilities[: len(golden)],
        splits=dict(zip(splits, parts, strict=True)),
        milliseconds={engine: found.median_milliseconds for engine, found in results.items()},
        timed_tokens=median_tokens(rows, timed=timed),
        looks=make_looks(
            reference.looks,
            [rows[row] for row in watched],
            thresholds=classifier.thresholds,
            ngrams=classifier.ngram_lookup,
        ),
    )


def _require_agreement_of_all(
    results: Mapping[EngineName, ReplayResult], *, trained: Probabilities
) -> None:
    """Compare each engine with training on the first rows, and with the reference on all rows."""
    for engine, found in results.items():
        first = found.probabilities[: len(trained)]
        _require_agreement(first, trained, what=f"{engine} and training")
    reference = results[REFERENCE].probabilities
    for engine, found in results.items():
        if engine != REFERENCE:
            what = f"{REFERENCE} and {engine}"
            _require_agreement(found.probabilities, reference, what=what)


def _require_agreement(found: Probabilities, expected: Probabilities, *, what: str) -> None:
    difference = float(np.max(np.abs(found - expected)))
    if not difference <= AGREEMENT:  # also true for a NaN
        raise ExportError(f"{what} differ by {difference:.2g}, more than {AGREEMENT:.0e}")
