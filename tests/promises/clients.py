"""Clients that know for each request whether the service had accepted it.

A request is accepted when the service asks for its body (`100 Continue`): from then on it has to be
answered. A connection that is refused, reset or closed before that was not accepted, and whoever
sent it can send it again.
"""

import json
import re
import socket
import time
from dataclasses import dataclass, field
from functools import partial

from tests.e2e.threads import Threads

TIMEOUT = 60.0  # seconds, far beyond any deadline


@dataclass
class Request:
    """What became of a request; times are of the clock `time.monotonic`."""

    began: float
    accepted: bool = False
    status: int | None = None
    body: bytes = b""
    ended: float = 0.0
    fault: str = ""

    @property
    def lost(self) -> bool:
        """Whether it was accepted and not answered, or only in part."""
        return self.status is None and (self.accepted or bool(self.body))


def ask(port: int, question: dict[str, object], path: str = "/predict") -> Request:
    """Send one request on a connection of its own."""
    request = Request(time.monotonic())
    body = json.dumps(question).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
            connection.sendall(head.encode())
            data = _read_until(connection, b"", end=b"\r\n\r\n")
            if data.startswith(b"HTTP/1.1 100"):
                request.accepted = True
                connection.sendall(body)
                data = data.partition(b"\r\n\r\n")[2]
            _read_answer(connection, request, data)
    except OSError as error:
        request.fault = str(error)
    request.ended = time.monotonic()
    return request


def _read_until(connection: socket.socket, data: bytes, *, end: bytes) -> bytes:
    while end not in data:
        more = connection.recv(65_536)
        if not more:
            return data
        data += more
    return data


def _read_answer(connection: socket.socket, request: Request, data: bytes) -> None:
    data = request.body = _read_until(connection, data, end=b"\r\n\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    if length is None:
        return
    while len(body) < int(length[1]):
        more = connection.recv(65_536)
        if not more:
            return
        body += more
    request.status, request.body = int(head.split()[1]), body


@dataclass
class Load(Threads):
    """Clients that ask one request after the other until told to stop.

    Args:
        port: The service.
        texts: What they ask for, in turn.
        clients: How many.
    """

    port: int
    texts: list[str]
    clients: int = 4
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(*(partial(self._work, each) for each in range(self.clients)))

    def _work(self, number: int) -> None:
        while not self.over.is_set():
            number += 1
            request = ask(self.port, {"text": self.texts[number % len(self.texts)]})
            self.requests.append(request)
            if request.status is None:
                self.over.wait(0.02)  # nobody listens
