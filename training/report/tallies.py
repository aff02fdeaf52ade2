"""Counts the decisions of classifiers against the truth, in the rows and in bootstrap samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from training.calibration.metrics import f1_scores, is_right, mean_f1, ratio
from training.report.statistics import Floats, bootstrap_sums

Decisions = NDArray[np.int32] | NDArray[np.bool_]
"""The class of each row, (rows,); multi-label: whether each label is given, (rows, labels)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tally:
    """Counts of one sample or, with a leading axis, of many.

    Args:
        rows: Rows in a sample.
        right: Rows that are right in all of their labels; (…).
        hits: Rows to which a label was rightly given; (…, labels).
        given: Rows to which a label was given; (…, labels).
        actual: Rows that have a label; (…, labels).
    """

    rows: int
    right: Floats
    hits: Floats
    given: Floats
    actual: Floats

    @classmethod
    def of(cls, sums: Floats, *, rows: int) -> "Tally":
        """Take apart the sums of the columns that `_columns` makes."""
        right, (hits, given, actual) = sums[..., 0], np.split(sums[..., 1:], 3, axis=-1)
        return cls(rows=rows, right=right, hits=hits, given=given, actual=actual)

    @property
    def accuracy(self) -> Floats:
        """Share of rows that are right in all labels."""
        return self.right / self.rows

    @property
    def f1(self) -> Floats:
        """F1 of each label."""
        return f1_scores(self.hits, self.given, self.actual)

    @property
    def macro_f1(self) -> Floats:
        """Mean F1 of the labels that are given or that occur."""
        return mean_f1(self.hits, self.given, self.actual)

    @property
    def micro_f1(self) -> Floats:
        """F1 of all label decisions together."""
        return ratio(2 * self.hits.sum(axis=-1), self.given.sum(axis=-1) + self.actual.sum(axis=-1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Tallied:
    """Counts of a classifier in the rows, and in bootstrap samples of them."""

    sample: Tally
    resampled: Tally


def tally(truth: Decisions, decided: Sequence[Decisions], *, labels: int) -> list[Tallied]:
    """Count for each classifier, in the same bootstrap samples, so that counts are paired.

    Args:
        truth: The right decisions.
        decided: Decisions of each classifier about the same rows.
        labels: Number of labels.
    """
    kinds, counts = _distinct([truth, *decided])
    table = hstack([_columns(kinds[0], kind, labels=labels) for kind in kinds[1:]], format="csr")
    rows = len(truth)
    samples = np.split(counts @ table, len(decided))
    resamples = np.split(bootstrap_sums(table, counts), len(decided), axis=1)
    return [
        Tallied(sample=Tally.of(sample, rows=rows), resampled=Tally.of(resampled, rows=rows))
        for sample, resampled in zip(samples, resamples, strict=True)
    ]


def _distinct(decisions: Sequence[Decisions]) -> tuple[list[Decisions], NDArray[np.int64]]:
    """Return the distinct combinations of decisions, and the number of rows of each."""
    tables = [each[:, np.newaxis] if each.ndim == 1 else each.astype(bool) for each in decisions]
    kinds, counts = np.unique(np.hstack(tables), axis=0, return_counts=True)
    parts = np.split(kinds, len(decisions), axis=1)
    return [
        part.reshape(-1, *each.shape[1:]) for part, each in zip(parts, decisions, strict=True)
    ], counts


def _columns(truth: Decisions, decided: Decisions, *, labels: int) -> csr_array:
    """Return 0 and 1, (rows, 1 + 3 labels): right, then hits, given and actual of each label."""
    right = is_right(decided, truth)[:, np.newaxis]
    given, actual = (_multi_hot(each, labels=labels) for each in (decided, truth))
    return csr_array(np.hstack([right, given & actual, given, actual]).astype(np.int64))


def _multi_hot(decisions: Decisions, *, labels: int) -> NDArray[np.bool_]:
    if decisions.ndim == 2:
        return decisions.astype(bool)
    return decisions[:, np.newaxis] == np.arange(labels)
