"""Bytes that are almost HTTP get one clear reading or none, and never a fault or a hang."""

import random
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.effort import Effort
from tests.promises.raw_requests import RAW, mutate
from tests.promises.shipped import serving_shipped

pytestmark = pytest.mark.e2e

LONGEST = 30.0  # seconds, on a busy machine
SETTINGS = {"GATEWISE_CLIENT_SECONDS": "1", "GATEWISE_KEEP_ALIVE_SECONDS": "1"}

Answers = list[int]


def exchange(port: int, sent: bytes) -> Answers:
    """Return the statuses of the answers; that they are HTTP, one behind the other, is asserted."""
    return read_answers(send_raw(port, sent))


def send_raw(port: int, sent: bytes) -> bytes:
    """Return all that comes back."""
    started = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as client:
        try:
            client.sendall(sent)
            while part := client.recv(65_536):
                answer += part
        except ConnectionError:
            pass
    assert time.monotonic() - started < LONGEST
    return answer


def read_answers(answer: bytes) -> Answers:
    found = []
    while answer:
        head, end, rest = answer.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        assert status is not None, answer[:200]
        assert end, answer[:200]
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if int(status[1]) != 100:
            found.append(int(status[1]))
        answer = rest[int(length[1]) if length else 0 :]
    return found


def test_each_shape_has_one_reading() -> None:
    with serving_shipped(**SETTINGS) as server, ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda raw: exchange(server.port, raw.sent), RAW)
        wrong = {
            raw.name: given
            for raw, given in zip(RAW, answers, strict=True)
            if tuple(given) not in raw.statuses
        }
        assert not wrong
        assert "Traceback" not in "".join(server.log)


def test_whatever_is_sent_there_is_no_fault_and_no_hang(effort: Effort) -> None:
    draw = random.Random(26)
    shapes = [mutate(draw.choice(RAW).sent, draw) for _ in range(effort(short=150, long=20_000))]
    with serving_shipped(**SETTINGS) as server, ThreadPoolExecutor(16) as pool:
        for sent, given in zip(
            shapes, pool.map(lambda sent: exchange(server.port, sent), shapes), strict=True
        ):
            assert all(status < 500 or status == 501 for status in given), (sent, given)
            assert len(given) <= sent.count(b"HTTP/1") + 1, (sent, given)
        assert server.predict(text="good")[0] == 200
        assert "Traceback" not in "".join(server.log)
