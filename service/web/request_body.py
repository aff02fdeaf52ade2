"""The body of one request: how large and slow it may be, and what happens to a rest nobody reads.

A client that sends all before it reads sees no answer if the connection is closed meanwhile: what
comes after that is answered with a reset, which also discards the answer. So after an early answer
the rest is read and dropped for a while, as nginx does in its lingering close.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from service.errors import TooLarge, TooSlow
from service.web.body_bytes import BodyShare
from service.web.client import has_arrived


@dataclass(frozen=True)
class Patience:
    """How long a body is awaited, and how much of a rest is read that nobody needs.

    Args:
        body_seconds: A body that is needed has to come within such a time,
        least_rate: and a second more for so many bytes that have come.
        rest_bytes: A rest of at most so many bytes is awaited before the answer,
        rest_seconds: for so long, so that the connection can be used again.
        linger_bytes: Bytes that are read after the answer at most,
        linger_seconds: for so long,
        idle_seconds: as long as some come within such a time.
    """

    body_seconds: float = 30.0
    least_rate: int = 16 * 1024
    rest_bytes: int = 64 * 1024
    rest_seconds: float = 0.05
    linger_bytes: int = 256 * 1024**2
    linger_seconds: float = 10.0
    idle_seconds: float = 2.0


PATIENCE = Patience()


class RequestBody:
    """The body of one request.

    Args:
        scope: The request.
        receive: Gives its messages.
        limit: Bytes of the largest body that is read.
        patience: How much of a rest is read.
        share: Of the memory for all bodies that are on their way.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        *,
        limit: int,
        patience: Patience,
        share: BodyShare,
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience
        self._share = share
        self._begun: float | None = None  # on the clock of the event loop
        self._scope = scope
        self._received = 0
        self._ended = False
        declared = find_header(scope, b"content-length")
        self._declared = int(declared) if declared and declared.isdigit() else 0

    async def receive(self) -> Message:
        """Return the next message, as ASGI has it.

        FastAPI's own limit answers in plain text, where clients expect the documented error.

        Raises:
            TooLarge: The body is known to be over the limit; what is left is not waited for.
            TooSlow: It did not come in time.
            Overloaded: The bodies that are on their way fill their memory.
        """
        if self._declared <= self._limit:
            at_once = self._ended or has_arrived(self._scope)
            message = await (self._take() if at_once else self._take_in_time())
            if self._received <= self._limit:
                if self._ended:
                    self._share.release()
                else:
                    self._share.hold(self._received)
                return message
        raise TooLarge(f"the body is larger than {self._limit:,} bytes")

    async def is_read(self) -> bool:
        """Whether all has come, once a small rest had a moment to come."""
        if self._ended or not self._has_any():
            return True
        patience = self._patience
        # Where a client waits to be told to send, reading would tell it so.
        told = not find_header(self._scope, b"expect")
        if told and self._declared - self._received <= patience.rest_bytes:
            await self._discard(patience.rest_bytes, seconds=patience.rest_seconds)
        return self._ended

    async def linger(self) -> None:
        """Drop what still comes, within bounds, so that the client sees the answer."""
        patience = self._patience
        await self._discard(
            patience.linger_bytes, seconds=patience.linger_seconds, idle=patience.idle_seconds
        )

    def _has_any(self) -> bool:
        return self._declared > 0 or bool(find_header(self._scope, b"transfer-encoding"))

    async def _discard(self, most: int, *, seconds: float, idle: float | None = None) -> None:
        """Read on to the end, for so many bytes and seconds at most."""
        last = self._received + most
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._ended and self._received < last:
                    async with asyncio.timeout(idle):
                        await self._take()

    async def _take_in_time(self) -> Message:
        patience, now = self._patience, asyncio.get_running_loop().time()
        if self._begun is None:
            self._begun = now
        seconds = patience.body_seconds + self._received / patience.least_rate
        try:
            async with asyncio.timeout_at(self._begun + seconds):
                return await self._take()
        except TimeoutError:
            raise TooSlow(
                f"the body did not come within {patience.body_seconds:g} seconds, and one more for "
                f"each {patience.least_rate:,} bytes"
            ) from None

    async def _take(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)  # a client that left sends no more either
        return message


async def read_all(receive: Receive) -> bytes:
    """Return all of a body. Starlette's own reads it piece by piece, which takes twice as long.

    Raises:
        ClientDisconnect: The client left before all was here.
    """
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


def find_text(scope: Scope, name: bytes) -> str | None:
    """Return the value of a request header as text; see `find_header`."""
    value = find_header(scope, name)
    return None if value is None else value.decode("latin-1")


def find_header(scope: Scope, name: bytes) -> bytes | None:
    """Return the value of a request header, its name in lower case; None where it is not there."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    for key, value in headers:
        if key == name:
            return value
    return None
