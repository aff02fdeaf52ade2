"""One WebSocket: what uvicorn's own leaves to a proxy in front."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame
from websockets.http11 import Response

from service.errors import Overloaded
from service.web.body_bytes import BodyBytes
from service.web.errors import INTERNAL
from service.web.limits import Limits, Room, StalledWrites
from service.web.refusal import Refusal

_REFUSALS = {
    HTTPStatus.FORBIDDEN: ("not_found", "there is no WebSocket at this path"),
    HTTPStatus.INTERNAL_SERVER_ERROR: (INTERNAL.type, INTERNAL.message),
}
_BAD_HANDSHAKE = ("malformed", "this is no handshake of a WebSocket")

MESSAGE_BYTES = 512  # that one takes in memory beside its text, about

# Where uvicorn tells the path with its query, and the client's address, of each WebSocket.
LOGGER = "uvicorn.error.websocket"
_log = logging.getLogger(LOGGER)


class WebSocketConnection(WebSocketsSansIOProtocol):
    """One WebSocket, over which messages come in frames.

    Args:
        limits: What a client may take.
        room: Of all connections of the process.
        held: Bytes of all bodies and messages that are on their way.
        args: The other arguments are those of uvicorn, which makes it.
    """

    def __init__(
        self, *args: Any, limits: Limits, room: Room, held: BodyBytes, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = _log
        self.conn.reject = _reject  # type: ignore[assignment, method-assign]
        self._limits = limits
        self._room = room
        self._share = held.share()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it as open."""
        super().connection_made(transport)
        self._stalled = StalledWrites(transport, self.loop, self._limits)
        self._room.streams += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Give its place and bytes back."""
        super().connection_lost(exc)
        self._stalled.end()
        self._room.streams -= 1
        self._share.release()

    def data_received(self, data: bytes) -> None:
        """Take what has come, as asyncio asks; nothing more while the client reads nothing.

        Its pings would else be answered into the memory.
        """
        super().data_received(data)
        if self.close_sent or self.transport.is_closing():
            return
        try:
            self._count_held()
        except Overloaded as error:
            self._cut(CloseCode.TRY_AGAIN_LATER, error.message)
            return
        if not self.writable.is_set():
            self.transport.pause_reading()

    async def receive(self) -> Any:
        """Return the next message, as ASGI has it."""
        message = await super().receive()
        self._count_held()
        return message

    async def send(self, message: Any) -> None:
        """Send one message; uvicorn would log an answer in place of a WebSocket as an error."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message over; uvicorn would log what is no UTF-8 as an error of its own."""
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._cut(CloseCode.INVALID_DATA, "a text is not in UTF-8")
        else:
            super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        """Take a frame that goes on with a message."""
        if self.close_sent:
            return
        if len(self.frames) >= self._limits.fragments:
            most = self._limits.fragments
            self._cut(CloseCode.MESSAGE_TOO_BIG, f"a message has more than {most:,} frames")
        else:
            super().handle_cont(event)

    def pause_writing(self) -> None:
        """Give the client some time to take what is sent."""
        super().pause_writing()
        self._stalled.begin()

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._stalled.end()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _count_held(self) -> None:
        started = len(self.conn.reader.buffer) + (self.conn.current_size or 0)
        self._share.hold(started + MESSAGE_BYTES * self.queue.qsize())

    def _cut(self, code: CloseCode, reason: str) -> None:
        """Close the WebSocket for a fault of the client."""
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reject(status: int, _text: str) -> Response:
    """Return the refusal of a handshake in the documented form; the given text quotes headers."""
    status = HTTPStatus(status)
    kind, message = _REFUSALS.get(status, _BAD_HANDSHAKE)
    body = Refusal(status, kind, message).body
    headers = Headers(
        {
            "Connection": "close",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
        }
    )
    return Response(status, status.phrase, headers, body)
