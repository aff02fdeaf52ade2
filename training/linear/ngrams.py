"""Hashed n-grams: the wide half of a classifier, which knows decisive short phrases.

Every token ends one n-gram of each order up to ORDERS. The ids of an n-gram are hashed to a row of
one table of weights. The logit of a text is the sum of its rows over the square root of its length.
A repeated n-gram does not count within a short window. All lookups are by integers, so the table
runs inside the exported graph. A stream keeps only a running mean and the last tokens.

Sources: naive Bayes log-count ratios as the features of a linear classifier, Wang and Manning,
"Baselines and Bigrams", ACL 2012; hashing, Weinberger et al., "Feature Hashing for Large Scale
Multitask Learning", ICML 2009.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from models.batching import Row
from models.ngrams import ORDERS, find_repeated, hash_ngrams, spread
from training.linear.solver import log_count_ratio, solve

TABLE_BYTES = 1 << 22  # of a table of 8-bit entries
FEWEST_BUCKETS, MOST_BUCKETS = 1 << 14, 1 << 21
LARGEST = 127  # of an 8-bit entry

Given = NDArray[np.bool_]
"""Whether a row has a label, shape (rows, labels)."""
Column = tuple[NDArray[np.float32], float]
"""The weights (buckets,) and the bias of one column of a table."""


@dataclass(frozen=True, eq=False)
class NgramModel:
    """A fitted table of n-gram weights.

    Args:
        table: Signed square roots of the weights, shape (buckets, columns). Most weights are small
            and a few large; in eight bits the roots keep small weights apart. Two classes that
            exclude each other share a column, the log-odds of the second. Otherwise each label
            has a column.
        scale: Weight of an entry of 1.
        bias: Log-odds of a text without n-grams, shape (columns,).
        labels: Number of labels.
    """

    table: NDArray[np.int8]
    scale: float
    bias: NDArray[np.float32]
    labels: int

    def logits(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Return the logits (rows, labels) of each row of ids."""
        roots = self.table.astype(np.float64)  # single precision loses thousands of terms
        sums = count_ngrams(rows, buckets=len(roots)) @ (roots * np.abs(roots))
        logits = (sums * self.scale + self.bias).astype(np.float32)
        return spread(logits, labels=self.labels)


def choose_buckets(columns: int) -> int:
    """Return the number of rows of a table. It is a prime, because the hash is a remainder."""
    return _prime_below(min(MOST_BUCKETS, max(FEWEST_BUCKETS, TABLE_BYTES // columns)))


def count_ngrams(rows: Sequence[Row], *, buckets: int) -> scipy.sparse.csr_matrix:
    """Return the count of each table row in each text, over the root of the text's length.

    An n-gram does not count if the same one ended within the WINDOW tokens before.

    Returns:
        Shape (rows, buckets).
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    start = np.zeros(ORDERS - 1, np.int64)
    padded = np.concatenate([part for row in rows for part in (start, np.asarray(row, np.int64))])
    keys = hash_ngrams(padded, buckets=buckets) if len(padded) >= ORDERS else np.empty((ORDERS, 0))
    # Skip the starts of all texts but the first; they end no n-gram.
    ends = np.cumsum(lengths + ORDERS - 1) - (ORDERS - 1)
    owner = np.repeat(np.arange(len(rows)), lengths)
    real = np.concatenate(
        [np.arange(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    )
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    texts = np.repeat(np.arange(len(rows)), lengths + ORDERS - 1)[ORDERS - 1 :]
    counts = np.where(find_repeated(padded, texts=texts)[:, real], 0, values)
    matrix = scipy.sparse.csr_matrix(
        (counts.ravel(), (np.tile(owner, ORDERS), keys[:, real].astype(np.int32).ravel())),
        shape=(len(rows), buckets),
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def fit_ngrams(
    rows: Sequence[Row],
    targets: Given,
    *,
    exclusive: bool,
    strengths: Sequence[float],
    seed: int,
    balance: Sequence[float] | None = None,
) -> list[NgramModel]:
    """Fit a table for each strength to labelled texts.

    Args:
        rows: Token ids of each text.
        targets: Their labels.
        exclusive: Whether each text has one label only.
        strengths: C of a logistic regression on texts of median length; a higher C fits the texts
            more closely.
        seed: Decides the solver's order.
        balance: Weight of each label's texts, as `weigh_classes` gives it; None for 1.
    """
    labels = targets.shape[1]
    columns = targets[:, 1:] if exclusive and labels == 2 else targets
    counts = count_ngrams(rows, buckets=choose_buckets(columns.shape[1]))
    median = float(np.median([max(1, len(row)) for row in rows]))
    weights = np.ones(labels, np.float32) if balance is None else np.asarray(balance, np.float32)
    # For exclusive labels one weight a row, else one for each label of a row.
    importance = (targets @ weights)[:, None] if exclusive else np.where(targets, weights, 1)
    importance = np.broadcast_to(importance, columns.shape)
    scaled = [strength * median for strength in strengths]
    fitted = [
        _fit_column(counts, column, weight, strengths=scaled, seed=seed)
        for column, weight in zip(columns.T, importance.T, strict=True)
    ]
    return [_tabulate(of_one, labels=labels) for of_one in zip(*fitted, strict=True)]


def _fit_column(
    counts: scipy.sparse.csr_matrix,
    target: NDArray[np.bool_],
    importance: NDArray[np.float32],
    *,
    strengths: Sequence[float],
    seed: int,
) -> list[Column]:
    """Return a column for each strength."""
    if target.all() or not target.any():  # one class only
        bias = math.copysign(8.0, target.mean() - 0.5)
        return [(np.zeros(counts.shape[1], np.float32), bias)] * len(strengths)
    ratio = log_count_ratio(counts, target.astype(np.float32))
    features = (counts @ scipy.sparse.diags(ratio)).tocsr()
    models = [
        solve(features, target, strength=strength, seed=seed, importance=importance)
        for strength in strengths
    ]
    return [
        ((model.coef_[0] * ratio).astype(np.float32), float(model.intercept_[0]))
        for model in models
    ]


def _tabulate(columns: Sequence[Column], *, labels: int) -> NgramModel:
    """Return the model of columns; code their weights in 8 bits."""
    table = np.stack([weights for weights, _ in columns], axis=1)
    scale = float(np.abs(table).max()) / LARGEST**2 or 1.0
    return NgramModel(
        np.round(np.sign(table) * np.sqrt(np.abs(table) / scale)).astype(np.int8),
        scale,
        np.array([bias for _, bias in columns], np.float32),
        labels,
    )


def _prime_below(limit: int) -> int:
    """Return the largest prime up to `limit`."""
    number = limit
    while any(number % divisor == 0 for divisor in range(2, math.isqrt(number) + 1)):
        number -= 1
    return number
