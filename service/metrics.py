"""What is counted, under which name: the only place where metric names stand."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.scheduling.jobs import Ticket

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

    def count(self, ticket: Ticket) -> None:
        """Count the texts and tokens of a finished ticket."""
        metadata = ticket.classifier.metadata
        version = (metadata.name, str(metadata.version))
        self.texts.labels(*version).inc(len(ticket.jobs))
        self.tokens.labels(*version).inc(ticket.tokens)

    def render(self) -> bytes:
        """Return all metrics in Prometheus's text format, summed over the processes."""
        if DIRECTORY not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
