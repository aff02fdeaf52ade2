"""Replicas share what a key may have read, and each counts by itself while the server is away."""

import asyncio
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from service.web.access import redis_rates
from service.web.access.keys import Rate
from service.web.access.rates import LocalBuckets, OwnTimes
from service.web.access.redis_rates import RedisBuckets, RedisMissing

KEY = "0" * 16
RATE = Rate(tokens_per_second=0.5, burst_tokens=100)  # so slow that a test does not wait for it
FAST = Rate(tokens_per_second=20, burst_tokens=10)
_SERVER = """
import sys
from fakeredis import TcpFakeServer
TcpFakeServer(("127.0.0.1", int(sys.argv[1]))).serve_forever()
"""


@contextmanager
def serving(port: int) -> Iterator[None]:
    """Run a Redis server; one in Python, so that it is there wherever the tests are."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    server = subprocess.Popen([sys.executable, "-c", _SERVER, str(port)], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def find_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = find_port()
    with serving(port):
        yield port


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_rates, "PATIENCE", 20.0)


@asynccontextmanager
async def replica(port: int) -> AsyncIterator[RedisBuckets]:
    buckets = RedisBuckets(f"redis://127.0.0.1:{port}", fallback=LocalBuckets(OwnTimes()))
    try:
        yield buckets
    finally:
        await buckets.close()


Check = Callable[[RedisBuckets, RedisBuckets], Coroutine[Any, Any, None]]


def with_two_replicas(port: int, check: Check) -> None:
    async def run() -> None:
        async with replica(port) as one, replica(port) as other:
            await check(one, other)

    asyncio.run(run())


@pytest.mark.medium
def test_replicas_share_a_bucket(port: int) -> None:
    async def check(one: RedisBuckets, other: RedisBuckets) -> None:
        assert await one.take("shared", 60, rate=RATE) == 0
        assert 39 <= await other.take("shared", 60, rate=RATE) <= 40
        assert await other.take("shared", 40, rate=RATE) == 0
        assert 1 <= await one.take("shared", 1, rate=RATE) <= 2
        await other.give_back("shared", 30, rate=RATE)
        assert await one.take("shared", 30, rate=RATE) == 0
        assert await one.take("another", 100, rate=RATE) == 0

    with_two_replicas(port, check)


def test_a_long_text_takes_a_full_bucket_and_is_paid_for(port: int) -> None:
    async def check(one: RedisBuckets, other: RedisBuckets) -> None:
        assert await one.take("long", 300, rate=RATE) == 0
        assert math.ceil(await other.take("long", 1, rate=RATE)) == 402

    with_two_replicas(port, check)


def test_what_a_long_text_did_not_read_comes_back_to_a_bucket_in_debt(port: int) -> None:
    async def check(one: RedisBuckets, other: RedisBuckets) -> None:
        assert await one.take("debt", 300, rate=RATE) == 0
        assert await one.take("debt", 1, rate=RATE) > 400
        await one.give_back("debt", 190, rate=RATE)
        assert one.look("debt", rate=RATE) == 0  # what it knew is not true any more
        assert math.ceil(await other.take("debt", 1, rate=RATE)) == 22

    with_two_replicas(port, check)


@pytest.mark.medium
def test_a_bucket_fills_and_is_forgotten_when_it_is_full(port: int) -> None:
    async def check(one: RedisBuckets, other: RedisBuckets) -> None:
        await one.take("fast", 10, rate=FAST)
        wait = await other.take("fast", 10, rate=FAST)
        assert wait > 0
        await asyncio.sleep(wait + 0.1)
        assert not await one._redis.exists("gatewise:rate:fast")
        assert await one.take("fast", 10, rate=FAST) == 0

    with_two_replicas(port, check)


def test_a_rejected_key_is_known_without_asking(port: int) -> None:
    async def check(one: RedisBuckets, other: RedisBuckets) -> None:
        assert one.look("known", rate=RATE) == 0
        await one.take("known", 99, rate=RATE)
        assert await one.take("known", 50, rate=RATE) > 0
        assert one.look("known", rate=RATE) == 0  # one token is left
        await one.take("known", 1, rate=RATE)
        assert await one.take("known", 50, rate=RATE) > 0
        assert 0 < one.look("known", rate=RATE) <= 2
        assert other.look("known", rate=RATE) == 0  # which has not asked

    with_two_replicas(port, check)


@pytest.mark.medium
def test_a_server_that_is_away_takes_nothing_down(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_rates, "PAUSE", 0.1)
    caplog.set_level("INFO")
    port = find_port()

    async def check(one: RedisBuckets, other: RedisBuckets) -> None:
        for each in (one, other):  # each counts by itself
            assert await each.take(KEY, 60, rate=RATE) == 0
            await each.give_back(KEY, 10, rate=RATE)
            assert await each.take(KEY, 60, rate=RATE) > 0
        with serving(port):
            await asyncio.sleep(0.2)
            assert await one.take(KEY, 60, rate=RATE) == 0
            assert await other.take(KEY, 60, rate=RATE) > 0
        await asyncio.sleep(0.2)
        assert await one.take(KEY, 50, rate=RATE) == 0

    with_two_replicas(port, check)
    lost = [line for line in caplog.messages if "does not answer" in line]
    assert 3 <= len(lost) <= 4  # once for each time that it went, not for each request
    assert caplog.messages.count("the server of the rates answers again") == 2


def test_without_the_package_the_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(RedisMissing, match="takes a package more: make setup"):
        RedisBuckets("redis://127.0.0.1", fallback=LocalBuckets(OwnTimes()))
