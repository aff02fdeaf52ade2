"""Rounding is told from a wrong export: whatever single precision does passes, faults do not."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from models.cells import CELLS, CellLayer, CellName
from models.golden import Probabilities
from models.metadata import Task
from training.errors import ExportError
from training.export.agreement import (
    HARMLESS,
    find_steady,
    pick_unequal,
    require_agreement,
)
from training.export.cases import awkward_rows, rows_of_all_tokens
from training.export.reference import ReferenceAnswers, ReferenceClassifier

VOCABULARY, WIDTH, UNITS, BUCKETS = 60, 8, 6, 101
ROWS = [
    *rows_of_all_tokens(vocabulary=VOCABULARY),
    *(row[:90] for row in awkward_rows(vocabulary=VOCABULARY)[:12]),
]
Classifier = ReferenceClassifier


def draw(
    cell: CellName = "gru",
    *,
    labels: int = 5,
    task: Task = "single_label",
    layers: int = 2,
    sharpness: float = 1.0,
    seed: int = 0,
) -> Classifier:
    """Return a classifier with weights drawn at random, of single precision as trained ones are."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 0.5) -> np.ndarray:
        return random.normal(0, scale, shape).astype(np.float32).astype(np.float64)

    record = CELLS[cell]

    def make_layer(inputs: int) -> CellLayer:
        columns = record.blocks * UNITS
        bias = (columns,) if record.biases == 1 else (record.biases, columns)
        return CellLayer.of(cell, [normal(inputs, columns), normal(UNITS, columns), normal(*bias)])

    return ReferenceClassifier(
        embedding=normal(VOCABULARY, WIDTH),
        layers=tuple(make_layer(UNITS if layer else WIDTH) for layer in range(layers)),
        kernel=normal(3 * UNITS, labels, scale=sharpness),
        bias=normal(labels, scale=sharpness),
        ngrams=normal(BUCKETS, labels, scale=0.2 * sharpness),
        task=task,
    )


def compute_single(classifier: Classifier, rows: list[list[int]] = ROWS) -> Probabilities:
    """Return what an engine of single precision answers."""
    layers = (
        CellLayer.of(each.cell, [array.astype(np.float32) for array in each.weights.values()])
        for each in classifier.layers
    )
    names = ("embedding", "kernel", "bias", "ngrams")
    arrays: dict[str, Any] = {name: getattr(classifier, name) for name in names}
    single = {
        name: None if each is None else each.astype(np.float32) for name, each in arrays.items()
    }
    engine = replace(classifier, layers=tuple(layers), **single)
    logits = engine.answer(rows, draws=0).logits
    assert logits.dtype == np.float32
    return softmax(logits, axis=1) if classifier.task == "single_label" else expit(logits)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", ["single_label", "multi_label"])
@pytest.mark.parametrize(("labels", "sharpness"), [(2, 1), (5, 30), (100, 8)])
@pytest.mark.parametrize("seed", [0, 1])
def test_rounding_is_no_fault(
    cell: CellName, task: Task, labels: int, sharpness: float, seed: int
) -> None:
    classifier = draw(cell, labels=labels, task=task, sharpness=sharpness, seed=seed)
    (difference,) = require_agreement(
        {"engine": compute_single(classifier)}, classifier.answer(ROWS)
    )
    assert 0 < difference.share < 0.5


@pytest.mark.medium
def test_a_long_text_has_a_wider_bound_than_a_short_one() -> None:
    rows = [[5, 6, 7], np.random.default_rng(0).integers(1, VOCABULARY, 600).tolist()]
    short, long = draw("lstm").answer(rows).rounding
    assert long > 2 * short
    assert draw(sharpness=10).answer(rows).rounding[0] > 5 * draw().answer(rows).rounding[0]


def swap_gates(layer: CellLayer) -> CellLayer:
    def swap(array: np.ndarray) -> np.ndarray:
        blocks = np.split(array, CELLS[layer.cell].blocks, axis=-1)
        return np.concatenate([blocks[1], blocks[0], *blocks[2:]], axis=-1)

    return CellLayer.of(layer.cell, [swap(array) for array in layer.weights.values()])


def swap_rows(table: np.ndarray, one: int, other: int) -> np.ndarray:
    order = np.arange(len(table))
    order[[one, other]] = other, one
    return table[order]


def change(array: np.ndarray, place: Any, factor: float) -> np.ndarray:
    changed = array.copy()
    changed[place] *= factor
    return changed


def change_layer(classifier: Classifier, part: str, place: Any, factor: float) -> Classifier:
    first, *rest = classifier.layers
    weights = {**first.weights, part: change(first.weights[part], place, factor)}
    return replace(classifier, layers=(CellLayer(first.cell, weights), *rest))


def reorder_pool(classifier: Classifier, *order: int) -> Classifier:
    parts = np.split(classifier.kernel, 3)
    return replace(classifier, kernel=np.concatenate([parts[place] for place in order]))


FAULTS: dict[str, Callable[[Classifier], Classifier]] = {
    "two gates swapped": lambda c: replace(c, layers=(swap_gates(c.layers[0]), *c.layers[1:])),
    "two gates of the last layer swapped": lambda c: replace(
        c, layers=(*c.layers[:-1], swap_gates(c.layers[-1]))
    ),
    "one weight of a gate wrong": lambda c: change_layer(c, "recurrent", (2, 3), -1),
    "one bias lost": lambda c: change_layer(c, "bias", (..., 4), 0),
    "one row of the embedding wrong": lambda c: replace(c, embedding=swap_rows(c.embedding, 7, 8)),
    "the last row of the embedding wrong": lambda c: replace(
        c, embedding=change(c.embedding, VOCABULARY - 1, -1)
    ),
    "a layer lost": lambda c: replace(c, layers=c.layers[:-1]),
    "the n-grams lost": lambda c: replace(c, ngrams=None),
    "the scale of the n-grams wrong": lambda c: replace(c, ngrams=1.01 * c.ngrams),
    "one n-gram wrong": lambda c: replace(c, ngrams=change(c.ngrams, 17, -1)),
    "the head transposed": lambda c: replace(c, kernel=c.kernel.reshape(c.kernel.shape[::-1]).T),
    "the labels permuted": lambda c: replace(
        c, kernel=np.roll(c.kernel, 1, axis=1), bias=np.roll(c.bias, 1)
    ),
    "the temperature wrong": lambda c: replace(c, kernel=1.01 * c.kernel),
    "the temperature lost": lambda c: replace(c, kernel=3 * c.kernel, bias=3 * c.bias),
    "maximum and mean of the pool swapped": lambda c: reorder_pool(c, 1, 0, 2),
    "the last state in the place of the mean": lambda c: reorder_pool(c, 0, 2, 1),
    "the maximum of the pool lost": lambda c: replace(c, kernel=change(c.kernel, slice(UNITS), 0)),
}


@functools.cache
def answer_right(cell: CellName, task: Task, labels: int, sharpness: float) -> ReferenceAnswers:
    return draw(cell, labels=labels, task=task, sharpness=sharpness).answer(ROWS)


@pytest.mark.medium
@pytest.mark.parametrize("task", ["single_label", "multi_label"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str, cell: CellName, task: Task) -> None:
    for labels, sharpness in ((5, 1.0), (100, 4.0)):
        right = draw(cell, labels=labels, task=task, sharpness=sharpness)
        wrong = compute_single(FAULTS[fault](right))
        with pytest.raises(ExportError, match=r"^the export is wrong: engine differs from the"):
            require_agreement({"engine": wrong}, answer_right(cell, task, labels, sharpness))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_number_is_a_fault(value: float) -> None:
    classifier = draw()
    found = compute_single(classifier)
    found[3, 1] = value
    with pytest.raises(ExportError, match="by inf in a probability"):
        require_agreement({"engine": found}, classifier.answer(ROWS))


EVEN = ReferenceAnswers(
    logits=np.zeros((2, 2)), rounding=np.array([1e-7, 1e-7]), task="single_label"
)


def answer(distance: float) -> Probabilities:
    return np.array([[0.5, 0.5], [0.5 + distance, 0.5 - distance]])


def test_the_same_distance_is_rounding_where_logits_are_less_exact() -> None:
    (difference,) = require_agreement({"engine": answer(1.2 * HARMLESS)}, sharp := sharpen(EVEN))
    assert difference.share < 1
    with pytest.raises(ExportError):
        require_agreement({"engine": answer(4 * HARMLESS)}, sharp)


def sharpen(reference: ReferenceAnswers) -> ReferenceAnswers:
    return replace(reference, rounding=100 * reference.rounding)


def test_what_rounding_does_not_explain_may_be_harmless() -> None:
    (difference,) = require_agreement({"engine": answer(0.8 * HARMLESS)}, EVEN)
    assert difference.share > 1
    assert difference.harmless
    assert str(difference) == (
        "engine differs from the trained network by 4e-05 in a probability, "
        "19 times what rounding explains"
    )
    with pytest.raises(ExportError):
        require_agreement({"engine": answer(1.2 * HARMLESS)}, EVEN)


def test_of_several_differences_a_harmful_one_is_named() -> None:
    # In the first row far beyond the bound and harmless, in the second less far and harmful.
    logits, rounding = np.zeros((2, 2)), np.array([1e-8, 1e-6])
    found = np.array([[0.5 + 4e-5, 0.5 - 4e-5], [0.5 + 9e-5, 0.5 - 9e-5]])
    reference = ReferenceAnswers(logits=logits, rounding=rounding, task="single_label")
    with pytest.raises(ExportError, match=r"by 9e-05 in a probability"):
        require_agreement({"engine": found}, reference)


def test_a_small_probability_may_not_move_as_far_as_a_large_one() -> None:
    rare = replace(EVEN, logits=np.array([[0.0, 0.0], [-12.0, 0.0]]))
    found = answer(0)
    found[1] = expit(-12.0), expit(12.0)
    require_agreement({"engine": found}, rare)
    found[1] += 6e-6, -6e-6  # doubles the small one, and is less than any fixed distance
    with pytest.raises(ExportError):
        require_agreement({"engine": found}, rare)


def test_the_message_says_what_to_do_and_names_the_engine() -> None:
    with pytest.raises(ExportError) as caught:
        require_agreement({"training": answer(0), "onnx": answer(0.01)}, EVEN)
    message = str(caught.value)
    assert message.startswith("the export is wrong: onnx differs from the trained network by 0.01 ")
    assert message.endswith("install other versions, then give the same command and --resume")


def test_golden_rows_are_those_that_every_engine_answers_alike() -> None:
    answers = {"one": answer(0), "other": answer(0.8 * HARMLESS)}
    assert find_steady(answers, EVEN).tolist() == [True, False]
    assert find_steady({"one": answer(0)}, EVEN).tolist() == [True, True]


def test_unequal_answers_are_judged_first() -> None:
    one = np.array([[0.5, 0.5], [1e-3, 1 - 1e-3], [0.2, 0.8], [np.nan, 1.0]])
    other = one + np.array([[1e-6, 0], [1e-6, 0], [0, 0], [0, 0]])
    assert pick_unequal(one, other).tolist() == [3, 1, 0, 2]
