"""What surrounds every request: its id, its size limit and its place in the metrics."""

import logging
import random
import re
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import TooLarge
from service.metrics import Metrics
from service.web.errors import answer_internal

_log = logging.getLogger(__name__)

REQUEST_ID = b"x-request-id"
_SAFE_ID = re.compile(rb"[\w.:/+=@-]{1,128}", re.ASCII)


class RequestMiddleware:
    """Gives each answer a request id, limits bodies and counts.

    Args:
        app: The application around which it lies.
        metrics: Where to count.
        max_body_bytes: Largest body that is read.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, max_body_bytes: int) -> None:
        self._app = app
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, as ASGI asks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # as GET; the server leaves out what would follow
            scope = {**scope, "method": "GET"}
        started = time.perf_counter()
        request_id = _request_id(scope)
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id)]
            await send(message)

        try:
            await self._app(scope, self._limited(scope, receive), send_with_id)
        except ClientDisconnect:  # before all of its body was here; there is nobody to answer
            pass
        except Exception:
            _log.exception("request %s failed", request_id.decode())
            if status is not None:  # too late for another answer
                raise
            await answer_internal()(scope, receive, send_with_id)
        finally:
            self._count(scope, status or 499, seconds=time.perf_counter() - started)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Return `receive`, but raising TooLarge once a body is known to be over the limit.

        FastAPI's own limit answers in plain text, where clients expect the documented error.
        """
        declared = _header(scope, b"content-length")
        too_large = declared.isdigit() and int(declared) > self._max_body_bytes
        received = 0

        async def limited() -> Message:
            nonlocal received
            if not too_large:  # else it is not even waited for
                message = await receive()
                received += len(message.get("body", b""))
                if received <= self._max_body_bytes:
                    return message
            raise TooLarge(f"the body is larger than {self._max_body_bytes:,} bytes")

        return limited

    def _count(self, scope: Scope, status: int, *, seconds: float) -> None:
        # Unknown paths are counted as one, or a scanner could fill the memory with labels.
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.count_request(scope["method"], route, status=status, seconds=seconds)


def _request_id(scope: Scope) -> bytes:
    """Return the client's request id if it is fit to be repeated, else a new one."""
    given = _header(scope, REQUEST_ID)
    return given if _SAFE_ID.fullmatch(given) else b"%032x" % random.getrandbits(128)


def _header(scope: Scope, name: bytes) -> bytes:
    """Return the value of a request header, its name in lower case; empty where it is not."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    for key, value in headers:
        if key == name:
            return value
    return b""
