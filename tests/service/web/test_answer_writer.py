"""The head of an answer leaves with its body, and no head is lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from service.web.answer_writer import AnswerWriter
from service.web.connection import Connection
from tests.service.web.live import exchange, serving

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
BODY = b'{"text": "good"}'
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class Recorder:
    """A transport that keeps what is done."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


@pytest.fixture
def transport() -> Recorder:
    return Recorder()


@pytest.fixture
def writer(transport: Any) -> AnswerWriter:
    return AnswerWriter(transport)


def test_head_leaves_with_the_first_of_the_body(transport: Recorder, writer: AnswerWriter) -> None:
    writer.write(HEAD)
    assert transport.done == []
    writer.write(b"a")
    writer.write(b"b")
    assert transport.done == [HEAD + b"a", b"b"]


def test_what_comes_before_the_head_leaves_at_once(
    transport: Recorder, writer: AnswerWriter
) -> None:
    goes_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(goes_on)
    writer.write(HEAD)
    writer.write(b"")
    assert transport.done == [goes_on, HEAD]


def test_a_head_without_body_leaves_once(transport: Recorder, writer: AnswerWriter) -> None:
    writer.flush()
    writer.write(HEAD)
    writer.flush()
    writer.flush()
    assert transport.done == [HEAD]


def test_a_head_leaves_before_the_connection_closes(
    transport: Recorder, writer: AnswerWriter
) -> None:
    writer.write(HEAD)
    writer.close()
    assert transport.done == [HEAD, "closed"]
    assert writer.is_closing()


class Counted:
    """A transport that counts what is written to it."""

    def __init__(self, transport: asyncio.Transport, sizes: list[int]) -> None:
        self._transport, self._sizes = transport, sizes

    def write(self, data: bytes) -> None:
        self._sizes.append(len(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@pytest.mark.medium
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (POST + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY), 200),
        (POST + b"Content-Length: 1\r\n\r\n{", 400),
        (b"HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ],
    ids=["answer", "fault", "head", "metrics", "nothing"],
)
def test_each_answer_is_one_write(
    request_bytes: bytes, status: int, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    made = Connection.connection_made

    def count(self: Connection, transport: asyncio.Transport) -> None:
        made(self, Counted(transport, sizes))  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "connection_made", count)
    last = request_bytes.replace(b"Host: x", b"Host: x\r\nConnection: close")
    with serving(Settings(store=store, threads=1)) as port:
        answer = exchange(port, request_bytes + last)
    assert answer.count(b"HTTP/1.1 %d" % status) == 2
    assert len(sizes) == 2
    assert sum(sizes) == len(answer)
