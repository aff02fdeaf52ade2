"""The linear classifier that the n-grams and the baseline have in common.

Naive Bayes log-count ratios as the features of a logistic regression: Wang and Manning, "Baselines
and Bigrams", ACL 2012.
"""

import warnings

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

PASSES = 100  # of the solver over the texts, at most
TOLERANCE = 0.1  # of the solver, which is liblinear's own
SMOOTHING = 1.0  # added to each count, in rows


def solve(
    features: scipy.sparse.csr_matrix,
    target: NDArray[np.generic],
    *,
    strength: float,
    seed: int,
    importance: NDArray[np.float32] | None = None,
) -> LogisticRegression:
    """Return a logistic regression fitted in the dual, whose cost does not grow with the features.

    Texts are few beside their n-grams; in the primal the same fit takes 20 times as long.

    Args:
        features: Shape (rows, features).
        target: 1 where a row has the label, 0 elsewhere, shape (rows,).
        strength: How closely to follow the rows, the inverse of the penalty.
        seed: Decides the order in which rows are visited.
        importance: Weight of each row, shape (rows,); None for 1.
    """
    model = LogisticRegression(
        C=strength, solver="liblinear", dual=True, tol=TOLERANCE, max_iter=PASSES, random_state=seed
    )
    with warnings.catch_warnings():
        # Where equal texts have other labels it may never come to an end; by then what still
        # changes is small.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, target, sample_weight=importance)


def log_count_ratio(
    counts: scipy.sparse.csr_matrix, target: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the log of each n-gram's share among the texts with the label over that without.

    Args:
        counts: How often each text has each n-gram, shape (rows, n-grams); only whether it does
            matters.
        target: 1 where a text has the label, 0 elsewhere, shape (rows,).

    Returns:
        Shape (n-grams,).
    """
    present = scipy.sparse.csr_matrix(
        (np.ones_like(counts.data), counts.indices, counts.indptr), counts.shape
    )
    with_label = SMOOTHING + present.T @ target
    without = SMOOTHING + present.T @ (1 - target)
    ratio: NDArray[np.float32] = np.log(with_label / with_label.sum()) - np.log(
        without / without.sum()
    )
    return ratio.astype(np.float32)
