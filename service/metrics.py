"""What is counted, under which name: the only place where metric names stand."""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# The client's own variable: where several processes keep their counts, to be added up.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "gatewise_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "gatewise_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.stage_seconds = Histogram(
            "gatewise_stage_seconds",
            "Time of a prediction request in each stage: tokenize, queue, model.",
            ("stage",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.texts = Counter(
            "gatewise_texts", "Texts classified.", ("model", "version"), registry=self._registry
        )
        self.streams = Gauge(
            "gatewise_streams",
            "WebSockets open.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self.tokens = Counter(
            "gatewise_tokens", "Tokens read.", ("model", "version"), registry=self._registry
        )
        self.key_tokens = Counter(
            "gatewise_key_tokens",
            "Tokens read for the API keys of a name.",
            ("key",),
            registry=self._registry,
        )
        self.key_limited = Counter(
            "gatewise_key_limited",
            "Requests rejected because the API key had read as much as it may for now.",
            ("key",),
            registry=self._registry,
        )

    def count_texts(self, model: str, version: int, *, texts: int, tokens: int) -> None:
        """Count what a version has read."""
        self.texts.labels(model, str(version)).inc(texts)
        self.tokens.labels(model, str(version)).inc(tokens)

    def count_stages(self, stages: Mapping[str, float]) -> None:
        """Count the seconds of each stage of a request."""
        for stage, seconds in stages.items():
            self.stage_seconds.labels(stage).observe(seconds)

    def count_request(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count an answered request and the seconds that it took."""
        self.requests.labels(method, route, status).inc()
        self.request_seconds.labels(method, route).observe(seconds)

    def count_key_tokens(self, name: str, tokens: int) -> None:
        """Count what was read for the keys of a name."""
        self.key_tokens.labels(name).inc(tokens)

    def count_key_limited(self, name: str) -> None:
        """Count a rejection at the rate of a key."""
        self.key_limited.labels(name).inc()

    def render(self, accepted: str = "") -> tuple[bytes, str]:
        """Return all metrics, summed over the processes, and the media type in which they are.

        Args:
            accepted: Media types that the reader takes; OpenMetrics or Prometheus's text format.
        """
        try:
            encode, media_type = choose_encoder(accepted)
        except (TypeError, ValueError):  # a version that is none
            encode, media_type = choose_encoder("")
        return encode(self._together()), media_type

    def _together(self) -> CollectorRegistry:
        if DIRECTORY not in os.environ:
            return self._registry
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together


def forget_process(pid: int | None) -> None:
    """Drop what a dead process had open, such as its streams; what it counted stays."""
    mark_process_dead(pid, path=os.environ[DIRECTORY])  # type: ignore[no-untyped-call]
