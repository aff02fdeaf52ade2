"""What is counted, under which name: the only place where metric names stand."""

import os
import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.values import MultiProcessValue, MutexValue

from models import __version__
from service.dead_workers import keep_metrics, reading

# The client's own variable: where several processes keep their counts, to be added up.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)
_DEATHS = ("gatewise_worker_deaths", "Workers that died and were not told to end.")

AnyMetric = TypeVar("AnyMetric", Counter, Histogram)
Series = Collection[tuple[str, ...]]
"""Values of the labels of each series."""


@dataclass(frozen=True)
class RolloutSample:
    """How a version that is tried stands beside the stable one, as all workers know it.

    Args:
        model: The model.
        label: The label with which it is tried.
        version: The version.
        stable: The stable version.
        figures: Values by name in ROLLOUT_FIGURES, and there by the last label.
    """

    model: str
    label: str
    version: int
    stable: int
    figures: Mapping[str, Mapping[str, float]]


_Family = type[CounterMetricFamily] | type[GaugeMetricFamily]
ROLLOUT_FIGURES: dict[str, tuple[_Family, str, str]] = {
    "gatewise_rollout_requests": (
        CounterMetricFamily,
        "Requests of a version on trial that were compared, and those dropped for want of time.",
        "outcome",
    ),
    "gatewise_rollout_texts": (
        CounterMetricFamily,
        "Texts that both versions have read, by whether their labels are the same or flipped.",
        "labels",
    ),
    "gatewise_rollout_failures": (
        CounterMetricFamily,
        "Compared requests that only one version failed.",
        "side",
    ),
    "gatewise_rollout_model_seconds": (
        CounterMetricFamily,
        "Seconds that the versions computed for the same texts, of the requests that were timed.",
        "side",
    ),
    "gatewise_rollout_answers": (CounterMetricFamily, "Requests answered while on trial.", "side"),
    "gatewise_rollout_answer_seconds": (
        CounterMetricFamily,
        "Seconds of the requests answered while on trial.",
        "side",
    ),
    "gatewise_rollout_flip_share": (
        GaugeMetricFamily,
        "Share of flipped labels, and the share that is tolerated.",
        "kind",
    ),
    "gatewise_rollout_score_shift": (
        GaugeMetricFamily,
        "Population stability index between the scores of both versions.",
        "score",
    ),
    "gatewise_rollout_verdict_timestamp_seconds": (
        GaugeMetricFamily,
        "When a version was last promoted or rolled back by its figures.",
        "verdict",
    ),
}
"""The metrics of versions on trial: kind, help and last label by name."""


class _RolloutCollector:
    """Asks how trials stand when the metrics are read.

    Args:
        read: Returns how each stands; of several samples of one, the last counts.
    """

    def __init__(self, read: Callable[[], Iterable[RolloutSample]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield the families, as the client asks."""
        samples = list(self._read())
        for name, (family, help, label) in ROLLOUT_FIGURES.items():
            series: dict[tuple[str, ...], float] = {}  # once each, whatever samples there are
            for sample in samples:
                versions = (str(sample.version), str(sample.stable))
                for value, figure in sample.figures.get(name, {}).items():
                    series[sample.model, sample.label, *versions, value] = figure
            metric = family(name, help, labels=("model", "label", "version", "stable", label))
            for place, figure in series.items():
                metric.add_metric(place, figure)
            yield metric

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: registered, it is not asked before the service knows any trial."""
        return iter(())


class Metrics:
    """The metrics of one service, in a registry of its own.

    Gauges are sums over the processes that live, unless they say otherwise.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._rollouts: _RolloutCollector | None = None
        counter = partial(Counter, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry, multiprocess_mode="livesum")
        self.requests = counter(
            "gatewise_requests", "Requests answered.", ("method", "route", "status")
        )
        self.request_seconds = histogram(
            "gatewise_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ("method", "route"),
            buckets=_SECONDS,
        )
        self.in_flight = gauge("gatewise_requests_in_flight", "Requests that are being answered.")
        self.refusals = counter(
            "gatewise_refusals",
            "Requests and messages answered with an error, by the type that the error has.",
            ("route", "type"),
        )
        self.stage_seconds = histogram(
            "gatewise_stage_seconds",
            "Time of a request for texts in each stage: tokenize, queue, model.",
            ("route", "stage"),
            buckets=_SECONDS,
        )
        self.texts = counter("gatewise_texts", "Texts classified.", ("model", "version"))
        self.tokens = counter("gatewise_tokens", "Tokens read.", ("model", "version"))
        self.truncations = counter(
            "gatewise_truncations",
            "Texts that an early exit did not read to the end.",
            ("model", "version"),
        )
        self.streams = gauge("gatewise_streams", "WebSockets open.")
        self.stream_messages = counter("gatewise_stream_messages", "Messages of WebSockets taken.")
        self.batch_texts = histogram(
            "gatewise_batch_texts", "Texts read by one call of an engine.", buckets=_TEXTS
        )
        self.compute_seconds = counter(
            "gatewise_compute_seconds", "Time that threads spent on calls of engines."
        )
        self.compute_threads = gauge("gatewise_compute_threads", "Threads that compute.")
        self.backlog_tokens = gauge("gatewise_backlog_tokens", "Tokens that wait to be read.")
        self.backlog_seconds = gauge(
            "gatewise_backlog_seconds", "Time that one thread would take to read what waits."
        )
        self.versions_loaded = gauge(
            "gatewise_version_loaded",
            "Processes that have a version loaded, and the engine that computes it.",
            ("model", "version", "engine"),
        )
        self.version_labels = gauge(
            "gatewise_version_label",
            "Processes in which a version has a label.",
            ("model", "label", "version"),
        )
        self.versions_failed = gauge(
            "gatewise_version_failed",
            "Processes that could not load a version; /models says why.",
            ("model", "version"),
        )
        self.labels_failed = gauge(
            "gatewise_version_labels_failed",
            "Processes that could not read the labels of a model.",
            ("model",),
        )
        self.refresh_failures = counter(
            "gatewise_store_refresh_failures", "Looks at the store that failed."
        )
        self.refreshed = gauge(
            "gatewise_store_refresh_timestamp_seconds",
            "Unix time of the last good look at the store, or of the start; the earliest counts.",
            multiprocess_mode="livemin",
        )
        self.ready = gauge(
            "gatewise_ready",
            "1 where the models that are asked for can answer, 0 if any process lacks them.",
            multiprocess_mode="livemin",
        )
        self.processes = gauge("gatewise_processes", "Processes that answer.")
        self.worker_deaths = counter(*_DEATHS)
        self.build = gauge(
            "gatewise_build_info",
            "The release that runs; always 1.",
            ("version", "python"),
            multiprocess_mode="livemax",
        )
        self.key_tokens = counter(
            "gatewise_key_tokens", "Tokens read for the API keys of a name.", ("key",)
        )
        self.key_limited = counter(
            "gatewise_key_limited",
            "Requests rejected because the API key had read as much as it may for now.",
            ("key",),
        )
        lists = (
            self.versions_loaded,
            self.version_labels,
            self.versions_failed,
            self.labels_failed,
        )
        self._found: dict[tuple[object, ...], object] = {}
        self._listed: dict[Gauge, set[tuple[str, ...]]] = {gauge: set() for gauge in lists}

    def begin(self, *, threads: int) -> None:
        """Note that a process is to answer, and with how many computing threads."""
        self.build.labels(__version__, platform.python_version()).set(1)
        self.processes.set(1)
        self.refreshed.set_to_current_time()  # or the store would seem unseen since 1970
        self.compute_threads.set(threads)

    def count_texts(
        self, model: str, version: int, *, texts: int, tokens: int, truncated: int = 0
    ) -> None:
        """Count what a version has read."""
        self._series(self.texts, model, version).inc(texts)
        self._series(self.tokens, model, version).inc(tokens)
        if truncated:
            self._series(self.truncations, model, version).inc(truncated)

    def count_stages(self, stages: Mapping[str, float], *, route: str) -> None:
        """Count the seconds of each stage of a request."""
        for stage, seconds in stages.items():
            self._series(self.stage_seconds, route, stage).observe(seconds)

    def count_batch(self, texts: int, *, seconds: float) -> None:
        """Count a call of an engine."""
        self.batch_texts.observe(texts)
        self.compute_seconds.inc(seconds)

    def count_request(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count an answered request and the seconds that it took."""
        self._series(self.requests, method, route, status).inc()
        self._series(self.request_seconds, method, route).observe(seconds)

    def count_refusal(self, route: str, kind: str) -> None:
        """Count an answer that is an error, by its type."""
        self._series(self.refusals, route, kind).inc()

    def count_shed(self, route: str, kind: str, *, status: int, count: int) -> None:
        """Count posted requests that were rejected before the route saw them, by the type of why.

        They took no time of note, which would hide how long others take.
        """
        self._series(self.requests, "POST", route, status).inc(count)
        self._series(self.refusals, route, kind).inc(count)

    def show_backlog(self, *, tokens: int, seconds: float) -> None:
        """Say what waits to be read."""
        self.backlog_tokens.set(tokens)
        self.backlog_seconds.set(seconds)

    def show_versions(
        self, *, loaded: Series, labels: Series, failed: Series, unlabelled: Series
    ) -> None:
        """Say which versions and labels there are; what was said before is gone."""
        self._list(self.versions_loaded, loaded)
        self._list(self.version_labels, labels)
        self._list(self.versions_failed, failed)
        self._list(self.labels_failed, unlabelled)

    def _series(self, metric: AnyMetric, *labels: object) -> AnyMetric:
        """Return the series with these labels, found faster than by the client."""
        key = (metric, *labels)
        if (found := self._found.get(key)) is None:
            found = self._found[key] = metric.labels(*labels)
        return cast(AnyMetric, found)

    def _list(self, gauge: Gauge, series: Series) -> None:
        """Let a gauge be 1 for these series. Others become 0, which `render` leaves out."""
        before, now = self._listed[gauge], set(series)
        self._listed[gauge] = now
        for gone in before - now:
            gauge.labels(*gone).set(0)
        for new in now - before:
            gauge.labels(*new).set(1)

    def count_key_tokens(self, name: str, tokens: int) -> None:
        """Count what was read for the keys of a name."""
        self._series(self.key_tokens, name).inc(tokens)

    def count_key_limited(self, name: str) -> None:
        """Count a rejection at the rate of a key."""
        self._series(self.key_limited, name).inc()

    def watch_rollouts(self, read: Callable[[], Iterable[RolloutSample]]) -> None:
        """Have how trials stand read whenever the metrics are."""
        self._rollouts = _RolloutCollector(read)
        self._registry.register(self._rollouts)

    def render(self, accepted: str = "") -> tuple[bytes, str]:
        """Return all metrics, summed over the processes, and the media type in which they are.

        Args:
            accepted: Media types that the reader takes; OpenMetrics or Prometheus's text format.
        """
        try:
            encode, media_type = choose_encoder(accepted)
        except (TypeError, ValueError):  # a version that is none
            encode, media_type = choose_encoder("")
        lists = {metric.name for gauge in self._listed for metric in gauge.describe()}
        with _reading():
            return encode(_Present(self._together(), lists=lists)), media_type

    def _together(self) -> CollectorRegistry:
        if DIRECTORY not in os.environ:
            return self._registry
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        if self._rollouts is not None:  # which adds up the workers itself
            together.register(self._rollouts)
        return together


class _Present(CollectorRegistry):
    """What a registry has, without the series of lists that stand for something gone.

    The client cannot remove a series that several processes share.

    Args:
        registry: The registry.
        lists: Names of the gauges whose series come and go.
    """

    def __init__(self, registry: CollectorRegistry, *, lists: Collection[str]) -> None:
        super().__init__()
        self._whole = registry
        self._lists = lists

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for metric in self._whole.collect():
            if metric.name in self._lists:
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric


@cache
def _deaths() -> MutexValue:
    """Return the count of deaths that the process has which starts the workers.

    It has no metrics itself. The client looks for the folder of counts when it is imported, which
    is before that process makes it.
    """
    name, help = _DEATHS
    kind = MultiProcessValue()  # type: ignore[no-untyped-call]
    value: MutexValue = kind("counter", name, f"{name}_total", (), (), help)
    return value


def count_death() -> None:
    """Count a worker that died, in the process that started it."""
    _deaths().inc(1)  # type: ignore[no-untyped-call]


def forget_process(pid: int) -> None:
    """Drop what a dead process had open, such as its streams; what it counted stays.

    Raises:
        OSError: What it counted stays in a file of its own, for now.
    """
    folder = os.environ[DIRECTORY]
    mark_process_dead(pid, path=folder)  # type: ignore[no-untyped-call]
    keep_metrics(Path(folder), pid)


def _reading() -> AbstractContextManager[None]:
    """Let no counts of dead processes be added up while entered."""
    folder = os.environ.get(DIRECTORY)
    return nullcontext() if folder is None else reading(Path(folder))
