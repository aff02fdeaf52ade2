"""The real server with real sockets, in a thread of the tests."""

import threading
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
