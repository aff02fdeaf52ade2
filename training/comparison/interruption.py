"""Whether a verdict survives an interruption: neutral tokens after the decisive part.

The decisive part of a text ends where the verdict reaches its final value. Tokens that say nothing
about any label are inserted there, and the rest of the text follows.
"""

from collections.abc import Sequence

import keras
import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from models.batching import Row
from models.tokenizer import UNKNOWN
from training.calibration.probabilities import Logits
from training.linear.solver import log_count_ratio
from training.network.build import predict_logits
from training.network.prefixes import prefix_logits

INSERTED = (0, 10, 30, 100, 300, 1_000)  # tokens
TEXTS = 200
FREQUENT, NEUTRAL = 500, 50  # frequent tokens, and the most neutral of them


def find_neutral(
    rows: Sequence[Row], given: NDArray[np.bool_], *, vocabulary: int
) -> NDArray[np.int32]:
    """Return frequent tokens that occur equally often in texts with and without each label.

    Args:
        rows: Ids of the training texts.
        given: Their labels, shape (rows, labels).
        vocabulary: Number of tokens.
    """
    counts = _presence(rows, vocabulary=vocabulary)
    texts = np.asarray(counts.sum(axis=0)).ravel()
    texts[: UNKNOWN + 1] = 0
    frequent = np.argsort(-texts, kind="stable")[:FREQUENT]
    frequent = frequent[texts[frequent] > 0]
    ratios = [log_count_ratio(counts, column.astype(np.float32))[frequent] for column in given.T]
    lean = np.abs(np.stack(ratios)).max(axis=0)
    return frequent[np.argsort(lean, kind="stable")[:NEUTRAL]].astype(np.int32)


def _presence(rows: Sequence[Row], *, vocabulary: int) -> scipy.sparse.csr_matrix:
    """Return 1 where a text (rows) has a token (columns)."""
    distinct = [np.unique(np.asarray(row, np.int32)) for row in rows]
    places = np.concatenate([[0], np.cumsum([len(row) for row in distinct])])
    ones = np.ones(places[-1], np.float32)
    shape = (len(rows), vocabulary)
    return scipy.sparse.csr_matrix((ones, np.concatenate(distinct), places), shape=shape)


def measure_flips(
    network: keras.Model, rows: Sequence[Row], *, neutral: NDArray[np.int32], seed: int
) -> list[float]:
    """Return the share of texts whose likeliest label changes, for each number of INSERTED."""
    rows = [np.asarray(row, np.int32) for row in rows if len(row)][:TEXTS]
    random = np.random.default_rng(seed)
    fillers = [random.choice(neutral, INSERTED[-1]) for _ in rows]
    places = {row: settled(logits) for row, logits in prefix_logits(network, rows)}
    before = predict_logits(network, rows).argmax(axis=1)
    return [
        float(np.mean(predict_logits(network, changed).argmax(axis=1) != before))
        for changed in (
            [
                np.concatenate([row[: places[at]], fillers[at][:count], row[places[at] :]])
                for at, row in enumerate(rows)
            ]
            for count in INSERTED
        )
    ]


def settled(logits: Logits) -> int:
    """Return the tokens until the likeliest label by logits (tokens, labels) stays the last one."""
    verdicts = logits.argmax(axis=1)
    others = np.flatnonzero(verdicts != verdicts[-1])
    return int(others[-1]) + 2 if len(others) else 1
