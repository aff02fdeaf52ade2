"""A wire between a client and a server, which can be slow, be cut or fall silent."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer

PIECE = 16_384  # bytes


@dataclass
class Wire:
    """What the wire does, and what has gone over it.

    Args:
        target: Port of the server.
        port: Port to ask in its place.
        rate: Bytes a second and connection, in each direction; None for as many as can be.
        silent: Whether nothing comes through any more.
        cut: Whether connections end at once.
        up, down: Bytes that went to the server, and came from it.
    """

    target: int
    port: int = 0
    rate: float | None = None
    silent: threading.Event = field(default_factory=threading.Event)
    cut: bool = False
    up: int = 0
    down: int = 0

    @property
    def total(self) -> int:
        return self.up + self.down

    def settle(self) -> None:
        """Wait until nothing comes any more, as of killed clients, whose last bytes still do."""
        before = -1
        while before != self.total:
            before = self.total
            time.sleep(0.3)

    def pump(self, source: socket.socket, target: socket.socket, *, up: bool) -> None:
        """Hand on what comes, until one side ends."""
        with suppress(OSError):
            while piece := source.recv(PIECE):
                while self.silent.is_set():
                    time.sleep(0.02)
                if self.rate:
                    time.sleep(len(piece) / self.rate)
                target.sendall(piece)
                if up:
                    self.up += len(piece)
                else:
                    self.down += len(piece)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def run_wire(target: int) -> Iterator[Wire]:
    """Lay a wire to a server at a port of this machine."""
    wire = Wire(target)

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            if wire.cut:
                return
            with socket.create_connection(("127.0.0.1", target)) as server:
                upwards = threading.Thread(
                    target=wire.pump, args=(self.request, server), kwargs={"up": True}, daemon=True
                )
                upwards.start()
                wire.pump(server, self.request, up=False)
                upwards.join()

    with _Server(("127.0.0.1", 0), Handler) as server:
        wire.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield wire
        finally:
            wire.silent.clear()
            server.shutdown()
            thread.join()
