"""One HTTP connection: what uvicorn's own leaves to a proxy in front.

A client that never ends the head of its request is cut off, so that it cannot hold the connection
or fill the memory. An offer to go on with another protocol, such as HTTP/2, is passed over.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.web.schemas import ErrorBody, ErrorDetail

HEAD_SECONDS = 30.0  # from the first byte of a head to its end
HEAD_BYTES = 64 * 1024  # of a head that has not ended yet
LINGER_SECONDS = 1.0  # to read an answer that comes before all is sent

_OFFER = (b"upgrade", b"http2-settings")


class Connection(HttpToolsProtocol):
    """One connection, over which requests come one after the other.

    The arguments are those of uvicorn, which makes it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = self._begun = False
        self._is_over = False  # nothing more is read here: refused, or a WebSocket by now
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request no longer than for a later one."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was awaited."""
        super().connection_lost(exc)
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        """Take what has come, as asyncio asks."""
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        self._begun = False
        rest: bytes | None = data
        while rest:
            rest = self._parse(rest)
        if not self._is_over:
            self._watch_head(len(data))

    def on_message_begin(self) -> None:
        """See the parser of httptools."""
        self._in_head = self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """See the parser of httptools."""
        self._in_head = False
        if not self._is_offer():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """See the parser of httptools."""
        if not self._is_offer():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the documented form."""
        self._refuse(HTTPStatus.BAD_REQUEST, "malformed", msg)

    def _parse(self, data: bytes) -> bytes | None:
        """Parse data; return what is to be parsed once more, now without its offer."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if not self._should_upgrade():
                head = self._head_without_offer()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
                return head + data[offer.args[0] :]
            self._is_over = True
            self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self.logger.warning("a client sent what is no HTTP request")
            self.send_400_response("this is no HTTP request")
        return None

    def _should_upgrade(self) -> bool:
        is_get: bool = self.parser.get_method() == b"GET"
        return is_get and super()._should_upgrade()

    def _is_offer(self) -> bool:
        """Whether the head offers a protocol that is not spoken here."""
        return bool(self.parser.should_upgrade()) and not self._should_upgrade()

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b" ".join((self.parser.get_method(), self.url, b"HTTP/" + version))]
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                kept = [option for option in options if option.lower() not in _OFFER]
                lines += [b"connection: " + option for option in kept]
            elif name not in _OFFER:
                lines.append(name + b": " + value)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _await_request(self) -> None:
        """Close the connection if none comes; uvicorn does so after an answer only."""
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _watch_head(self, size: int) -> None:
        """See that a head that has begun ends, in time and before it is too large."""
        if not self._in_head:
            self._stop_timer()
            if self._is_idle():  # what came was blank lines
                self._await_request()
            return
        # Where a head begins, what came before it may be the body of the request before.
        self._head_bytes = 0 if self._begun else self._head_bytes + size
        if self._head_bytes > HEAD_BYTES:
            message = f"the head of the request is larger than {HEAD_BYTES:,} bytes"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", message)
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end_waiting)

    def _end_waiting(self) -> None:
        message = f"the head of the request did not end within {HEAD_SECONDS:g} seconds"
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "too_slow", message)

    def _is_idle(self) -> bool:
        is_answered = self.cycle is None or self.cycle.response_complete
        return is_answered and self.timeout_keep_alive_task is None

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: HTTPStatus, kind: str, message: str) -> None:
        """Answer what no application can answer, and close the connection."""
        self._is_over = True
        self._stop_timer()
        if self._owes_answer():
            self.cycle.keep_alive = False  # which is all that can be said after it
            return
        error = ErrorBody(error=ErrorDetail(type=kind, message=message))
        body = error.model_dump_json(exclude_none=True).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode())]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # or the answer to half a body would follow this one
        else:  # a client that is still sending would see a reset in place of the answer
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _owes_answer(self) -> bool:
        """Whether a request that came whole is still to be answered."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body
