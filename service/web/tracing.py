"""Traces of requests, as OpenTelemetry has them, where its own variables ask for them.

Its library is an extra. Nobody imports it unless traces are wanted.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models import __version__
from models.installation import install_command
from service.web.request_body import find_text
from service.web.request_id import id_in
from service.web.scope import error_of, route_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span

LAST_SECONDS = 2.0  # to send what is left at the end

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTER = "OTEL_TRACES_EXPORTER"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_LIBRARIES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_CONTEXT = ("traceparent", "tracestate")  # headers of W3C Trace Context
_PLACE = "gatewise.trace"  # in the scope of a request

_log = logging.getLogger(__name__)


class Trace:
    """The span of one request or WebSocket, with a span for each stage of its answers.

    It holds names, numbers and statuses; nothing that a client wrote but the id of the request.

    Args:
        tracing: Makes its spans.
        span: Of the request.
    """

    def __init__(self, tracing: "Tracing", span: "Span") -> None:
        self._tracing = tracing
        self._span = span

    def answered(self, model: str, version: int, stages: Mapping[str, float]) -> None:
        """Note the version that has answered just now, and the seconds of each stage."""
        self._span.set_attributes({"gatewise.model": model, "gatewise.version": version})
        start = time.time_ns() - _nanoseconds(sum(stages.values()))
        for stage, seconds in stages.items():
            end = start + _nanoseconds(seconds)
            self._tracing.add_span(stage, under=self._span, start=start, end=end)
            start = end

    def end(self, scope: Scope, *, status: int) -> None:
        """End the span of the request."""
        from opentelemetry.trace import StatusCode

        route = route_of(scope)
        self._span.update_name(f"{_method_of(scope)} {route}")
        self._span.set_attributes({"http.route": route, "http.response.status_code": status})
        if (kind := error_of(scope)) is not None:
            self._span.set_attribute("error.type", kind)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Tracing:
    """Makes the spans of one process.

    Args:
        provider: Where they go.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("gatewise", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, scope: Scope) -> Trace:
        """Begin the trace of a request, in that of its client if it names one."""
        from opentelemetry.trace import SpanKind

        carrier = {name: find_text(scope, name.encode()) or "" for name in _CONTEXT}
        method = _method_of(scope)
        span = self._tracer.start_span(
            method,
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "gatewise.request_id": id_in(scope).decode(),
            },
        )
        return Trace(self, span)

    def add_span(self, name: str, *, under: "Span", start: int, end: int) -> None:
        """Add a span that is over, its times in nanoseconds of Unix time."""
        from opentelemetry.trace import set_span_in_context

        context = set_span_in_context(under)
        self._tracer.start_span(name, context=context, start_time=start).end(end)

    def shutdown(self) -> None:
        """Send what is left; a receiver that does not take it in time holds up nobody's end."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(LAST_SECONDS)


class TracingMiddleware:
    """Traces each request and each WebSocket.

    Args:
        app: The application around which it lies.
        tracing: Makes the spans.
    """

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = HTTPStatus.SWITCHING_PROTOCOLS
            await send(message)

        scope[_PLACE] = trace = self._tracing.begin(scope)
        try:
            await self._app(scope, receive, note_status)
        finally:
            trace.end(scope, status=status)


def trace_of(scope: Scope) -> Trace | None:
    """Return the trace of a request; None if none is taken."""
    trace: Trace | None = scope.get(_PLACE)
    return trace


def _method_of(scope: Scope) -> str:
    method: str = scope.get("method", "GET")  # with which a WebSocket begins
    return method


def wants_traces(environment: Mapping[str, str]) -> bool:
    """Whether the variables of OpenTelemetry ask for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get(_EXPORTER, "")
    return exporter != "none" and any(environment.get(name) for name in (_EXPORTER, *_ENDPOINTS))


def say_what_tracing_lacks() -> None:
    """Warn, in one line, if traces are wanted that cannot be taken."""
    if wants_traces(os.environ) and (lack := _find_lack(os.environ)):
        _log.warning("no traces are taken: %s", lack)


def start_tracing() -> Tracing | None:
    """Return what traces this process, as the environment says; None if nothing is to."""
    if not wants_traces(os.environ) or _find_lack(os.environ):
        return None
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider

    name = os.environ.get("OTEL_SERVICE_NAME", "gatewise")
    resource = Resource.create({SERVICE_NAME: name})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(_make_processor(os.environ))
    return Tracing(provider)


def _find_lack(environment: Mapping[str, str]) -> str | None:
    """Return why traces cannot be taken as they are wanted; None if they can."""
    exporter = environment.get(_EXPORTER) or "otlp"
    if exporter not in ("otlp", "console"):
        return f"{_EXPORTER} is otlp, console or none, not {exporter!r}"
    protocol = next((found for name in _PROTOCOLS if (found := environment.get(name))), _PROTOCOL)
    if exporter == "otlp" and protocol != _PROTOCOL:
        return f"{_PROTOCOLS[1]} is {_PROTOCOL}, not {protocol!r}"
    if not all(map(_is_installed, _LIBRARIES)):
        return f"install the extra: {install_command('otel')}, or build the image with OTEL=1"
    return None


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def _make_processor(environment: Mapping[str, str]) -> "SpanProcessor":
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )

    if environment.get(_EXPORTER) == "console":
        return SimpleSpanProcessor(ConsoleSpanExporter())
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter())


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
