"""The linear baseline: a bag of words with logistic regression on the same rows.

Two of the strongest known models are fitted, and the better one on validation is the baseline:
TF-IDF of words and bigrams, and naive Bayes log-count ratios of n-grams up to three words (Wang and
Manning, "Baselines and Bigrams", ACL 2012). Where macro-F1 decides, each is also fitted with equal
weights for rare and frequent classes. The models share nothing with the network but the normal form
of texts. In scripts without spaces each character is a word, and so n-grams are their words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Task
from training.calibration.metrics import Score, measure
from training.calibration.rule import choose_rule
from training.data.splits import LabelledData
from training.data.words import normalize_text, space_out
from training.errors import DataError
from training.linear.solver import log_count_ratio, solve
from training.targets import soften

WORD = r"(?u)\w+|[^\w\s]"  # punctuation counts as a word
STRENGTHS = {"tf-idf bigrams": 10.0, "naive Bayes trigrams": 1.0}  # C of the logistic regression


@dataclass(frozen=True)
class Baseline:
    """A fitted linear model.

    Args:
        kind: Name of the model.
        rule: How the labels follow from probabilities.
        probabilities: Probabilities by split, shape (rows, labels).
        metrics: Figures of `measure` by split.
    """

    kind: str
    rule: DecisionRule
    probabilities: dict[str, Probabilities]
    metrics: dict[str, dict[str, float]]


def fit_baseline(data: LabelledData, *, score: Score, seed: int) -> Baseline:
    """Fit both models to the training texts; return the one with the better `score`."""
    weigh = [False, True] if score == "macro_f1" and data.task == "single_label" else [False]
    fitted = [
        _fit(kind, data, score=score, balanced=balanced, seed=seed)
        for kind in STRENGTHS
        for balanced in weigh
    ]
    return max(fitted, key=lambda baseline: baseline.metrics["validation"][score])


def _fit(kind: str, data: LabelledData, *, score: Score, balanced: bool, seed: int) -> Baseline:
    vectorizer = _make_vectorizer(kind)
    try:
        counts = {"train": vectorizer.fit_transform(data.train.texts)}
    except ValueError as error:
        raise DataError("no text of train has a word in it") from error
    others = {purpose: split for purpose, split in data.splits.items() if purpose != "train"}
    counts |= {purpose: vectorizer.transform(split.texts) for purpose, split in others.items()}
    targets = soften(data.train.labels, labels=len(data.labels))
    shared = data.task == "single_label" and len(data.labels) == 2
    columns = [
        _fit_column(kind, counts, target, balanced=balanced, seed=seed)
        for target in (targets[:, 1:] if shared else targets).T
    ]
    probabilities = {
        purpose: _join([column[purpose] for column in columns], task=data.task)
        for purpose in others
    }
    rule = choose_rule(
        probabilities["validation"], data.validation.labels, task=data.task, score=score
    )
    metrics = {
        purpose: measure(found, data.splits[purpose].labels, rule=rule)
        for purpose, found in probabilities.items()
    }
    name = f"{kind}, balanced" if balanced else kind
    return Baseline(name, rule, probabilities, metrics)


def _make_vectorizer(kind: str) -> Any:
    common = {"token_pattern": WORD, "preprocessor": _prepare, "dtype": np.float32}
    if kind == "tf-idf bigrams":
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, **common)
    return CountVectorizer(ngram_range=(1, 3), binary=True, **common)


def _prepare(text: str) -> str:
    return space_out(normalize_text(text))


def _fit_column(
    kind: str, counts: dict[str, Any], target: NDArray[np.float32], *, balanced: bool, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return the log-odds of one label for each split but train."""
    others = [purpose for purpose in counts if purpose != "train"]
    if target.min() == target.max():  # one class only
        return {p: np.full(counts[p].shape[0], 16 * target[0] - 8.0) for p in others}
    ratio = np.ones(counts["train"].shape[1], np.float32)
    if kind == "naive Bayes trigrams":
        ratio = log_count_ratio(counts["train"], target)
    weigh = scipy.sparse.diags(ratio)
    # Both sides of the label weigh the same in sum; the mean weight of a row is 1.
    share = np.where(target == 1, 0.5 / target.mean(), 0.5 / (1 - target.mean()))
    model = solve(
        (counts["train"] @ weigh).tocsr(),
        target,
        strength=STRENGTHS[kind],
        seed=seed,
        importance=share if balanced else None,
    )
    coefficients = model.coef_[0] * ratio
    return {p: counts[p] @ coefficients + model.intercept_[0] for p in others}


def _join(columns: Sequence[NDArray[np.float64]], *, task: Task) -> Probabilities:
    """Return probabilities (rows, labels) from the one-against-rest log-odds of each label."""
    odds = expit(np.stack(columns, axis=1)).astype(np.float32)
    if task == "multi_label":
        return odds
    if odds.shape[1] == 1:
        return np.concatenate([1 - odds, odds], axis=1)
    return odds / np.maximum(odds.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
