"""What one client may take, and all clients of a process together.

These are the limits that hold before a request is answered. `docs/serving.md` lists them.
"""

import asyncio
import logging
import socket
import sys
from dataclasses import dataclass
from typing import Protocol

if sys.platform != "win32":
    import resource

SPARE_FILES = 128  # for versions, pages and metrics, beside connections
SPARE_CONNECTIONS = 64  # that are told that there are too many, in place of being cut

_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)  # on Linux
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Limits of one connection.

    Args:
        seconds: For a head to end, and before a body or an answer must move on.
        least_rate: Bytes per second that earn a body or an answer more time.
        head_bytes: Bytes of a head: of its path, and of the names and values of its headers.
        headers: Headers of a request.
        pipelined: Requests that may wait behind one that is answered.
        fragments: Frames of one WebSocket message.
        linger_seconds: To read an answer that comes before all is sent.
    """

    seconds: float = 30.0
    least_rate: int = 16 * 1024
    head_bytes: int = 32 * 1024
    headers: int = 100
    pipelined: int = 16
    fragments: int = 4_096
    linger_seconds: float = 1.0


class Waiting(Protocol):
    """A connection whose client has not asked anything yet."""

    def evict(self) -> None:
        """Close it at once."""


class Room:
    """The connections of a process.

    If there are too many, a new one takes the place of the one that has waited longest for a
    request. So clients that connect and ask nothing keep nobody out.

    Args:
        connections: Connections at the same time.
    """

    def __init__(self, connections: int) -> None:
        self._most = connections
        self._most_streams = max(1, connections // 2)
        self._waiting: dict[Waiting, None] = {}  # the longest first
        self.streams = 0

    def await_request(self, connection: Waiting) -> None:
        """Note that a connection waits for a request."""
        self._waiting[connection] = None

    def forget(self, connection: Waiting) -> None:
        """Note that a connection waits no more: the head of a request is here, or it is closed."""
        self._waiting.pop(connection, None)

    def takes_connection(self, count: int) -> bool:
        """Whether one more may stay.

        Args:
            count: Connections that there are with it.
        """
        if count <= self._most:
            return True
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        self.forget(longest)
        longest.evict()
        return True

    def is_crowded(self, count: int) -> bool:
        """Whether there is not even time to refuse a connection politely."""
        return count > self._most + SPARE_CONNECTIONS

    def takes_stream(self) -> bool:
        """Whether one more WebSocket may be opened; they leave half of the room to requests."""
        return self.streams < self._most_streams


class StalledWrites:
    """Cuts a connection whose client does not take what is sent to it.

    The loop tells when much waits to be sent. Where little does, the system sees to it.

    Args:
        transport: Of the connection.
        loop: On which it runs.
        limits: How long that may take.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, limits: Limits
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        opened = transport.get_extra_info("socket")
        if _TIMEOUT is not None and opened is not None and opened.family != socket.AF_UNIX:
            opened.setsockopt(socket.IPPROTO_TCP, _TIMEOUT, round(limits.seconds * 1e3))

    def begin(self) -> None:
        """Note that something waits to be sent."""
        size = self._transport.get_write_buffer_size()
        seconds = self._limits.seconds + size / self._limits.least_rate
        self.end()
        self._timer = self._loop.call_later(seconds, self._transport.abort)

    def end(self) -> None:
        """Note that it is sent, or that nobody waits for it any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def limit_connections(wanted: int) -> int:
    """Return how many connections the process may have, as its limit of open files allows.

    The limit is raised for them as far as the system lets a process do that.
    """
    if sys.platform == "win32":
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_CONNECTIONS + SPARE_FILES
    if soft < needed and soft != resource.RLIM_INFINITY:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    spare = min(SPARE_CONNECTIONS + SPARE_FILES, soft // 2)
    most = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - spare)
    if most < wanted:
        _log.warning("%d connections at most, for a process may open %d files", most, soft)
    return most
