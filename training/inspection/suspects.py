"""Finds labels that are likely wrong: a model fitted on other rows contradicts them.

A label is suspicious if the model gives it less probability than the mean of that label's rows.
Rare labels, which always have low probabilities, so do not come first (self-confidence and class
thresholds as in Northcutt, Jiang and Chuang, "Confident learning", JAIR 2021). Rows with the same
text and another label add suspicion. Rows that break the order of a sorted split come before all
others. Their labels are seldom right, while a model doubts many right ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from training.inspection.features import weigh_pieces, weigh_words
from training.inspection.findings import Suspect, Suspicion
from training.inspection.out_of_fold import FOLDS, Watch, judge_unseen
from training.inspection.table import Table
from training.inspection.words import Words
from training.targets import UNLABELLED

MOST = 300  # suspects
LEAST_ROWS = FOLDS  # of a class that can be judged
# Pieces of words make the model better, but much slower with many classes or long texts. Above this
# number of characters times classes, the model uses whole words only.
PIECES_LIMIT = 20_000_000


def find_suspects(
    table: Table,
    words: Words,
    *,
    agreement: NDArray[np.float64],
    expected: NDArray[np.int64],
    seed: int,
    watch: Watch = iter,
) -> Suspicion | None:
    """Return the labels most likely wrong; None where there are too few rows to judge any.

    Args:
        table: All rows. Rows without words or label are not judged.
        words: Words of the rows.
        agreement: Share of the rows with the same text that have the same labels, shape (rows,).
        expected: Class index that the order predicts for each row that breaks it, else UNLABELLED,
            shape (rows,).
        seed: Decides which rows are judged by the same model.
        watch: Takes the folds and yields them, to show progress.
    """
    cases = _choose_cases(table, words)
    if cases.given.shape[1] < (1 if table.multi_label else 2):
        return None
    features = _see(words, classes=len(cases.classes))[cases.rows]
    judged = judge_unseen(
        features, cases.given, exclusive=not table.multi_label, seed=seed, watch=watch
    )
    rank = _rank_several if table.multi_label else _rank_one
    ranking = rank(cases.given, judged, agreement[cases.rows])
    order = _put_in_order(ranking, broken=expected[cases.rows] != UNLABELLED)
    return Suspicion(
        len(cases.rows),
        ranking.accuracy,
        tuple(
            _make_suspect(table, cases, ranking, case, expected=int(expected[cases.rows[case]]))
            for case in order.tolist()
        ),
    )


@dataclass(frozen=True)
class _Cases:
    """Rows and classes that can be judged.

    Args:
        rows: Rows of the table, shape (cases,).
        classes: Class indices, shape (classes,).
        given: Whether each row has each class, shape (cases, classes).
    """

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    given: NDArray[np.bool_]


def _choose_cases(table: Table, words: Words) -> _Cases:
    rows = np.flatnonzero((table.codes != UNLABELLED) & (words.counts > 0))
    labels = table.labels[rows]
    every = labels == 1 if table.multi_label else labels[:, None] == np.arange(len(table.classes))
    classes = np.flatnonzero(every.sum(axis=0) >= LEAST_ROWS)
    given = every[:, classes]
    judged = given.any(axis=1) | table.multi_label
    return _Cases(rows[judged], classes, given[judged])


def _see(words: Words, *, classes: int) -> csr_array:
    features = weigh_words(words)
    lengths = np.array([len(word) for word in words.spellings])
    if lengths[words.ids].sum() * classes > PIECES_LIMIT:
        return features
    return csr_array(hstack([features, weigh_pieces(words)]))


@dataclass(frozen=True)
class _Ranking:
    """How credible a model finds the labels of the cases.

    Args:
        credibility: Credibility of each case's labels, shape (cases,).
        doubted: Whether the model would give other labels, shape (cases,).
        column: Class to remove from each case, or to add if the case does not have it.
        instead: Class to give in its place, -1 for none.
        probability: Probability that the case is right about `column`, shape (cases,).
        accuracy: Share of the labels on which model and dataset agree.
    """

    credibility: NDArray[np.float64]
    doubted: NDArray[np.bool_]
    column: NDArray[np.int64]
    instead: NDArray[np.int64]
    probability: NDArray[np.float64]
    accuracy: float


def _rank_one(
    given: NDArray[np.bool_], judged: NDArray[np.float64], agreement: NDArray[np.float64]
) -> _Ranking:
    """Rank cases with one class each."""
    others = np.where(given, 0, judged)
    column, instead = given.argmax(axis=1), others.argmax(axis=1)
    probability = judged[given]
    credibility = _compare(judged, applies=given)[given] * agreement
    doubted = probability * agreement < others.max(axis=1)
    accuracy = float((judged.argmax(axis=1) == column).mean())
    return _Ranking(credibility, doubted, column, instead, probability, accuracy)


def _rank_several(
    given: NDArray[np.bool_], judged: NDArray[np.float64], agreement: NDArray[np.float64]
) -> _Ranking:
    """Rank cases with any number of classes, each by its least credible class."""
    believed = np.where(given, judged, 1 - judged)
    compared = np.where(
        given, _compare(judged, applies=given), _compare(1 - judged, applies=~given)
    )
    column = compared.argmin(axis=1)
    every = np.arange(len(given))
    probability = believed[every, column]
    credibility = compared[every, column] * agreement
    doubted = probability * agreement < 0.5
    accuracy = float((believed > 0.5).mean())
    instead = np.full(len(given), -1)
    return _Ranking(credibility, doubted, column, instead, probability, accuracy)


def _compare(
    probability: NDArray[np.float64], *, applies: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Divide the probabilities of each class by their mean over the rows of the class."""
    typical = np.where(applies, probability, 0).sum(axis=0) / np.maximum(applies.sum(axis=0), 1)
    compared: NDArray[np.float64] = probability / np.maximum(typical, np.finfo(float).tiny)
    return compared


def _put_in_order(ranking: _Ranking, *, broken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return at most MOST suspicious cases; those that break an order come first."""
    order = np.lexsort((ranking.credibility, ~broken))
    return order[(broken | ranking.doubted)[order]][:MOST]


def _make_suspect(
    table: Table, cases: _Cases, ranking: _Ranking, case: int, *, expected: int
) -> Suspect:
    row = int(cases.rows[case])
    given, probability = table.name_labels(row), float(ranking.probability[case])
    if expected != UNLABELLED:
        return Suspect(table.place(row), given, (table.classes[expected],), probability, "order")
    changed = {table.classes[cases.classes[ranking.column[case]]]}
    if ranking.instead[case] >= 0:
        changed.add(table.classes[cases.classes[ranking.instead[case]]])
    proposed = tuple(name for name in table.classes if name in changed.symmetric_difference(given))
    return Suspect(table.place(row), given, proposed, probability, "text")
