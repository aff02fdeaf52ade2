"""A minimal HTTP/1.1 client, fast enough to load a server."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An answer: its status, headers in lower case, and body."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Connection:
    """A kept connection that carries one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send the bytes of a request; return its answer.

        Raises:
            OSError, asyncio.IncompleteReadError: The connection broke.
        """
        if self._reader is not None:
            try:
                return await self._ask(request)
            except (OSError, asyncio.IncompleteReadError):  # closed while it was not in use
                self.close()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return await self._ask(request)

    async def _ask(self, request: bytes) -> Answer:
        assert self._reader is not None
        assert self._writer is not None
        self._writer.write(request)
        answer = await self._read(await self._reader.readuntil(b"\r\n\r\n"))
        if answer.headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return answer

    async def _read(self, head: bytes) -> Answer:
        assert self._reader is not None
        first, *lines = head[:-4].split(b"\r\n")
        pairs = (line.split(b":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        if headers.get(b"transfer-encoding") == b"chunked":
            body = await self._read_chunks()
        else:
            body = await self._reader.readexactly(int(headers.get(b"content-length", b"0")))
        return Answer(int(first.split(b" ", 2)[1]), headers, body)

    async def _read_chunks(self) -> bytes:
        assert self._reader is not None
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return body

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def post(path: str, body: bytes, **headers: str) -> bytes:
    """Return the bytes of a POST of JSON."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{more}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
