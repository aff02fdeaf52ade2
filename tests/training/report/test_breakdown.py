"""What a split is taken apart into adds up to the split."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference_matrix
from sklearn.metrics import precision_recall_fscore_support

from tests.rules import LIKELIEST, several
from tests.training.report.known_results import multi_split, single_split
from training.report.breakdown import (
    by_class,
    by_length,
    confusion_matrix,
    surest_mistakes,
    worst_pairs,
)
from training.report.tallies import tally

LABELS = ["a", "b", "c"]


def test_classes_are_those_of_scikit_learn() -> None:
    split = single_split(classes=3)
    decided = LIKELIEST.choose(split.probabilities)
    tallied = tally(split.labels, [decided], labels=3)[0]
    found = by_class(tallied, labels=LABELS, thresholds=None)
    expected = zip(*precision_recall_fscore_support(split.labels, decided), strict=True)
    for each, (precision, recall, f1, support) in zip(found, expected, strict=True):
        assert each["precision"]["value"] == pytest.approx(precision)
        assert each["recall"]["value"] == pytest.approx(recall)
        assert each["f1"]["value"] == pytest.approx(f1)
        assert each["f1"]["low"] < f1 < each["f1"]["high"]
        assert each["support"] == support
    cells = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    assert [sum(each[cell] for cell in cells) for each in found] == [300] * 3


def test_a_label_that_is_never_given_has_no_precision() -> None:
    tallied = tally(np.array([0, 1]), [np.array([0, 0])], labels=3)[0]
    _, missed, absent = by_class(tallied, labels=LABELS, thresholds=None)
    assert np.isnan(missed["precision"]["value"])
    assert (missed["recall"]["value"], missed["f1"]["value"]) == (0, 0)
    assert np.isnan([absent["recall"]["value"], absent["f1"]["value"], absent["f1"]["low"]]).all()


def test_confusions() -> None:
    split = single_split(classes=3, strength=1.5)
    decided = LIKELIEST.choose(split.probabilities)
    matrix = confusion_matrix(split.labels, decided, labels=3)
    assert np.array_equal(matrix, reference_matrix(split.labels, decided))
    pairs = worst_pairs(matrix, labels=LABELS)
    assert sum(pair["rows"] for pair in pairs) == np.sum(decided != split.labels)
    assert [pair["rows"] for pair in pairs] == sorted((p["rows"] for p in pairs), reverse=True)
    assert all(pair["truth"] != pair["predicted"] for pair in pairs)
    first = pairs[0]
    of_class = np.sum(split.labels == LABELS.index(first["truth"]))
    assert first["share"] == pytest.approx(first["rows"] / of_class)


def test_lengths_are_in_bins_of_about_equally_many_rows() -> None:
    lengths = np.random.default_rng(0).permutation(1_000)
    bins = by_length(lengths, lengths < 500)
    assert [(bin["shortest"], bin["longest"]) for bin in bins[:2]] == [(0, 99), (100, 199)]
    assert [bin["rows"] for bin in bins] == [100] * 10
    assert [bin["accuracy"]["value"] for bin in bins] == [1] * 5 + [0] * 5


@pytest.mark.parametrize("lengths", [[7] * 500, [0], [0] * 300 + [5] * 200])
def test_rows_of_one_length_are_in_one_bin(lengths: list[int]) -> None:
    bins = by_length(np.array(lengths), np.ones(len(lengths), bool))
    assert [bin["shortest"] for bin in bins] == [bin["longest"] for bin in bins]
    assert {bin["shortest"] for bin in bins} == set(lengths)


def test_surest_mistakes_of_one_label() -> None:
    split = replace(single_split(classes=3), row_numbers=np.arange(300) + 7_000)
    decided, baseline = (LIKELIEST.choose(each) for each in (split.probabilities, split.baseline))
    found = surest_mistakes(split, decided, baseline=baseline, labels=LABELS)
    assert 0 < len(found) <= 20
    chances = [mistake["probability"] for mistake in found]
    assert chances == sorted(chances, reverse=True)
    for mistake in found:
        row = mistake["row"] - 7_000
        assert LABELS[split.labels[row]] == mistake["truth"] != mistake["decided"]
        assert LABELS[decided[row]] == mistake["decided"]
        assert LABELS[baseline[row]] == mistake["baseline"]
        assert mistake["probability"] == pytest.approx(split.probabilities[row].max())
        assert mistake["tokens"] == split.lengths[row]


def test_surest_mistakes_of_many_labels() -> None:
    split = replace(
        multi_split(rows=2, classes=2),
        labels=np.array([[1, 0], [0, 0]], np.int32),
        probabilities=np.array([[0.05, 0.9], [0.1, 0.2]], np.float32),
        lengths=np.array([3, 4]),
    )
    decided = several(0.5, 0.5).choose(split.probabilities)
    missed, wrong = surest_mistakes(split, decided, baseline=None, labels=["x", "y"])
    assert (missed["row"], missed["truth"], missed["decided"]) == (0, "x", "not x")
    assert missed["probability"] == pytest.approx(0.95)
    assert (wrong["row"], wrong["truth"], wrong["decided"]) == (0, "not y", "y")
    assert wrong["probability"] == pytest.approx(0.9)


def test_no_mistakes() -> None:
    split = single_split(strength=90.0)
    decided = LIKELIEST.choose(split.probabilities)
    assert surest_mistakes(split, decided, baseline=None, labels=["a", "b"]) == []


def test_a_mistake_has_the_probability_of_the_label_that_was_given() -> None:
    split = single_split(strength=1.0)
    decided = 1 - split.labels
    (first, *_) = surest_mistakes(split, decided, baseline=None, labels=["a", "b"])
    given = split.probabilities[np.arange(split.rows), decided]
    assert first["probability"] == pytest.approx(given.max())
