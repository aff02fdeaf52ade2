"""The linear classifier of the n-grams and of the baseline.

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
TOLERANCE = 0.1  # of the solver; liblinear's default
SMOOTHING = 1.0  # added to each count, in rows


def solve(
    features: scipy.sparse.csr_matrix,
    target: NDArray[np.generic],
    *,
    strength: float,
    seed: int,
    importance: NDArray[np.float32] | None = None,
) -> LogisticRegression:
    """Return a logistic regression, fitted in the dual.

    The dual costs little where features outnumber texts; the primal takes 20 times as long.

    Args:
        features: Shape (rows, features).
        target: 1 where a row has the label, 0 elsewhere, shape (rows,).
        strength: Inverse of the penalty; a higher one fits the rows more closely.
        seed: Decides the order in which rows are visited.
        importance: Weight of each row, shape (rows,); None for 1.
    """
    model = LogisticRegression(
        C=strength, solver="liblinear", dual=True, tol=TOLERANCE, max_iter=PASSES, random_state=seed
    )
    with warnings.catch_warnings():
        # Equal texts with different labels may prevent convergence; the last changes are small.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, target, sample_weight=importance)


def log_count_ratio(
    counts: scipy.sparse.csr_matrix, target: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the log ratio of each n-gram's shares in texts with and without the label.

    Args:
        counts: Count of each n-gram in each text, shape (rows, n-grams). Only counts above 0 and
            zeros are distinguished.
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
