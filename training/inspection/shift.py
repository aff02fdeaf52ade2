"""Finds splits whose texts come from elsewhere than those of train.

A linear model that is fitted on other rows tells train and the split apart no better than chance if
both come from one source (the classifier two-sample test: Lopez-Paz and Oquab, ICLR 2017). Words
say what differs. Markup is no language, so tags do not count.
"""

import re

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import roc_auc_score

from training.inspection.findings import MovedWord, Shift
from training.inspection.out_of_fold import FOLDS, judge_unseen
from training.inspection.table import TRAIN, Table
from training.inspection.words import Words, read_words

MOST_ROWS = 2_000  # of a split that are compared
LEAST_ROWS = 5 * FOLDS
LEAST_TEXTS = 2  # that must hold a word
MOVED = 0.05  # share of the rows; a smaller difference moves few answers
TIMES = 3.0  # as often among all words; longer texts hold every word in more rows
ERRORS = 4.0  # standard errors of a difference that is no chance among all words
MOST_WORDS = 10
_TAG = re.compile(r"<[^<>]{1,40}>")


def find_shift(table: Table, *, seed: int = 1) -> tuple[Shift, ...]:
    """Return how well each other split can be told from train, and by which words.

    Args:
        table: All rows. Splits of fewer than LEAST_ROWS texts are not compared.
        seed: Decides which rows are compared.
    """
    random = np.random.default_rng(seed)
    if TRAIN not in table.sizes:
        return ()
    drawn = {split: _draw(table, split, random) for split in table.sizes}
    return tuple(
        _compare(table, drawn[TRAIN], rows, split=split, seed=seed)
        for split, rows in drawn.items()
        if split != TRAIN and min(len(rows), len(drawn[TRAIN])) >= LEAST_ROWS
    )


def _draw(table: Table, split: str, random: np.random.Generator) -> NDArray[np.int64]:
    span = table.spans[split]
    rows = np.array([row for row in range(span.start, span.stop) if table.texts[row].strip()])
    return np.sort(random.permutation(rows)[:MOST_ROWS]).astype(np.int64)


def _compare(
    table: Table, train: NDArray[np.int64], other: NDArray[np.int64], *, split: str, seed: int
) -> Shift:
    words = read_words(_TAG.sub(" ", table.texts[row]) for row in (*train, *other))
    is_other = np.arange(len(words)) >= len(train)
    shortened, _ = _count(_shorten(words, is_other, seed=seed))
    features = csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(shortened))
    judged = judge_unseen(features, is_other[:, None], exclusive=False, seed=seed)[:, 0]
    auc = float(roc_auc_score(is_other, judged))
    error = _standard_error(auc, positives=len(other), negatives=len(train))
    return Shift(
        split=split,
        rows=len(other),
        auc=auc,
        low=max(0.0, auc - 1.96 * error),
        high=min(1.0, auc + 1.96 * error),
        words=_find_moved(*_count(words), is_other),
    )


def _shorten(words: Words, is_other: NDArray[np.bool_], *, seed: int) -> Words:
    """Return words drawn from each text, as many as half of the shorter texts have.

    Else the length alone would tell the texts apart, and lengths are measured elsewhere.
    """
    counts = words.counts
    most = int(min(np.median(counts[is_other]), np.median(counts[~is_other])))
    texts = np.repeat(np.arange(len(words)), counts)
    shuffled = np.lexsort((np.random.default_rng(seed).random(len(texts)), texts))
    kept = np.sort(shuffled[np.arange(len(texts)) - words.starts[:-1][texts] < most])
    starts = np.concatenate([[0], np.cumsum(np.minimum(counts, most))])
    return Words(words.ids[kept], starts, words.spellings)


def _count(words: Words) -> tuple[csr_array, list[str]]:
    """Return the count of each word in each text, shape (texts, words), and the words."""
    texts = np.repeat(np.arange(len(words), dtype=np.int32), words.counts)
    shape = (len(words), len(words.spellings))
    held = (texts, words.ids.astype(np.int32))
    counts = coo_array((np.ones(len(texts)), held), shape=shape).tocsr()
    common = np.bincount(counts.indices, minlength=shape[1]) >= LEAST_TEXTS
    spelled = np.array([any(map(str.isalnum, word)) for word in words.spellings], bool)
    kept = np.flatnonzero(common & spelled)
    return csr_array(counts[:, kept]), [words.spellings[word] for word in kept]


def _standard_error(auc: float, *, positives: int, negatives: int) -> float:
    """Return the standard error of an area under the curve (Hanley and McNeil, 1982)."""
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc) + (positives - 1) * (one - auc**2) + (negatives - 1) * (two - auc**2)
    ) / (positives * negatives)
    return float(np.sqrt(max(variance, 0.0)))


def _find_moved(
    counts: csr_array, spellings: list[str], is_other: NDArray[np.bool_]
) -> tuple[MovedWord, ...]:
    """Return the words that are much more, or much less, frequent in the other split."""
    sides = [csr_array(counts[~is_other]), csr_array(counts[is_other])]
    rows = [side.shape[0] for side in sides]
    shares = [np.bincount(side.indices, minlength=len(spellings)) / side.shape[0] for side in sides]
    rates = [(side.sum(axis=0) + 1) / (side.sum() + len(spellings)) for side in sides]
    ratio = rates[1] / rates[0]
    difference = np.abs(shares[1] - shares[0])
    error = np.sqrt(sum(p * (1 - p) / n for p, n in zip(shares, rows, strict=True)))
    moved = (difference >= np.maximum(MOVED, ERRORS * error)) & (
        (ratio >= TIMES) | (ratio <= 1 / TIMES)
    )
    chosen = sorted(np.flatnonzero(moved), key=lambda word: -difference[word])[:MOST_WORDS]
    return tuple(
        MovedWord(spellings[word], float(shares[0][word]), float(shares[1][word]))
        for word in chosen
    )
