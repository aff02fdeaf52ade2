"""How many connections there may be, and what those take together, with real sockets."""

import json
import logging
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from service.settings import Settings
from service.web import limits
from service.web.limits import Room, limit_connections
from tests.service.web.live import serving

pytestmark = pytest.mark.slow  # which waits for what is cut off

MOST = 8
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
def port(store: Path) -> Iterator[int]:
    """A service with room for few connections and small bodies."""
    settings = Settings(
        store=store, threads=1, max_connections=MOST, client_seconds=1, max_body_bytes=200_000
    )
    with serving(settings) as port:
        yield port


def read_answer(client: socket.socket) -> tuple[int, dict]:
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(65_536)
        assert part, head
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += client.recv(65_536)
    return int(head.split()[1]), json.loads(body)


def open_stream(path: str = "/stream", **changes: str) -> bytes:
    headers = {
        "Host": "x",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    } | changes
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


class TestRoom:
    @pytest.mark.parametrize("sent", [b"", b"GET /livez HTTP/1.1\r\nHost", LIVE])
    def test_those_that_ask_nothing_make_room(self, sent: bytes, port: int) -> None:
        with ExitStack() as stack:
            clients = []
            for _ in range(3 * MOST):
                client = socket.create_connection(("127.0.0.1", port), timeout=20)
                clients.append(stack.enter_context(client))
                client.sendall(sent)
                if sent == LIVE:
                    assert read_answer(client)[0] == 200
                else:
                    time.sleep(0.01)
            last = clients[-1]
            last.sendall(LIVE[len(sent) % len(LIVE) :])
            assert read_answer(last)[0] == 200
            with suppress(ConnectionResetError):
                assert clients[0].recv(99) == b""

    def test_where_all_ask_another_is_told_to_come_later(self, port: int) -> None:
        with ExitStack() as stack:
            for _ in range(MOST):
                client = socket.create_connection(("127.0.0.1", port), timeout=20)
                stack.enter_context(client).sendall(HEAD + b"Content-Length: 99\r\n\r\n{")
            time.sleep(0.1)
            another = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            status, answer = read_answer(another)
            assert (status, answer["error"]["type"], answer["error"]["retry_after"]) == (
                503,
                "unavailable",
                1,
            )
            assert another.recv(99) == b""

    def test_websockets_leave_room_for_requests(self, port: int) -> None:
        with ExitStack() as stack:
            for _ in range(MOST // 2):
                stack.enter_context(connect(f"ws://127.0.0.1:{port}/stream"))
            with pytest.raises(InvalidStatus) as refused:
                connect(f"ws://127.0.0.1:{port}/stream")
            assert refused.value.response.status_code == 503
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            client.sendall(LIVE)
            assert read_answer(client)[0] == 200
        with connect(f"ws://127.0.0.1:{port}/stream"):  # there is room again
            pass

    def test_one_beyond_all_bounds_is_cut(self) -> None:
        room = Room(5)
        assert not room.takes_connection(6)
        assert not room.is_crowded(5 + limits.SPARE_CONNECTIONS)
        assert room.is_crowded(6 + limits.SPARE_CONNECTIONS)


class TestFiles:
    @pytest.fixture(autouse=True)
    def _limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.soft, self.hard = 256, 1_024
        monkeypatch.setattr(resource, "getrlimit", lambda _: (self.soft, self.hard))
        monkeypatch.setattr(resource, "setrlimit", self._set)

    def _set(self, _: int, pair: tuple[int, int]) -> None:
        self.soft, self.hard = pair

    def test_the_limit_is_raised_as_far_as_needed(self) -> None:
        assert limit_connections(500) == 500
        assert self.soft == 500 + limits.SPARE_CONNECTIONS + limits.SPARE_FILES

    def test_there_are_no_more_connections_than_files(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        most = limit_connections(4_096)
        assert most == 1_024 - limits.SPARE_CONNECTIONS - limits.SPARE_FILES
        assert self.soft == 1_024
        assert "a process may open 1024 files" in caplog.text

    def test_half_of_few_files_is_left(self) -> None:
        self.soft = self.hard = 100
        assert limit_connections(4_096) == 50


class TestBodies:
    def test_large_ones_on_their_way_are_bounded(self, port: int) -> None:
        half = HEAD + b"Content-Length: 200000\r\n\r\n" + b" " * 190_000
        with ExitStack() as stack:
            for _ in range(2):
                client = socket.create_connection(("127.0.0.1", port), timeout=20)
                stack.enter_context(client).sendall(half)
            time.sleep(0.5)
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            client.sendall(half)
            status, answer = read_answer(client)
            assert (status, answer["error"]["retry_after"]) == (429, 1)
            small = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            small.sendall(HEAD + b"Content-Length: 16\r\n\r\n" + b'{"text": "good"}')
            assert read_answer(small)[1]["label"] == "pos"

    def test_what_has_come_whole_is_not_counted_any_more(self, port: int) -> None:
        body = json.dumps({"text": "good " * 30_000}).encode()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            for _ in range(9):
                client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                assert read_answer(client)[0] == 200


class TestWebSockets:
    @pytest.fixture
    def url(self, port: int) -> str:
        return f"ws://127.0.0.1:{port}/stream"

    def test_messages_are_not_compressed(self, url: str) -> None:
        with connect(url) as opened:
            assert "Sec-WebSocket-Extensions" not in opened.response.headers

    def test_a_message_in_too_many_frames(self, url: str) -> None:
        with connect(url) as opened, pytest.raises(ConnectionClosed) as closed:
            opened.send(iter(["{", *[""] * 5_000]))
            opened.recv()
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009

    @pytest.mark.parametrize("size", [0, 125])
    def test_pings_whose_pongs_are_not_read(self, size: int, port: int) -> None:
        ping = Frame(Opcode.PING, b"x" * size).serialize(mask=True)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.settimeout(20)
            client.connect(("127.0.0.1", port))
            client.sendall(open_stream())
            with pytest.raises(OSError, match="reset by peer|Broken pipe"):
                for _ in range(1_000):  # more than the buffers of both ends may hold
                    client.sendall(ping * 10_000)

    def test_what_is_no_utf_8_ends_it_without_a_trace(
        self, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with connect(url) as opened, pytest.raises(ConnectionClosed) as closed:
            opened.send(b"\xff", text=True)
            opened.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
        assert not [each for each in caplog.records if each.levelno >= logging.WARNING]

    def test_unfinished_messages_share_the_memory_of_bodies(self, url: str) -> None:
        with ExitStack() as stack:
            for _ in range(2):
                opened = stack.enter_context(connect(url))
                opened.socket.sendall(Frame(Opcode.TEXT, b" " * 190_000).serialize(mask=True)[:-9])
            time.sleep(0.5)
            with socket.create_connection(("127.0.0.1", int(url.split(":")[2][:-7]))) as client:
                client.settimeout(20)
                client.sendall(HEAD + b"Content-Length: 200000\r\n\r\n" + b" " * 190_000)
                assert read_answer(client)[0] == 429

    @pytest.mark.parametrize(
        ("path", "change", "status"),
        [
            ("/nowhere?secret=1", {}, 403),
            ("/stream?secret=1", {"Sec-WebSocket-Key": "secret"}, 400),
            ("/stream?secret=1", {"Sec-WebSocket-Version": "secret"}, 400),
        ],
    )
    def test_a_bad_handshake_is_refused_in_the_documented_form(
        self,
        path: str,
        change: dict[str, str],
        status: int,
        port: int,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(open_stream(path, **change))
            found, answer = read_answer(client)
        assert found == status
        assert "secret" not in json.dumps(answer) + caplog.text
