"""Ray Serve with @serve.batch: `python -m … PORT MAX_BATCH TIMEOUT`."""

import sys
import time
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.serving.contestants.savedmodel import SavedModel

port, most, timeout = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])


@serve.deployment(num_replicas=1, max_ongoing_requests=256, ray_actor_options={"num_cpus": 1})
class Sentiment:
    """Classifies texts in batches."""

    def __init__(self) -> None:
        self.model = SavedModel()

    @serve.batch(max_batch_size=most, batch_wait_timeout_s=timeout)
    async def classify(self, texts: list[str]) -> list[dict[str, Any]]:
        """Classify a batch."""
        return self.model.classify(texts)

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Classify the text of a request."""
        return await self.classify((await request.json())["text"])


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(Sentiment.bind(), route_prefix="/predict")
    while True:
        time.sleep(3_600)
