"""LitServe with batching: `python -m … PORT MAX_BATCH TIMEOUT`."""

import sys
from typing import Any

import litserve

from benchmarks.serving.contestants.savedmodel import SavedModel


class Sentiment(litserve.LitAPI):
    """Classifies texts in batches."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self.model = SavedModel()

    def decode_request(self, request: dict[str, Any], **_: Any) -> str:
        """Return the text of a request."""
        return request["text"]

    def batch(self, inputs: list[str]) -> list[str]:
        """Return the texts unchanged, as a list."""
        return list(inputs)

    def predict(self, x: Any, **_: Any) -> Any:
        """Classify one text, or a batch."""
        return self.model.classify(x) if isinstance(x, list) else self.model.classify([x])[0]

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers unchanged, as a list."""
        return output

    def encode_response(self, output: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the answer."""
        return output


if __name__ == "__main__":
    port, most, timeout = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    server = litserve.LitServer(
        Sentiment(max_batch_size=most, batch_timeout=timeout), accelerator="cpu"
    )
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")
