"""Spans of requests, in memory and as a receiver of OTLP gets them; no text is in them."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from service.settings import Settings
from service.web import tracing
from service.web.app import create_app
from service.web.tracing import Tracing, say_what_tracing_lacks, start_tracing, wants_traces

SECRET = "canary"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (tracing._EXPORTER, *tracing._ENDPOINTS, *tracing._PROTOCOLS, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(store: Path, exporter: InMemorySpanExporter) -> Iterator[TestClient]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(Settings(store=store), tracing=Tracing(provider))
    app.state.service.catalog.refresh()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """Return the finished spans by name."""
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_request_has_a_span_and_one_for_each_stage(
    traced: TestClient, exporter: InMemorySpanExporter
) -> None:
    headers = {"traceparent": PARENT, "x-request-id": "an-id"}
    traced.post("/predict", json={"text": f"good {SECRET}"}, headers=headers)
    found = spans(exporter)
    request = found.pop("POST /predict")
    assert list(found) == ["tokenize", "queue", "model"]
    assert request.kind is SpanKind.SERVER
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "gatewise.request_id": "an-id",
        "gatewise.model": "toy",
        "gatewise.version": 1,
    }
    assert f"{request.context.trace_id:032x}" in PARENT
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" in PARENT
    ends = request.start_time
    for stage in found.values():
        assert stage.parent == request.context
        assert ends <= stage.start_time <= stage.end_time <= request.end_time
        ends = stage.end_time


def test_errors_have_their_type(
    traced: TestClient, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced.post("/predict", json={"text": SECRET, "model": SECRET})
    refused = spans(exporter)["POST /predict"]
    assert (refused.attributes or {})["error.type"] == "not_found"
    assert refused.status.status_code is StatusCode.UNSET
    exporter.clear()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(traced.app.state.service.catalog, "choose", fail)
    traced.post("/predict", json={"text": "good"})
    failed = spans(exporter)["POST /predict"]
    assert (failed.attributes or {})["http.response.status_code"] == 500
    assert failed.status.status_code is StatusCode.ERROR


def test_no_span_holds_what_a_client_wrote(
    traced: TestClient, exporter: InMemorySpanExporter
) -> None:
    traced.post("/predict", json={"texts": [SECRET, 5]})
    traced.post(f"/predict?{SECRET}={SECRET}", json={"text": SECRET, SECRET: SECRET})
    traced.post("/stream", json={"text": SECRET, "state": SECRET})
    traced.get(f"/{SECRET}")
    traced.get(f"/models/{SECRET}", headers={"authorization": SECRET, "traceparent": SECRET})
    with traced.websocket_connect("/stream") as socket:
        for _ in range(2):
            socket.send_text(json.dumps({"text": SECRET}))
            socket.receive_text()
    finished = exporter.get_finished_spans()
    assert SECRET not in "".join(span.to_json() for span in finished)
    names = [span.name for span in finished]
    assert "GET unknown" in names
    assert names[-1] == "GET /stream"
    assert names[-7:-1] == ["tokenize", "queue", "model"] * 2


def test_nothing_is_imported_where_no_traces_are_wanted() -> None:
    assert start_tracing() is None
    assert not wants_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": ""})
    assert not wants_traces({"OTEL_TRACES_EXPORTER": "none", tracing._ENDPOINTS[0]: "http://x"})
    assert not wants_traces({"OTEL_SDK_DISABLED": "true", tracing._ENDPOINTS[0]: "http://x"})
    assert wants_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})
    assert wants_traces({"OTEL_TRACES_EXPORTER": "console"})


@pytest.mark.parametrize(
    ("variables", "lack"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is otlp, console or none"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf, not 'grpc'",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, "install the extra: make setup"),
    ],
)
def test_what_is_missing_is_told_in_a_line(
    variables: dict[str, str],
    lack: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if "extra" in lack or "pip" in lack:
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    with caplog.at_level(logging.WARNING):
        say_what_tracing_lacks()
    assert len(caplog.messages) == 1
    assert lack in caplog.text
    assert start_tracing() is None


def test_a_receiver_that_takes_nothing_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider, over = TracerProvider(), threading.Event()
    monkeypatch.setattr(provider, "shutdown", lambda: over.wait(100))
    monkeypatch.setattr(tracing, "LAST_SECONDS", 0.01)
    Tracing(provider).shutdown()
    assert not over.is_set()
    over.set()


@contextmanager
def receiving() -> Iterator[tuple[int, list[ExportTraceServiceRequest]]]:
    """Receive OTLP on a port of 127.0.0.1, which is given, with what comes."""
    came: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["content-length"]))
            came.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, came
        server.shutdown()


@pytest.mark.medium
def test_spans_come_to_a_receiver_of_otlp(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as (port, came):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "reviews")
        app = create_app(Settings(store=store), tracing=start_tracing())
        app.state.service.catalog.refresh()
        with TestClient(app) as client:
            client.post("/predict", json={"text": f"good {SECRET}"})
    (resource,) = [resource for request in came for resource in request.resource_spans]
    named = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert named["service.name"] == "reviews"
    sent = [span.name for scope in resource.scope_spans for span in scope.spans]
    assert sent == ["tokenize", "queue", "model", "POST /predict"]
    assert SECRET.encode() not in b"".join(request.SerializeToString() for request in came)
