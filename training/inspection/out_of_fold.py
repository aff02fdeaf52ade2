"""A linear model that judges only rows that it was not fitted on."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

FOLDS = 10
INVERSE_PENALTY = 3.0

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]  # rows to fit on, rows to judge
Watch = Callable[[list[Fold]], Iterable[Fold]]


def judge_unseen(
    features: csr_array,
    given: NDArray[np.bool_],
    *,
    exclusive: bool,
    seed: int,
    watch: Watch = iter,
) -> NDArray[np.float64]:
    """Return the probability of each class in each row, by models fitted on other rows only.

    Args:
        features: Shape (rows, features).
        given: Whether each row has each class, shape (rows, classes).
        exclusive: Whether each row has exactly one class.
        seed: Decides which rows are judged by the same model.
        watch: Takes the folds and yields them, to show progress.

    Returns:
        Shape (rows, classes); rows sum to 1 if classes are exclusive.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    strata = _stratify(given)
    judged = np.empty(given.shape)
    mirrored = int(exclusive and given.shape[1] == 2)  # the first of two classes needs no model
    for fit, held in watch(list(folds.split(strata, strata))):
        seen, unseen = features[fit], features[held]
        for column in range(mirrored, given.shape[1]):
            judged[held, column] = _judge(unseen, seen=seen, given=given[fit, column], seed=seed)
    if mirrored:
        judged[:, 0] = 1 - judged[:, 1]
    return judged / judged.sum(axis=1, keepdims=True) if exclusive else judged


def _stratify(given: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rarest class of each row, shape (rows,). Each fold gets its share of it."""
    rows, classes = given.shape
    rarest = np.where(given, given.sum(axis=0), rows + 1).argmin(axis=1)
    strata = np.where(given.any(axis=1), rarest, classes)
    counts = np.bincount(strata)
    return np.where(counts[strata] < FOLDS, counts.argmax(), strata)


def _judge(
    unseen: csr_array, *, seen: csr_array, given: NDArray[np.bool_], seed: int
) -> NDArray[np.float64]:
    if given.all() or not given.any():
        return np.full(unseen.shape[0], float(given[0]))
    # One class against the rest, in the dual, because features outnumber rows.
    model = LogisticRegression(
        C=INVERSE_PENALTY,
        solver="liblinear",
        dual=True,
        tol=1e-2,
        max_iter=1_000,
        random_state=seed,
    )
    probability: NDArray[np.float64] = model.fit(seen, given).predict_proba(unseen)[:, 1]
    return probability
