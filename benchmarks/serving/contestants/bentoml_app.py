"""BentoML with adaptive batching."""

import os
from typing import Any

import bentoml

from benchmarks.serving.contestants.savedmodel import SavedModel


@bentoml.service(workers=1, traffic={"timeout": 60})
class Sentiment:
    """Classifies texts in batches."""

    def __init__(self) -> None:
        self.model = SavedModel()

    @bentoml.api(
        batchable=True,
        route="/predict",
        max_batch_size=int(os.environ.get("BENCHMARK_BATCH", "32")),
        max_latency_ms=int(os.environ.get("BENCHMARK_LATENCY_MS", "1000")),
    )
    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Classify texts."""
        return self.model.classify(texts)
