"""The real server with real sockets, in a thread of the tests, and what it says to raw bytes."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.settings import Settings
from service.web.listening import listen
from service.web.server import make_server


@contextmanager
def serving(settings: Settings) -> Iterator[int]:
    """Serve on a port of 127.0.0.1, which is given."""
    sockets = listen("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    server = make_server(settings)
    server.state.catalog.refresh()
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


def exchange(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Return all that comes back until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        answer = b""
        while some := client.recv(65_536):
            answer += some
    return answer
