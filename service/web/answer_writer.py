"""Sends the head of an answer along with the first of its body.

Uvicorn writes the head as soon as it has it. That makes two packets of a small answer, and wakes
its client twice. ASGI has servers wait for the first of the body (HTTP, Response Start).
"""

import asyncio

GOES_ON = b"HTTP/1.1 100 "  # of a client that waits to be told to send its body


class AnswerWriter:
    """What one answer is written to, in place of the transport of its connection.

    Args:
        transport: That of the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None  # None until there is one; empty once it is sent

    def write(self, data: bytes) -> None:
        """Write data behind the head, or keep it if it is the head."""
        if self._head is None and not data.startswith(GOES_ON):
            self._head = data
            return
        if self._head:
            data, self._head = self._head + data, b""
        self._transport.write(data)

    def flush(self) -> None:
        """Write the head if it is still here, because no body will come."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close the connection once all is sent."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closed or about to be."""
        return self._transport.is_closing()
