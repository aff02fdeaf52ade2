"""Made-up results: classifiers of known strength on rows that nobody wrote."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.report.results import Cost, Results, SplitResult

COST = Cost(
    parameters=1_597_058,
    megabytes=4.03,
    milliseconds_per_text={"onnx": 1.2, "savedmodel": 2.6},
    timed_tokens=174,
    training_seconds=244.1,
    tokens_per_second=62_509,
)


def epochs(count: int = 6, *, score: str = "accuracy") -> list[dict[str, float]]:
    return [
        {
            "loss": 0.6 / epoch,
            "val_loss": 0.5 / epoch + 0.02 * epoch,
            score: 1 - 0.3 / epoch,
            f"val_{score}": 0.95 - 0.25 / epoch,
        }
        for epoch in range(1, count + 1)
    ]


def single_split(
    *,
    rows: int = 300,
    classes: int = 2,
    strength: float = 3.0,
    baseline: float | None = 2.5,
    leaked: float = 0.0,
    name: str = "test",
    seed: int = 0,
) -> SplitResult:
    """Rows of one label each. A classifier sees the right class shifted by its strength."""
    draw = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, classes + 1) ** 0.5
    labels = draw.choice(classes, rows, p=frequency / frequency.sum()).astype(np.int32)
    shared = draw.normal(size=(rows, classes))
    logits = shared + draw.normal(size=(rows, classes)) + strength * np.eye(classes)[labels]
    other = shared + draw.normal(size=(rows, classes))
    weaker = None if baseline is None else softmax(other + baseline * np.eye(classes)[labels])
    return SplitResult(
        name=name,
        labels=labels,
        probabilities=softmax(logits),
        uncalibrated=softmax(2 * logits),
        baseline=weaker,
        lengths=draw.lognormal(5, 0.7, rows).astype(np.int64),
        leaked=draw.random(rows) < leaked,
        row_numbers=None,
    )


def multi_split(
    *,
    rows: int = 300,
    classes: int = 5,
    strength: float = 3.0,
    baseline: float | None = 2.0,
    name: str = "test",
    seed: int = 0,
) -> SplitResult:
    """Rows with any number of labels, later ones rarer."""
    draw = np.random.default_rng(seed)
    share = 0.3 / np.arange(1, classes + 1) ** 0.8
    labels = (draw.random((rows, classes)) < share).astype(np.int32)
    logits = strength * (labels - 0.7) + draw.normal(size=labels.shape)
    other = (baseline or 0) * (labels - 0.7) + draw.normal(size=labels.shape)
    return SplitResult(
        name=name,
        labels=labels,
        probabilities=sigmoid(logits),
        uncalibrated=sigmoid(1.5 * logits),
        baseline=None if baseline is None else sigmoid(other),
        baseline_thresholds=None if baseline is None else (0.5,) * classes,
        lengths=draw.integers(1, 30, rows),
    )


def results(*splits: SplitResult, labels: Sequence[str] | None = None, **changes: Any) -> Results:
    classes = splits[0].probabilities.shape[1]
    multi = splits[0].labels.ndim == 2
    made: dict[str, Any] = {
        "title": "reviews, version 3",
        "name": "reviews",
        "version": "3",
        "cell": "GRU",
        "created": "2026-11-22",
        "source": "reviews.csv",
        "labels": labels or [f"class {number}" for number in range(classes)],
        "task": "multi_label" if multi else "single_label",
        "thresholds": (0.5,) * classes if multi else None,
        "splits": {split.name: split for split in splits},
        "epochs": epochs(score="macro_f1" if multi else "accuracy"),
        "best_epoch": 4,
        "cost": COST,
    }
    return Results(**(made | changes))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
