"""One HTTP connection: what uvicorn's own leaves to a proxy in front.

A client that does not end the head of its request, sends too much of it, or does not take its
answers is cut off, so that it can neither hold the connection nor fill the memory. An offer to go
on with another protocol, such as HTTP/2, is passed over.
"""

import asyncio
from typing import Any, NoReturn, cast

import httptools
from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.metrics import Metrics
from service.web import refusal
from service.web.answer_writer import AnswerWriter
from service.web.client import Client, note_client
from service.web.limits import Limits, Room, StalledWrites
from service.web.refusal import Refusal
from service.web.scope import UNKNOWN
from service.web.shedding import Shedder

# What chunks may cost besides their bytes, as in Go's net/http: a size, ends of lines, extensions.
CHUNK_BYTES = 16
CHUNK_FACTOR = 3  # with the byte itself
DROPPED_BYTES = 1024**2  # that are read after a refusal

_BLANKS = b" \t"
_CLOSE = (b"connection", b"close")
_OFFER = (b"upgrade", b"http2-settings")


class _Stop(Exception):
    """Makes the parser stop."""


class Connection(HttpToolsProtocol):
    """One connection, over which requests come one after the other.

    Args:
        limits: What a client may take.
        room: Of all connections of the process.
        shedder: Tells which requests to reject here.
        metrics: Where else what is refused here is counted.
        args: The other arguments are those of uvicorn, which makes it.
    """

    def __init__(
        self,
        *args: Any,
        limits: Limits,
        room: Room,
        shedder: Shedder,
        metrics: Metrics,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._room = room
        self._shedder = shedder
        self._metrics = metrics
        self._rejection: Refusal | None = None  # of the request whose body is still read
        self._in_head = False
        self._is_over = False  # nothing more is read here: refused, or a WebSocket by now
        self._head_bytes = 0  # of names, values and path that are whole
        self._excess = 0  # bytes that came for a head that goes on, or with a body beside it
        self._head_timer: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None  # the request that is answered
        self._client: Client | None = None  # of that request
        self._writer: AnswerWriter | None = None  # of that answer
        self._before: RequestResponseCycle | None = None  # the last request but one
        self._refusal: Refusal | None = None  # why the parser was stopped

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request no longer than for a later one, if there is room."""
        super().connection_made(transport)
        self._stalled = StalledWrites(transport, self.loop, self._limits)
        if not self._room.takes_connection(len(self.connections)):
            self._is_over = True
            if self._room.is_crowded(len(self.connections)):
                transport.abort()
            else:
                self._refuse(refusal.FULL)
            return
        self._room.await_request(self)
        # Uvicorn closes a connection without a request only after an answer.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was awaited, and tell all that are answered, not the last alone."""
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        if self._client is not None:
            self._client.leave()
        self._unset_keepalive_if_required()
        self._stop_timer()
        self._stalled.end()
        self._room.forget(self)

    def evict(self) -> None:
        """Close the connection, which waits for a request, to make room for another."""
        self.connections.discard(self)
        self._is_over = True
        self.transport.abort()

    def pause_writing(self) -> None:
        """Give the client some time to take what is sent."""
        super().pause_writing()
        self._stalled.begin()

    def resume_writing(self) -> None:
        """Go on sending."""
        super().resume_writing()
        self._stalled.end()

    def data_received(self, data: bytes) -> None:
        """Take what has come, as asyncio asks."""
        self._excess += len(data)
        if self._is_over:
            if self._excess > DROPPED_BYTES:  # whoever goes on would take time from others
                self.flow.pause_reading()
            return
        rest: bytes | None = data
        while rest:
            rest = self._parse(rest)
        if not self._is_over:
            self._watch()

    def on_message_begin(self) -> None:
        """See the parser of httptools."""
        if len(self.pipeline) >= self._limits.pipelined:
            self._stop(refusal.PIPELINED)
        self._unset_keepalive_if_required()
        self._in_head = True
        self._head_bytes = self._excess = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """See the parser of httptools."""
        self._head_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See the parser of httptools. It hands over trailers too, which are no headers."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._limits.head_bytes:
            self._stop(self._too_large())
        if not self._in_head:
            return
        if len(self.headers) >= self._limits.headers:
            self._stop(refusal.too_many_headers(self._limits.headers))
        super().on_header(name, value.rstrip(_BLANKS))  # which the parser leaves behind it

    def on_headers_complete(self) -> None:
        """See the parser of httptools."""
        if self._head_bytes > self._limits.head_bytes:  # of a path with few headers or none
            self._stop(self._too_large())
        self._check_head()
        self._in_head = False
        self._stop_timer()
        self._excess = 0
        self._room.forget(self)
        if self._is_offer():
            return
        self._rejection = self._find_rejection()
        if self._rejection is None:
            self._before = self.cycle
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """See the parser of httptools."""
        if self._excess:
            self._excess = max(0, self._excess - CHUNK_BYTES - CHUNK_FACTOR * len(body))
        if self._rejection is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """See the parser of httptools."""
        if self._rejection is not None:
            self._reject(self._rejection)
        elif not self._is_offer():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it has begun."""
        if self._writer is not None:
            self._writer.flush()
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._room.await_request(self)
            if self._in_head:  # which has a time of its own
                self._unset_keepalive_if_required()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running, self._writer = cycle, AnswerWriter(cycle.transport)
        cycle.transport = self._writer  # type: ignore[assignment]  # all that a cycle uses of it
        self._client = Client(cycle)
        note_client(cast(Scope, cycle.scope), self._client)
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Go on as a WebSocket, if there is room for one and all before it is answered."""
        if self._is_answering:
            self._refuse(refusal.PIPELINED)
        elif not self._room.takes_stream():
            self._refuse(refusal.FULL)
        else:
            self._is_over = True
            self._stop_timer()
            self._stalled.end()
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the documented form."""
        self._refuse(refusal.NO_HTTP)

    def _parse(self, data: bytes) -> bytes | None:
        """Parse data; return what is to be parsed once more, now without its offer."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self.parser.get_method() == b"CONNECT":  # which is none that could be left out
                self._refuse(refusal.NO_TUNNEL)
                return None
            if not self._should_upgrade():
                head = self._head_without_offer()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
                return head + data[offer.args[0] :]
            self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            if self._refusal is None:
                self.logger.warning("a client sent what is no HTTP request")
            self._refuse(self._refusal or refusal.NO_HTTP)
        return None

    def _check_head(self) -> None:
        """Stop at a head that proxies in front may read otherwise (RFC 9112, 2.3 and 3.2)."""
        version = self.parser.get_http_version()
        hosts = [name for name, _ in self.headers].count(b"host")
        if version not in ("1.1", "1.0"):
            self._stop(refusal.OTHER_VERSION)
        if hosts > 1 or (version == "1.1" and hosts < 1):
            self._stop(refusal.NOT_ONE_HOST)

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

    def _find_rejection(self) -> Refusal | None:
        """Return why a request need not come further, if no other on its connection does."""
        if self.parser.get_method() != b"POST" or self._is_answering:
            return None
        if self.flow.write_paused:  # the application waits until the client takes its answers
            return None
        busy = len(self.tasks) - self._room.streams  # each of which is a task as well
        return self._shedder.shed(self.url, self.headers, busy=busy)

    def _reject(self, why: Refusal) -> None:
        """Answer a request that is read to its end; the connection goes on as uvicorn's would."""
        self._rejection = None
        headers = self.server_state.default_headers
        self.transport.write(why.to_bytes(headers))
        goes_on = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        if goes_on and _CLOSE not in headers:  # which is there once the service is to end
            self.on_response_complete()
        else:
            self.transport.close()

    def _stop(self, why: Refusal) -> NoReturn:
        """Stop the parser, which calls."""
        self._refusal = why
        raise _Stop

    def _watch(self) -> None:
        """See that a head ends in time, and that what is not handed over yet stays small."""
        if self._excess > self._limits.head_bytes and (self._in_head or self._in_body):
            self._refuse(self._too_large())
        elif not (self._in_head or self._rejection):
            self._stop_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.seconds, self._end_waiting)

    def _too_large(self) -> Refusal:
        too_large = refusal.head_too_large if self._in_head else refusal.framing_too_large
        return too_large(self._limits.head_bytes)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _in_body(self) -> bool:
        return self.cycle is not None and self.cycle.more_body

    def _end_waiting(self) -> None:
        part = "head" if self._in_head else "body"
        self._refuse(refusal.too_slow(part, seconds=self._limits.seconds))

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, why: Refusal) -> None:
        """Answer what no application can answer, and close the connection.

        Where a request before it is still to be answered, that is all that can be said.
        """
        self._is_over = True
        self._stop_timer()
        self._room.forget(self)
        self._metrics.count_refusal(UNKNOWN, why.type)
        if self._writer is not None:
            self._writer.flush()
        if self._in_body:
            self._forget_request()
        cycle = self.cycle
        if self._is_answering and not cycle.disconnected:
            cycle.keep_alive = False
            return
        if cycle is None or not (cycle.disconnected and cycle.response_started):
            self.transport.write(why.to_bytes(self.server_state.default_headers))
        # A client that is still sending would see a reset in place of the answer.
        self.loop.call_later(self._limits.linger_seconds, self.transport.close)

    def _forget_request(self) -> None:
        """Give up the request whose body is on its way."""
        if self.pipeline:  # then it is the last that waits there
            self.pipeline.popleft()
            self.cycle = self._before  # type: ignore[assignment]  # there is one
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
