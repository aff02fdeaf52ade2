"""One loaded version: texts in, predictions out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metadata import Metadata
from models.versions import Version
from service.compute import compute
from service.engines.engine import Engine
from service.schemas import MultiLabelPrediction, Prediction

DECIMALS = 7  # of a probability; what a 32-bit float has


@dataclass(frozen=True)
class Classified:
    """Predictions in the order of the texts, and what they took.

    `tokenize_seconds` and `model_seconds` add up to the time of `classify`.
    """

    predictions: list[Prediction | MultiLabelPrediction]
    tokens: int
    tokenize_seconds: float
    model_seconds: float


class Classifier:
    """Answers with one version. Safe to call from several threads at once."""

    def __init__(self, version: Version, *, engine: Engine) -> None:
        self.metadata = version.metadata
        self.engine = engine
        self._tokenizer = version.tokenizer

    def classify(self, texts: Sequence[str], *, top_k: int | None = None) -> Classified:
        """Return the prediction of each text; `top_k` limits the probabilities given."""
        started = time.perf_counter()
        ids = self._tokenizer.encode_batch(texts)
        tokenized = time.perf_counter()
        probabilities = compute(self.engine, ids, state=self.metadata.state)
        computed = time.perf_counter()
        predictions = [
            describe(row, self.metadata, tokens=len(row_ids), top_k=top_k)
            for row, row_ids in zip(probabilities, ids, strict=True)
        ]
        return Classified(
            predictions, sum(map(len, ids)), tokenized - started, computed - tokenized
        )


def describe(
    probabilities: NDArray[np.float32], metadata: Metadata, *, tokens: int, top_k: int | None
) -> Prediction | MultiLabelPrediction:
    """Return what the probabilities of one text, shape (labels,), mean."""
    values = [round(value, DECIMALS) for value in probabilities.tolist()]
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    labels = metadata.labels
    common: dict[str, Any] = {
        "probabilities": {labels[index]: values[index] for index in order[:top_k]},
        "model": metadata.name,
        "version": metadata.version,
        "tokens": tokens,
    }
    if metadata.thresholds is not None:
        reached = [i for i in order if values[i] >= metadata.thresholds[i]]
        return MultiLabelPrediction(labels=[labels[i] for i in reached], **common)
    best = order[0]
    return Prediction(label=labels[best], score=values[best], **common)
