"""Verifies an exported version: the answers of each engine, in fresh processes.

Every engine, and the trained network itself, is compared with a reference in double precision, see
`agreement.py`. The reference takes longer than an engine. So it reads the golden rows, difficult
ones, all tokens, and of the splits the rows on which two engines differ most and an even sample.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.golden import Probabilities
from models.replay import EXACT_ENGINES, EngineName, ReplayResult
from training.console import console
from training.errors import ExportError
from training.export.agreement import find_steady, pick_unequal, require_agreement
from training.export.cases import LENGTHS, awkward_rows, rows_of_all_tokens
from training.export.early_exit import EVERY, Looks, draw_watched, make_looks
from training.export.reference import ReferenceClassifier
from training.prepare import Rows
from training.recipe.classifier import TrainedClassifier
from training.replay import draw_timed, median_tokens, replay

REFERENCE: EngineName = "onnx"  # its answers are kept; those of other engines are compared
TRAINING = "training"  # the network as it was fitted, in the place of an engine
JUDGED = 40  # rows of the splits by difference, and as many evenly
JUDGED_TOKENS = 40_000  # of all these rows


@dataclass(frozen=True)
class VerifiedExport:
    """The answers of the exported version, and their speed.

    Args:
        golden: Probabilities of the golden rows, shape (rows, labels).
        steady: Which of the golden rows rounding leaves as they are, shape (rows,).
        splits: Probabilities of each split.
        milliseconds: Median time to answer one text, by engine.
        timed_tokens: Median number of tokens of the timed texts.
        looks: Looks at texts of the first split, for early exit.
    """

    golden: Probabilities
    steady: NDArray[np.bool_]
    splits: dict[str, Probabilities]
    milliseconds: dict[str, float]
    timed_tokens: float
    looks: Looks


def verify_export(
    classifier: TrainedClassifier, folder: Path, *, golden: Rows, splits: dict[str, Rows]
) -> VerifiedExport:
    """Compute golden rows and splits with each engine; check that all are right.

    Difficult rows are empty, of one, 2,000 or 5,000 tokens, and ragged batches. Texts of the first
    split are timed and looked at.

    Raises:
        ExportError: An engine fails, or its answers differ by more than rounding explains.
    """
    vocabulary = classifier.network.get_layer("embedding").input_dim
    difficult = [*awkward_rows(vocabulary=vocabulary), *rows_of_all_tokens(vocabulary=vocabulary)]
    checked = [*golden, *difficult]
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
        for engine in EXACT_ENGINES
    }
    steady = _require_agreement_of_all(results, classifier, rows, checked=len(checked))
    reference = results[REFERENCE]
    ends = np.cumsum([len(ids) for ids in splits.values()])
    parts = np.split(reference.probabilities[len(checked) :], ends[:-1])
    return VerifiedExport(
        golden=reference.probabilities[: len(golden)],
        steady=steady[: len(golden)],
        splits=dict(zip(splits, parts, strict=True)),
        milliseconds={engine: found.median_milliseconds for engine, found in results.items()},
        timed_tokens=median_tokens(rows, timed=timed),
        looks=make_looks(
            reference.looks,
            [rows[row] for row in watched],
            rule=classifier.rule,
            ngrams=classifier.ngram_lookup,
        ),
    )


def _require_agreement_of_all(
    results: Mapping[EngineName, ReplayResult],
    classifier: TrainedClassifier,
    rows: Rows,
    *,
    checked: int,
) -> NDArray[np.bool_]:
    """Compare engines and training with the reference; return which judged rows are steady.

    Args:
        results: What each engine answers to all rows.
        classifier: The trained classifier.
        rows: All rows.
        checked: Number of the first rows, which are all judged.

    Raises:
        ExportError: An answer is no number, or differs by more than rounding explains.
    """
    for engine, found in results.items():
        if not np.isfinite(found.probabilities).all():
            raise ExportError(f"the export is wrong: {engine} answers what is no number")
    judged = [*range(checked), *_choose_judged(results, rows, first=checked)]
    texts = [rows[row] for row in judged]
    with console.status("checking in double precision"):
        reference = ReferenceClassifier.of(classifier).answer(texts)
        answers = {engine: found.probabilities[judged] for engine, found in results.items()}
        with _whole_single_precision():
            every = {TRAINING: classifier.probabilities(texts), **answers}
    for difference in require_agreement(every, reference):
        if difference.share > 1:
            console.print(f"note: {difference}; too little to matter")
    return find_steady(answers, reference)


@contextmanager
def _whole_single_precision() -> Iterator[None]:
    """Let a GPU not shorten numbers to 19 bits (TensorFloat-32) while entered."""
    switch = tf.config.experimental
    before = switch.tensor_float_32_execution_enabled()
    switch.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        switch.enable_tensor_float_32_execution(before)


def _choose_judged(
    results: Mapping[EngineName, ReplayResult], rows: Rows, *, first: int
) -> list[int]:
    """Return rows of the splits for the reference: the most unequal answers, and an even sample.

    Rows longer than all difficult ones are left out, and rows beyond JUDGED_TOKENS.
    """
    answers = {engine: found.probabilities[first:] for engine, found in results.items()}
    reference = answers.pop(REFERENCE)
    unequal = [pick_unequal(reference, other)[:JUDGED].tolist() for other in answers.values()]
    even = np.linspace(0, len(reference) - 1, JUDGED).astype(int).tolist()
    chosen: dict[int, int] = {}  # the tokens of each row
    for place in itertools.chain(*itertools.zip_longest(*unequal, even)):
        if place is None or (row := first + place) in chosen:
            continue
        length = len(rows[row])
        if length <= max(LENGTHS) and sum(chosen.values()) + length <= JUDGED_TOKENS:
            chosen[row] = length
    return sorted(chosen)
