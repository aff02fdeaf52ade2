"""What the server makes of its settings, and how it ends."""

import http.client
import json
import signal
import threading
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.settings import Settings
from service.web.app import Entrance
from service.web.listening import listen
from service.web.orders import Orders
from service.web.server import DrainingServer, make_server


def load(settings: Settings) -> object:
    """Return what the server calls."""
    config = make_server(settings).config
    config.load()
    return config.loaded_app


def test_forwarded_headers_count_from_nobody_by_default(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # of uvicorn, which is not asked
    assert not isinstance(load(Settings(store=store)), ProxyHeadersMiddleware)


def test_forwarded_headers_count_from_trusted_addresses(store: Path) -> None:
    settings = Settings(store=store, forwarded_allow_ips="10.0.0.0/8, 192.168.1.7")
    app = load(settings)
    assert isinstance(app, ProxyHeadersMiddleware)
    trusted = {"10.1.2.3": True, "192.168.1.7": True, "192.168.1.8": False, "127.0.0.1": False}
    assert {address: address in app.trusted_hosts for address in trusted} == trusted


def test_the_application_is_called_past_what_fastapi_does_first(store: Path) -> None:
    assert type(load(Settings(store=store))) is Entrance


@pytest.mark.parametrize("given", ["proxy", "10.0.0.0/33", "10.0.0.1,*.example.com"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="is no address, no network such as"):
        Settings(forwarded_allow_ips=given)


@pytest.fixture
def draining(store: Path) -> Iterator[tuple[DrainingServer, int]]:
    """A server that drains for a minute once it is told to end, and its port."""
    sockets = listen("127.0.0.1", 0)
    server = make_server(Settings(store=store, drain_seconds=60))
    server.state.catalog.refresh()
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    yield server, sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(timeout=30)


@pytest.mark.medium
def test_a_server_that_drains_asks_for_other_connections(
    draining: tuple[DrainingServer, int],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    server, port = draining
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    request.addfinalizer(connection.close)

    def ask() -> http.client.HTTPResponse:
        body = json.dumps({"text": "good"})
        connection.request("POST", "/predict", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        return answer

    first = ask().headers
    assert (first["connection"], first["server"]) == (None, None)  # nobody need know the server
    with monkeypatch.context() as patch:  # the signal does not come in the thread of its loop
        patch.setattr("service.web.server.asyncio", SimpleNamespace(get_running_loop=_Loop))
        server.handle_exit(signal.SIGTERM, None)
    closing = False
    for _ in range(300):  # the server takes over new headers once a second
        if closing := ask().headers["connection"] == "close":
            break
        threading.Event().wait(0.02)
    assert closing


def test_a_worker_is_hurried_by_its_parent_only(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may get any number of signals that were sent to all processes of the service."""
    ours, theirs = Pipe()
    orders = Orders(theirs)
    server = make_server(Settings(store=store, drain_seconds=60), orders=orders)
    server.started = True
    monkeypatch.setattr("service.web.server.asyncio", SimpleNamespace(get_running_loop=_Loop))
    for orders.count in (0, 0, 1, 1):
        server.handle_exit(signal.SIGTERM, None)
        assert (server.state.draining, server.should_exit) == (True, False)
    orders.count = 2
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
    ours.close()
    theirs.close()


def test_the_orders_of_a_parent_are_raised_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[int] = []
    monkeypatch.setattr("service.web.orders.os.kill", lambda _, number: raised.append(number))
    ours, theirs = Pipe()
    with theirs:
        with ours:
            ours.send_bytes(bytes([signal.SIGINT]))
        orders = Orders(theirs)
        orders.follow()  # to the end of the parent
    assert raised == [signal.SIGINT, signal.SIGTERM]
    assert orders.count == 2


class _Loop:
    """Forgets what it is to do later."""

    def call_soon_threadsafe(self, *_: object) -> None:
        """Forget it."""

    def call_later(self, *_: object) -> None:
        """Forget it."""
