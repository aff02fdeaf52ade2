"""TF-IDF of words and bigrams with logistic regression, in scikit-learn."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.alternatives.models.choosing import choose
from benchmarks.alternatives.models.protocol import Fitted, Verdict
from benchmarks.alternatives.models.rows import Splits

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)  # C of the logistic regression
FILE = "pipeline.joblib"


class Linear:
    """A pipeline of scikit-learn."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return the label of each text."""
        rows = self.pipeline.predict_proba(texts)
        return [(int(row.argmax()), float(row.max())) for row in rows]


def fit(splits: Splits, folder: Path, *, source: Path | None) -> Fitted:
    """See Alternative."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    train = vectorizer.fit_transform(splits.train.texts)
    held = vectorizer.transform(splits.validation.texts)

    def candidates() -> Iterator[tuple[str, Any]]:
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, solver="liblinear", random_state=0)
            yield f"C={strength:g}", model.fit(train, splits.train.labels)

    best = choose(
        candidates(), measure=lambda model: float(model.score(held, splits.validation.labels))
    )
    joblib.dump(make_pipeline(vectorizer, best.model), folder / FILE)
    return Fitted(best.settings, best.accuracies)


def load(folder: Path) -> Linear:
    """See Alternative; the settings are those that scikit-learn gives for speed."""
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    return Linear(joblib.load(folder / FILE))
