"""What surrounds every request: its id, its size limit and its place in the metrics."""

import logging
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import note_request
from service.metrics import Metrics
from service.web.body_bytes import BodyBytes
from service.web.errors import INTERNAL
from service.web.faults import log_fault
from service.web.request_body import Patience, RequestBody
from service.web.request_id import HEADER, assign_id
from service.web.scope import error_of, note_error, route_of

_log = logging.getLogger(__name__)

_OF_WHAT_IS_GOT = (
    (b"cache-control", b"no-cache"),  # what is kept has to be asked for again: it is of one release
    (b"x-content-type-options", b"nosniff"),  # JSON and scripts are what they say they are
    (b"x-frame-options", b"DENY"),  # no other page shows one of these within it
    (b"referrer-policy", b"no-referrer"),
)


class BrokenAnswer(Exception):
    """Tells the server to close a connection, on which half of an answer was sent."""


class RequestMiddleware:
    """Gives each answer a request id, limits bodies and counts.

    Args:
        app: The application around which it lies.
        failed: Answers where the application fails.
        metrics: Where to count.
        max_body_bytes: Largest body that is read.
        patience: How much is read of a body that nobody needs.
        bodies: The memory for all bodies that are on their way.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        failed: ASGIApp,
        metrics: Metrics,
        max_body_bytes: int,
        patience: Patience,
        bodies: BodyBytes,
    ) -> None:
        self._app = app
        self._failed = failed
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._patience = patience
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # as GET; the server leaves out what would follow
            scope = {**scope, "method": "GET"}
        started = time.perf_counter()
        note_request(request_id := assign_id(scope))
        self._metrics.in_flight.inc()
        share = self._bodies.share()
        body = RequestBody(
            scope, receive, limit=self._max_body_bytes, patience=self._patience, share=share
        )
        answer = _Answer(send, body, request_id=request_id, got=scope["method"] == "GET")
        try:
            await self._app(scope, body.receive, answer.send)
        except ClientDisconnect:  # before all of its body was here; there is nobody to answer
            pass
        except Exception as error:
            name = answer.request_id.decode()
            log_fault(_log, "request %s failed", name, error=error)
            note_error(scope, INTERNAL.type)
            if answer.status is None:
                await self._failed(scope, body.receive, answer.send)
            elif not answer.complete:  # too late for another answer
                raise BrokenAnswer(f"the answer to request {name} breaks off") from None
        finally:
            self._metrics.in_flight.dec()
            share.release()
            ended = answer.ended or time.perf_counter()
            self._count(scope, answer.status or 499, seconds=ended - started)

    def _count(self, scope: Scope, status: int, *, seconds: float) -> None:
        route = route_of(scope)
        self._metrics.count_request(scope["method"], route, status=status, seconds=seconds)
        if (kind := error_of(scope)) is not None:
            self._metrics.count_refusal(route, kind)


class _Answer:
    """Sends an answer: its id with its head, its end when the rest of the body has been dropped.

    Args:
        send: Takes the messages of the answer.
        body: Of the request.
        request_id: To be given back.
        got: Whether something is got, which a browser or a proxy may keep.
    """

    def __init__(self, send: Send, body: RequestBody, *, request_id: bytes, got: bool) -> None:
        self._send = send
        self._body = body
        self._early = False
        self._got = got
        self.request_id = request_id
        self.status: int | None = None
        self.complete = False
        self.ended: float | None = None  # before the rest is dropped

    async def send(self, message: Message) -> None:
        """Send a message, as ASGI has it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), (HEADER, self.request_id)]
            if self._got:
                headers += _OF_WHAT_IS_GOT
            self._early = not await self._body.is_read()
            if self._early:  # or the server would take the rest for another request
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        elif self._early and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            self.ended = time.perf_counter()
            await self._body.linger()
            message = {"type": "http.response.body"}
        await self._send(message)
        is_body = message["type"] == "http.response.body"
        self.complete = is_body and not message.get("more_body", False)
