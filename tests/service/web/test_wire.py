"""One connection without sockets: what it holds, what it lets go of, and when it stops reading."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from uvicorn.server import ServerState

from service.scheduling.inline import InlineBatches
from service.scheduling.scheduler import Scheduler
from service.settings import Settings
from service.web.server import DrainingServer, make_server
from service.web.shedding import MANY, Shedder

REQUESTS = 20
BODY = b'{"text": "good film"}'
POST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
WEBSOCKET = b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and what else is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.protocols: list[Any] = []
        self.reading = True
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

    def set_protocol(self, protocol: Any) -> None:
        self.protocols.append(protocol)

    async def receive(self, *, answers: int) -> None:
        """Wait until there are so many answers."""
        async with asyncio.timeout(20):
            while self.written.count(b"HTTP/1.1 ") < answers:
                await asyncio.sleep(0.001)


@pytest.fixture
def server(store: Path) -> Iterator[DrainingServer]:
    server = make_server(Settings(store=store, threads=1, client_seconds=0.2))
    server.config.load()
    server.state.catalog.refresh()
    server.state.scheduler.start()
    yield server
    server.state.scheduler.shutdown()


def connect(server: DrainingServer) -> tuple[Any, Wire]:
    """Return a new connection, and its wire."""
    make: Any = server.config.http_protocol_class
    connection = make(config=server.config, server_state=ServerState(), app_state={})
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire


Talk = Callable[[Any, Wire], Awaitable[Any]]


def talk(server: DrainingServer, what: Talk) -> Any:
    """Return what becomes of a talk over a new connection, which is closed then."""

    async def run() -> Any:
        connection, wire = connect(server)
        try:
            return await what(connection, wire)
        finally:
            connection.connection_lost(None)

    return asyncio.run(run())


def test_no_request_leaves_garbage_for_the_collector(server: DrainingServer) -> None:
    async def ask(connection: Any, wire: Wire) -> int:
        for count in range(3):  # what is kept for later is made now
            connection.data_received(POST)
            await wire.receive(answers=count + 1)
        wire.written = b""
        gc.collect()
        gc.disable()
        try:
            for count in range(REQUESTS):
                connection.data_received(POST)
                await wire.receive(answers=count + 1)
            return gc.collect()
        finally:
            gc.enable()

    assert talk(server, ask) < REQUESTS


def test_a_connection_that_is_closed_is_not_awaited(server: DrainingServer) -> None:
    """Or a place would be given to a new one for each that is gone."""

    async def upgrade(connection: Any, wire: Wire) -> tuple[bytes, list[Any], bool]:
        connection.data_received(LIVE + WEBSOCKET)
        await wire.receive(answers=1)
        return wire.written, wire.protocols, wire.closed

    written, protocols, closed = talk(server, upgrade)
    assert written.count(b"HTTP/1.1 200 OK") == written.count(b"HTTP/1.1 ") == 1
    assert not protocols
    assert closed
    room = server.config.http.keywords["room"]  # type: ignore[union-attr]
    assert not room._waiting


def test_rejections_wait_for_a_client_that_takes_none(
    server: DrainingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "foresee", lambda *_, **__: 7)
    monkeypatch.setattr(Scheduler, "has_work", True)

    async def flood(connection: Any, wire: Wire) -> list[int]:
        counts = []
        for count in (9, 9, 99):
            connection.data_received(POST * count)
            await asyncio.sleep(0.05)
            counts.append(wire.written.count(b"HTTP/1.1 "))
            connection.pause_writing()
        connection.resume_writing()
        await wire.receive(answers=10)  # of the application, one after the other
        connection.data_received(POST)  # nothing is read any more: too many had been sent ahead
        await asyncio.sleep(0.5)
        return [*counts, wire.written.count(b"HTTP/1.1 ")]

    assert talk(server, flood) == [9, 9, 9, 9 + 1 + server.config.http.keywords["limits"].pipelined]


@pytest.mark.parametrize("requests", [0, MANY])
def test_open_streams_are_no_requests_that_are_answered(
    server: DrainingServer, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Shedder, "shed", lambda *_, busy: seen.append(busy))

    async def ask(connection: Any, wire: Wire) -> None:
        others = {asyncio.create_task(asyncio.sleep(0)) for _ in range(MANY + requests)}
        connection.tasks |= others
        connection._room.streams = MANY
        connection.data_received(POST)
        await wire.receive(answers=1)

    talk(server, ask)
    assert seen == [requests]


@pytest.mark.parametrize("requests", [1, 2])
def test_what_a_client_left_waits_no_more(
    server: DrainingServer, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InlineBatches, "takes", lambda *_: False)
    scheduler = server.state.scheduler
    scheduler.shutdown()  # so that nothing is read

    async def leave(connection: Any, wire: Wire) -> int:
        connection.data_received(POST * requests)
        async with asyncio.timeout(20):
            while not scheduler.has_work:
                await asyncio.sleep(0.001)
        assert wire.reading  # or nobody would see that it leaves
        connection.connection_lost(None)
        return scheduler.backlog_tokens

    assert talk(server, leave) == 0


@pytest.mark.medium
def test_each_head_has_a_time_of_its_own(server: DrainingServer) -> None:
    async def trickle(connection: Any, wire: Wire) -> bytes:
        connection.data_received(LIVE[:9])
        for _ in range(6):
            await asyncio.sleep(0.1)
            connection.data_received(LIVE[9:] + LIVE[:9])
        return wire.written

    assert talk(server, trickle).count(b"HTTP/1.1 200 OK") >= 5


@pytest.mark.medium
def test_the_body_of_a_rejection_that_does_not_end_is_named(
    server: DrainingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scheduler, "foresee", lambda *_, **__: 7)
    monkeypatch.setattr(Scheduler, "has_work", True)

    async def stop_early(connection: Any, wire: Wire) -> bytes:
        connection.data_received(POST[:-3])
        await wire.receive(answers=1)
        return wire.written

    assert b"the body of the request did not end within 0.2 seconds" in talk(server, stop_early)
