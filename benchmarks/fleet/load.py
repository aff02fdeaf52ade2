"""Sends requests at given times, from a process of its own on another core.

    python -m benchmarks.fleet.load PLAN RESULTS

PLAN is a JSON file as `Plan` describes it. RESULTS (npz) gets `started` on `time.perf_counter`, and
`used`, the seconds of processor time of the load. Its `rows` have for each request the seconds from
then until it was due, was sent and was answered, and its status (0 if it got no answer).

An open loop sends a request when it is due, on a connection that is free or on a new one, whatever
became of those before. The time of an answer counts from when its request was due. So nothing that
holds up the load hides in the figures (no coordinated omission). It polls without pause when a
request is nearly due, because timers would come up to a millisecond late.
"""

import gc
import json
import os
import select
import socket
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray

MOST_CONNECTIONS = 4_096
PATIENCE = 5.0  # seconds after the last request of an open loop
POLLED = 0.0003  # seconds before a request is due from which on there is no sleep
ROW = ("due", "sent", "answered", "status")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The requests to send.

    Args:
        port: Port of the server, on 127.0.0.1.
        bodies: Bodies of requests.
        order: Number of the body of each request.
        due: Seconds from the start at which each is due (an open loop); empty for a closed loop.
        connections: Connections of a closed loop, each of which asks without pause.
        seconds: How long a closed loop asks.
        core: Processor to run on.
    """

    port: int
    bodies: list[str]
    order: list[int]
    due: list[float]
    connections: int = 1
    seconds: float = 0.0
    core: int | None = None

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self)))


class _Connection:
    """A kept connection that carries one request at a time."""

    __slots__ = ("_socket", "fileno", "received", "request")

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self.fileno = self._socket.fileno()
        self.received = b""
        self.request = -1

    def send(self, number: int, data: bytes) -> None:
        """Send the request of a number; it is small enough to be taken at once."""
        self.request, self.received = number, b""
        if self._socket.send(data) != len(data):
            raise OSError("a request did not fit into the buffer of its socket")

    def receive(self) -> int | None:
        """Take what has come; return the status once the answer is whole, 0 if it broke off."""
        try:
            data = self._socket.recv(65_536)
        except OSError:
            return 0
        if not data:
            return 0
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        return int(head[9:12]) if len(body) >= length else None

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class Load:
    """Sends the requests of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = [_post(body.encode()) for body in plan.bodies]
        self._poll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._free: deque[_Connection] = deque()
        self._rows: list[list[float]] = []
        self._waiting = 0
        self.started = self.used = 0.0

    def run(self) -> NDArray[np.float64]:
        """Return a row for each request; see ROW."""
        self.started, used = time.perf_counter(), time.thread_time()
        if self._plan.due:
            self._open()
        else:
            self._closed()
        self.used = time.thread_time() - used
        for connection in self._connections.values():
            connection.close()
        return np.array(self._rows).reshape(-1, len(ROW))

    def _open(self) -> None:
        for due in self._plan.due:
            while (left := due - self._now()) > 0:
                self._take(left - POLLED)
            if not self._free and len(self._connections) == MOST_CONNECTIONS:
                self._take(0)
            self._send(due, self._free.pop() if self._free else self._connect())
        until = self._plan.due[-1] + PATIENCE
        while self._waiting and self._now() < until:
            self._take(until - self._now())

    def _closed(self) -> None:
        self._free.extend(self._connect() for _ in range(self._plan.connections))
        while self._now() < self._plan.seconds:
            while self._free:
                self._send(self._now(), self._free.popleft())
            self._take(PATIENCE)
        while self._waiting:
            self._take(PATIENCE)

    def _connect(self) -> _Connection:
        connection = _Connection(self._plan.port)
        self._connections[connection.fileno] = connection
        self._poll.register(connection.fileno, select.EPOLLIN)
        return connection

    def _send(self, due: float, connection: _Connection) -> None:
        number = len(self._rows)
        text = self._plan.order[number % len(self._plan.order)]
        self._rows.append([due, self._now(), float("nan"), 0])
        connection.send(number, self._requests[text])
        self._waiting += 1

    def _take(self, seconds: float) -> None:
        """Take what has come, or comes within so many seconds."""
        if seconds > 0:  # select counts in microseconds, epoll in milliseconds
            select.select([self._poll.fileno()], [], [], seconds)
        for fileno, _ in self._poll.poll(0):
            connection = self._connections[fileno]
            status = connection.receive()
            if status is None:
                continue
            row = self._rows[connection.request]
            row[2:] = self._now(), status
            self._waiting -= 1
            if status:
                self._free.append(connection)
            else:
                self._poll.unregister(fileno)
                connection.close()
                del self._connections[fileno]

    def _now(self) -> float:
        return time.perf_counter() - self.started


def _post(body: bytes) -> bytes:
    head = (
        "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def take_precedence(thread: int, *, priority: int) -> bool:
    """Let a thread go before all else on its core; return whether the system allows that."""
    try:
        os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(priority))
    except (AttributeError, PermissionError):  # another system, or no right to it
        return False
    return True


def main(plan: Path, results: Path) -> None:
    """Run a plan."""
    what = Plan(**json.loads(plan.read_text()))
    if what.core is not None:
        os.sched_setaffinity(0, {what.core})
    take_precedence(0, priority=1)
    gc.disable()  # a pause here would count as one of the server's
    load = Load(what)
    rows = load.run()
    np.savez(results, rows=rows, started=load.started, used=load.used)


if __name__ == "__main__":
    typer.run(main)
