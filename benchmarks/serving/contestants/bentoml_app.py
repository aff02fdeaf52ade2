"""BentoML with adaptive batching."""

from typing import Any

import bentoml

from benchmarks.serving.contestants.savedmodel import SavedModel


@bentoml.service(workers=1, traffic={"timeout": 60})
class Sentiment:
    """Classifies texts in batches."""

    def __init__(self) -> None:
        self.model = SavedModel()

    @bentoml.api(batchable=True, route="/predict", max_batch_size=32, max_latency_ms=1_000)
    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Classify texts."""
        return self.model.classify(texts)
