"""Counts are those of the rows, and bootstrap samples are shared by all classifiers."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.rules import LIKELIEST, several
from tests.training.report.known_results import multi_split, single_split
from training.report.tallies import tally


def test_figures_of_one_label_are_those_of_scikit_learn() -> None:
    split = single_split(classes=5)
    decided = LIKELIEST.choose(split.probabilities)
    found = tally(split.labels, [decided], labels=5)[0].sample
    assert found.accuracy == np.mean(decided == split.labels)
    assert found.f1 == pytest.approx(f1_score(split.labels, decided, average=None))
    assert found.macro_f1 == pytest.approx(f1_score(split.labels, decided, average="macro"))


def test_figures_of_many_labels_are_those_of_scikit_learn() -> None:
    split = multi_split(classes=4)
    decided = several(*(0.4,) * 4).choose(split.probabilities)
    found = tally(split.labels, [decided], labels=4)[0].sample
    assert found.macro_f1 == pytest.approx(f1_score(split.labels, decided, average="macro"))
    assert found.micro_f1 == pytest.approx(f1_score(split.labels, decided, average="micro"))
    assert found.accuracy == pytest.approx(np.mean(np.all(decided == split.labels, axis=1)))


@pytest.mark.medium
def test_samples_are_drawn_as_rows_are() -> None:
    """Drawing kinds of rows gives the spread that drawing the rows themselves does."""
    split = single_split(rows=400, classes=3, strength=2.0)
    decided = LIKELIEST.choose(split.probabilities)
    found = tally(split.labels, [decided], labels=3)[0].resampled.macro_f1
    draw = np.random.default_rng(5)
    rows = draw.integers(0, split.rows, (1_000, split.rows))
    expected = [f1_score(split.labels[each], decided[each], average="macro") for each in rows[:300]]
    assert np.mean(found) == pytest.approx(np.mean(expected), abs=0.006)
    assert np.std(found) == pytest.approx(np.std(expected), rel=0.15)


def test_samples_are_paired() -> None:
    split = single_split()
    decided = LIKELIEST.choose(split.probabilities)
    first, second = tally(split.labels, [decided, decided.copy()], labels=2)
    assert np.array_equal(first.resampled.macro_f1, second.resampled.macro_f1)
    assert first.resampled.macro_f1.shape == (1_000,)
