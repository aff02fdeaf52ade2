"""What a connection does with clients that are slow, silent, too talkative or ask for more."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from service.settings import Settings
from service.web import app
from service.web.access.keys import Scope, editing
from service.web.request_body import PATIENCE
from tests.service.web.live import exchange, serving

pytestmark = pytest.mark.slow  # which waits for what is cut off

BODY = b'{"text": "good"}'
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SIZED = b"Content-Length: %d\r\n" % len(BODY)
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAI\r\n"
WEBSOCKET = (
    b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket \r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TLS = b"Connection: keep-alive, upgrade\r\nUpgrade: TLS/1.0\r\n"


@pytest.fixture
def port(store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A service that waits for a second at most, and only for half of one for a head or a body."""
    monkeypatch.setattr(app, "PATIENCE", replace(PATIENCE, idle_seconds=0.2))
    settings = Settings(store=store, threads=1, keep_alive_seconds=1, client_seconds=0.5)
    with serving(settings) as port:
        yield port


def held_connections(port: int) -> int:
    """Return how many connections to a port a process of this machine has accepted and holds."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    served = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return sum(row[9] != "0" for row in served)


def read_answer(answer: bytes) -> tuple[int, dict]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


class TestSlowness:
    @pytest.mark.parametrize("begun", [b"G", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"])
    def test_a_head_that_does_not_end(self, begun: bytes, port: int) -> None:
        status, answer = read_answer(exchange(port, begun))
        assert (status, answer["error"]["type"]) == (408, "too_slow")

    def test_a_head_that_comes_drop_by_drop(self, port: int) -> None:
        drops = [b"GET /livez HTTP/1.1\r\n", *[b"X-%d: a\r\n" % number for number in range(12)]]
        status, _ = read_answer(exchange(port, *drops, pause=0.05))
        assert status == 408

    def test_the_head_of_a_second_request(self, port: int) -> None:
        first = LIVE.replace(b"Connection: close\r\n", b"")
        answers = exchange(port, first, b"GET /livez HTT")
        assert answers.startswith(b"HTTP/1.1 200 OK")
        assert b"HTTP/1.1 408 " in answers

    @pytest.mark.parametrize("sent", [b"", b"\r\n", LIVE.replace(b"Connection: close\r\n", b"")])
    def test_who_asks_nothing_more_is_left(self, sent: bytes, port: int) -> None:
        started = time.monotonic()
        answer = exchange(port, *[sent] * bool(sent))
        assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 OK")
        assert time.monotonic() - started >= 0.9

    @pytest.mark.parametrize("length", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
    @pytest.mark.parametrize("begun", [b"", b'5\r\n{"tex\r\n'])
    def test_a_body_that_does_not_come(self, length: bytes, begun: bytes, port: int) -> None:
        answer = exchange(port, HEAD + length + b"\r\n\r\n" + begun)
        status, body = read_answer(answer)
        assert (status, body["error"]["type"]) == (408, "too_slow")
        assert b"connection: close" in answer

    def test_a_body_that_comes_drop_by_drop(self, port: int) -> None:
        parts = [HEAD + SIZED + b"\r\n", *[b"%c" % byte for byte in BODY]]
        status, body = read_answer(exchange(port, *parts, pause=0.05))
        assert (status, body["error"]["type"]) == (408, "too_slow")

    def test_slow_but_steady_is_fine(self, port: int) -> None:
        pieces = [b'{"text": "', *[b"good " * 2_000] * 10, b'"}']
        length = b"Content-Length: %d\r\n" % sum(map(len, pieces))
        head = HEAD + length + b"Connection: close\r\n\r\n"
        status, body = read_answer(exchange(port, head, *pieces, pause=0.1))
        assert (status, body["label"]) == (200, "pos")

    def test_blank_lines_are_no_request(self, port: int) -> None:
        started = time.monotonic()
        with pytest.raises(OSError, match="Broken pipe|reset by peer"):
            exchange(port, *[b"\r\n"] * 60, pause=0.1)
        assert time.monotonic() - started < 5

    def test_answers_that_are_not_taken(self, port: int, caplog: pytest.LogCaptureFixture) -> None:
        body = json.dumps({"texts": ["good"] * 5_000}).encode()
        request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.settimeout(20)
            client.connect(("127.0.0.1", port))
            client.sendall(request * 12)
            deadline = time.monotonic() + 60
            for held in (1, 0):
                while held_connections(port) != held:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            answers = b""
            with suppress(ConnectionResetError):
                while part := client.recv(65_536):
                    answers += part
        assert answers.count(b"HTTP/1.1 200 OK") < 12
        assert not caplog.records


class TestSize:
    @pytest.mark.parametrize(
        "endless", [b"X-A: " + b"a" * 999, b"X-A: b\r\n" * 99, b"a" * 999], ids=["one", "many", "?"]
    )
    def test_a_head_that_is_too_large(self, endless: bytes, port: int) -> None:
        line = b"GET /livez?" if endless.startswith(b"a") else b"GET /livez HTTP/1.1\r\n"
        status, answer = read_answer(exchange(port, line, *[endless] * 600))
        assert status in (400, 431)  # 400: the parser has a limit of its own for the first line
        assert answer["error"]["message"]

    def test_a_head_of_many_headers(self, port: int) -> None:
        headers = b"".join(b"X-%d: a\r\n" % number for number in range(200))
        status, answer = read_answer(exchange(port, LIVE[:-2] + headers + b"\r\n"))
        assert (status, answer["error"]["message"]) == (
            431,
            "the request has more than 100 headers",
        )

    @pytest.mark.parametrize(
        "excess",
        [
            b"1;" + b"x" * 40_000 + b"\r\n{\r\n",
            b"1;x=y\r\n{\r\n" + (b"1;" + b"x" * 99 + b"\r\n \r\n") * 1_000,
            b"0\r\n" + b"X-A: b\r\n" * 9_000,
            b"0\r\nX-A: " + b"b" * 90_000,
        ],
        ids=["extension", "extensions", "trailers", "trailer"],
    )
    def test_more_framing_than_body(self, excess: bytes, port: int) -> None:
        request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        answer = exchange(port, request, excess[:20], excess[20:], b"", pause=0.05)
        status, body = read_answer(answer)
        assert status == 431
        assert "of the body's chunks" in body["error"]["message"]

    def test_small_chunks_are_fine(self, port: int) -> None:
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"text": "%s"}' % (b"good " * 9_000))
        request = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        status, answer = read_answer(exchange(port, request + chunks + b"0\r\nX-A: b\r\n\r\n"))
        assert (status, answer["label"]) == (200, "pos")

    def test_a_trailer_is_no_header(self, port: int) -> None:
        request = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"%x\r\n%s\r\n0\r\nX-Deadline-Ms: none\r\n\r\n" % (len(BODY), BODY)
        status, answer = read_answer(exchange(port, request + body))
        assert (status, answer["label"]) == (200, "pos")

    def test_many_requests_at_once(self, port: int) -> None:
        answers = exchange(port, LIVE.replace(b"Connection: close\r\n", b"") * 1_000)
        assert 1 <= answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1 ") < 30

    def test_a_head_of_many_cookies_is_fine(self, port: int) -> None:
        cookies = b"Cookie: " + b"a=b; " * 6_000 + b"\r\n"
        status, _ = read_answer(
            exchange(port, LIVE.replace(b"Host: x\r\n", b"Host: x\r\n" + cookies))
        )
        assert status == 200

    def test_a_body_before_it_is_no_part_of_it(self, port: int) -> None:
        body = b'{"text": "%s"}' % (b"good " * 30_000)
        request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        answers = exchange(port, request + LIVE[:10], LIVE[10:], pause=0.1)
        assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1 ") == 2


class TestOffers:
    @pytest.mark.parametrize("offer", [H2C, TLS, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"])
    @pytest.mark.parametrize("cut", [0, 40, -3])
    def test_the_body_behind_an_offer_is_read(self, offer: bytes, cut: int, port: int) -> None:
        request = HEAD + SIZED + offer + b"\r\n" + BODY
        answer = exchange(port, *filter(None, (request[:cut], request[cut:])), pause=0.02)
        status, body = read_answer(answer)
        assert (status, body["label"]) == (200, "pos")

    def test_a_tunnel_is_refused(self, port: int) -> None:
        tunnel = b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"
        status, answer = read_answer(exchange(port, tunnel))
        assert (status, answer["error"]["type"]) == (405, "method_not_allowed")
        assert exchange(port, LIVE + tunnel).count(b"HTTP/1.1 ") == 1

    def test_a_websocket_behind_what_is_not_answered_yet(self, port: int) -> None:
        first = LIVE.replace(b"Connection: close\r\n", b"")
        answers = exchange(port, first + WEBSOCKET)
        assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1 ") == 1

    def test_a_chunked_body_too(self, port: int) -> None:
        chunked = b"Transfer-Encoding: chunked\r\n\r\n8\r\n" + BODY[:8] + b"\r\n8\r\n" + BODY[8:]
        answer = exchange(port, HEAD + H2C + chunked + b"\r\n0\r\n\r\n")
        assert read_answer(answer)[1]["label"] == "pos"

    def test_requests_behind_it_are_answered_in_turn(self, port: int) -> None:
        offering = HEAD + SIZED + H2C + b"\r\n" + BODY
        answers = exchange(port, offering + offering + LIVE)
        assert answers.count(b"HTTP/1.1 200 OK") == 3
        assert answers.endswith(b'{"status":"ok"}')

    def test_a_websocket_is_still_opened(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(WEBSOCKET)
            assert client.recv(999).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("before", [False, True])
def test_a_websocket_outlives_the_time_without_a_request(before: bool, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        if before:
            client.sendall(LIVE.replace(b"Connection: close\r\n", b""))
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += client.recv(999)
        with connect(f"ws://127.0.0.1:{port}/stream", sock=client) as opened:
            time.sleep(1.5)
            opened.send('{"text": "good"}')
            assert json.loads(opened.recv())["prediction"]["label"] == "pos"


class TestWebSockets:
    """Messages that are small on the wire, or in pieces, and large in memory."""

    @pytest.fixture
    def url(self, store: Path) -> Iterator[str]:
        settings = Settings(store=store, threads=1, max_body_bytes=100_000)
        with serving(settings) as port:
            yield f"ws://127.0.0.1:{port}/stream"

    @pytest.mark.parametrize("compression", ["deflate", None])
    @pytest.mark.parametrize("pieces", [1, 50])
    def test_a_message_that_is_too_large(
        self, pieces: int, compression: Literal["deflate"] | None, url: str
    ) -> None:
        part = "0" * (1_000_000 // pieces)
        with connect(url, compression=compression) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.send(part if pieces == 1 else iter([part] * pieces))
                socket.recv()
            if closed.value.rcvd is not None:  # else a reset came first, as it was still sending
                assert closed.value.rcvd.code == 1009

    def test_many_small_pieces_are_one_message(self, url: str) -> None:
        with connect(url) as socket:
            socket.send(iter(['{"text": "goo', *["d"], *[" "] * 2_000, '"}']))
            assert json.loads(socket.recv())["prediction"]["label"] == "pos"


def test_a_websocket_without_a_key_is_not_logged(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with editing(tmp_path / "keys.json") as editor:
        editor.create("web", scopes=frozenset([Scope.PREDICT]))
    with serving(Settings(store=store, threads=1, keys=tmp_path / "keys.json")) as port:
        answer = exchange(port, WEBSOCKET)
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["type"] == "unauthorized"
    assert not caplog.records


@pytest.mark.parametrize("pieces", [1, 2])
def test_what_is_no_http_comes_behind_the_answers_before_it(pieces: int, port: int) -> None:
    request = HEAD + SIZED + b"\r\n" + BODY
    broken = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nno size\r\n"
    cut = len(broken) // pieces
    answers = exchange(port, request + broken[:cut], *filter(None, [broken[cut:]]), pause=0.02)
    first, _, rest = answers.partition(b"HTTP/1.1 400 ")
    assert first.startswith(b"HTTP/1.1 200 OK")
    assert first.count(b"HTTP/1.1 ") == 1
    assert pieces == 2 or not rest


def test_no_second_answer_follows_an_early_one(port: int) -> None:
    early = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = exchange(port, early, b"1\r\n{\r\n" * 9, b"no size\r\n", pause=0.1)
    # On a busy machine all may come at once, and there is no early answer.
    assert answers.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
    assert answers.count(b"HTTP/1.1 ") == 1


def test_a_websocket_that_began_in_two_pieces_lives_on(port: int) -> None:
    cut = WEBSOCKET.index(b"Sec-")
    with socket.create_connection(("127.0.0.1", port), timeout=1.5) as client:
        client.sendall(WEBSOCKET[:cut])
        time.sleep(0.1)
        client.sendall(WEBSOCKET[cut:])
        assert client.recv(999).startswith(b"HTTP/1.1 101 ")
        with pytest.raises(TimeoutError):
            client.recv(999)


def test_what_is_no_http_costs_no_request_before_it_its_answer(port: int) -> None:
    request = HEAD + SIZED + b"\r\n" + BODY
    answers = exchange(port, request + request + b"\x00\x01\x02\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"HTTP/1.1 ") == 2


class TestBlanksBehindValues:
    """They are none of the value (RFC 9110, 5.5)."""

    @pytest.mark.parametrize("blanks", [b" ", b"\t \t"])
    def test_headers_of_ours(self, blanks: bytes, port: int) -> None:
        lines = (b"X-Deadline-Ms: 9000", b"X-Request-Id: mine", b"Connection: close", SIZED[:-2])
        request = HEAD + b"".join(line + blanks + b"\r\n" for line in lines) + b"\r\n" + BODY
        answer = exchange(port, request)
        assert read_answer(answer)[0] == 200
        assert b"x-request-id: mine\r\n" in answer

    def test_the_length_of_a_body_that_is_too_large(self, port: int) -> None:
        answer = exchange(port, HEAD + b"Content-Length: 9000000000 \r\n\r\n")
        assert read_answer(answer)[0] == 413
        assert b"connection: close" in answer


@pytest.mark.parametrize("hosts", [b"", b"Host: x\r\nHost: y\r\n"])
def test_a_request_names_one_host(hosts: bytes, port: int) -> None:
    status, answer = read_answer(exchange(port, b"GET /livez HTTP/1.1\r\n" + hosts + b"\r\n"))
    assert (status, answer["error"]["message"]) == (400, "the request does not name one host")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /livez\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_in_the_documented_form(sent: bytes, port: int) -> None:
    status, answer = read_answer(exchange(port, sent))
    assert (status, answer["error"]["type"]) == (400, "malformed")
