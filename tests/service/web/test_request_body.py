"""A client sees the answer also where it sends a body that nobody reads, with real sockets."""

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.settings import Settings
from service.web import app
from service.web.request_body import PATIENCE
from tests.service.web.live import serving

pytestmark = pytest.mark.medium

LIMIT = 100_000
LARGE = b'{"text": "%s"}' % (b"word " * 2_000_000)  # far more than the buffers of sockets hold
JSON = {"Content-Type": "application/json"}

Answer = tuple[int, bytes]
Send = Callable[[int, str, str, bytes, dict[str, str]], Answer]


@pytest.fixture
def port(store: Path) -> Iterator[int]:
    with serving(Settings(store=store, threads=1, max_body_bytes=LIMIT)) as port:
        yield port


@pytest.fixture
def impatient(store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A service that reads on for moments and a megabyte only."""
    short = replace(PATIENCE, linger_bytes=1_000_000, linger_seconds=0.5, idle_seconds=0.2)
    monkeypatch.setattr(app, "PATIENCE", short)
    with serving(Settings(store=store, threads=1, max_body_bytes=LIMIT)) as port:
        yield port


def send_by_urllib(port: int, method: str, path: str, body: bytes, headers: dict) -> Answer:
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def send_by_http_client(port: int, method: str, path: str, body: bytes, headers: dict) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send_chunked(port: int, method: str, path: str, body: bytes, headers: dict) -> Answer:
    parts = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, parts, headers, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send_as_http_1_0(port: int, method: str, path: str, body: bytes, headers: dict) -> Answer:
    given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.0\r\n{given}Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        answer = read_all(connection)
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def read_all(connection: socket.socket) -> bytes:
    read = b""
    while part := connection.recv(65_536):
        read += part
    return read


@pytest.mark.parametrize(
    "send", [send_by_urllib, send_by_http_client, send_chunked, send_as_http_1_0]
)
@pytest.mark.parametrize(
    ("method", "path", "media_type", "status"),
    [
        ("POST", "/predict", "application/json", 413),
        ("POST", "/stream", "application/json", 413),
        ("POST", "/predict", "text/plain", 415),
        ("PUT", "/predict", "application/json", 405),
        ("POST", "/nowhere", "application/json", 404),
        ("GET", "/livez", "application/json", 200),
    ],
)
def test_clients_that_send_all_before_they_read_see_the_answer(
    send: Send, method: str, path: str, media_type: str, status: int, port: int
) -> None:
    found, body = send(port, method, path, LARGE, {"Content-Type": media_type})
    assert found == status
    answer = json.loads(body)
    assert ("error" in answer) == (status != 200)


def test_an_answer_to_what_is_not_read_ends_the_connection(port: int) -> None:
    hidden = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head + hidden)
        connection.sendall(hidden)
        connection.shutdown(socket.SHUT_WR)
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith(b"HTTP/1.1 404 ")
    assert b"\r\nconnection: close\r\n" in answers


def test_a_request_behind_a_body_that_is_too_large_is_not_answered(port: int) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    body = head + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(body + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("pause", [0.0, 0.01])
def test_a_small_body_that_is_not_read_keeps_the_connection(port: int, pause: float) -> None:
    wrong = b'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{"text": '
    right = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(wrong)
        time.sleep(pause)
        connection.sendall(b'"a"}' + right)
        answers = read_all(connection)
    assert answers.startswith(b"HTTP/1.1 415 ")
    assert b"HTTP/1.1 200 OK" in answers
    assert answers.count(b"connection: close") == 1


def test_a_client_that_asks_before_it_sends_is_not_told_to(port: int) -> None:
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("size", [b"", b"word " * 20_000])
def test_a_client_that_sends_for_ever_is_cut_off(size: bytes, impatient: int) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", impatient), timeout=30) as connection:
        connection.sendall(head)
        with pytest.raises(OSError, match="Broken pipe|reset by peer"):
            while time.monotonic() - started < 20:
                connection.sendall(size or b"w")
                time.sleep(0.0 if size else 0.05)


def test_a_client_that_sends_nothing_more_is_cut_off(impatient: int) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", impatient), timeout=20) as connection:
        connection.sendall(head)
        assert read_all(connection).startswith(b"HTTP/1.1 404 ")


def test_the_time_of_reading_on_is_not_that_of_the_answer(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = replace(PATIENCE, linger_seconds=3.0, idle_seconds=3.0)
    monkeypatch.setattr(app, "PATIENCE", patient)
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
    with serving(Settings(store=store, threads=1, max_body_bytes=LIMIT)) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(head)
            read_all(connection)
        _, metrics = send_by_http_client(port, "GET", "/metrics", b"", {})
    counted = 'gatewise_request_seconds_bucket{le="2.0",method="POST",route="unknown"} 1.0'
    assert counted in metrics.decode()
