"""A bucket fills in time, holds what it may, and is one for all processes."""

import asyncio
import errno
import math
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from service.web.access import rates
from service.web.access.keys import Rate
from service.web.access.rates import (
    Buckets,
    LocalBuckets,
    OwnTimes,
    SharedTimes,
    open_local_buckets,
)

KEY = "0" * 16
RATE = Rate(tokens_per_second=10, burst_tokens=100)
HARDLY_FILLED = Rate(tokens_per_second=0.001, burst_tokens=5_000)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1e6

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rates, "time", clock)
    return clock


@pytest.fixture(params=["own", "shared"])
def buckets(request: pytest.FixtureRequest, tmp_path: Path) -> LocalBuckets:
    return LocalBuckets(OwnTimes() if request.param == "own" else SharedTimes(tmp_path))


def take(buckets: Buckets, tokens: int, *, rate: Rate = RATE, key: str = KEY) -> int:
    """Return 0 once tokens are taken, else the whole seconds to wait for them."""
    return math.ceil(asyncio.run(buckets.take(key, tokens, rate=rate)))


def test_a_burst_is_there_at_once_and_no_more(clock: Clock, buckets: LocalBuckets) -> None:
    assert [take(buckets, 40) for _ in range(3)] == [0, 0, 2]
    assert take(buckets, 20) == 0
    assert take(buckets, 1) == 1


def test_the_told_time_is_true(clock: Clock, buckets: LocalBuckets) -> None:
    take(buckets, 100)
    wait = take(buckets, 55)
    assert wait == 6
    clock.now += 5.4
    assert take(buckets, 55) == 1
    clock.now += wait - 5.4
    assert take(buckets, 55) == 0


def test_nothing_is_taken_by_what_is_rejected(clock: Clock, buckets: LocalBuckets) -> None:
    take(buckets, 90)
    for _ in range(50):
        assert take(buckets, 20) > 0
    assert take(buckets, 10) == 0


def test_what_was_saved_up_is_no_more_than_a_burst(clock: Clock, buckets: LocalBuckets) -> None:
    take(buckets, 100)
    clock.now += 3600
    assert take(buckets, 100) == 0
    assert take(buckets, 1) > 0


def test_a_long_text_takes_a_full_bucket_and_is_paid_for(
    clock: Clock, buckets: LocalBuckets
) -> None:
    take(buckets, 1)
    assert take(buckets, 300) == 1
    clock.now += 1
    assert take(buckets, 300) == 0
    clock.now += 19
    assert take(buckets, 1) == 2  # a debt of 200 tokens is paid off after 20 seconds
    clock.now += 2
    assert take(buckets, 1) == 0


def test_what_was_not_read_comes_back(clock: Clock, buckets: LocalBuckets) -> None:
    take(buckets, 100)
    asyncio.run(buckets.give_back(KEY, 30, rate=RATE))
    assert take(buckets, 30) == 0
    assert take(buckets, 1) > 0


def test_an_empty_bucket_is_seen_without_a_change(clock: Clock, buckets: LocalBuckets) -> None:
    assert buckets.look(KEY, rate=RATE) == 0
    take(buckets, 100)
    for _ in range(3):
        assert 0.09 < buckets.look(KEY, rate=RATE) < 0.11
    clock.now += 0.1
    assert buckets.look(KEY, rate=RATE) == 0


def test_each_key_has_a_bucket(clock: Clock, buckets: LocalBuckets) -> None:
    take(buckets, 100)
    assert take(buckets, 100, key="1" * 16) == 0


@pytest.mark.parametrize("per_second", [0.001, 1, 1e6])
def test_rounding_rejects_nothing(per_second: float, clock: Clock, buckets: LocalBuckets) -> None:
    rate = Rate(tokens_per_second=per_second, burst_tokens=100)
    for _ in range(100):
        take(buckets, 1, rate=rate)
    clock.now += 100 / per_second
    assert take(buckets, 100, rate=rate) == 0


def empty(folder: Path) -> int:
    """Take tokens as fast as can be until there are none; return how many were there."""
    buckets, found = LocalBuckets(SharedTimes(folder)), 0
    while take(buckets, 1, rate=HARDLY_FILLED) == 0:
        found += 1
    return found


@pytest.mark.medium
def test_several_processes_share_a_bucket(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(empty, [tmp_path] * 3))
    assert sum(found) == 5_000


def die_within(folder: Path) -> None:
    """Be killed while a time is changed."""

    def die(_time: float) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    SharedTimes(folder).change(KEY, die)


@pytest.mark.medium
def test_a_killed_process_holds_up_none(tmp_path: Path) -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(RuntimeError, match="terminated abruptly"),
    ):
        pool.submit(die_within, tmp_path).result(timeout=60)
    assert take(LocalBuckets(SharedTimes(tmp_path)), 100) == 0


def test_workers_find_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(rates.SHARED, raising=False)
    take(open_local_buckets(), 100)
    assert take(open_local_buckets(), 100) == 0
    monkeypatch.setenv(rates.SHARED, str(tmp_path))
    take(open_local_buckets(), 100)
    assert take(open_local_buckets(), 100) > 0


def test_many_keys_keep_few_files_open(clock: Clock, tmp_path: Path) -> None:
    buckets, before = LocalBuckets(SharedTimes(tmp_path)), len(os.listdir("/dev/fd"))
    keys = [f"{key:016}" for key in range(3 * rates.MOST_FILES)]
    for key in keys:
        assert take(buckets, 90, key=key) == 0
    assert all(take(buckets, 20, key=key) == 1 for key in keys)
    assert len(os.listdir("/dev/fd")) <= before + rates.MOST_FILES


def test_a_key_is_counted_where_no_more_files_can_be_opened(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets, real, full = LocalBuckets(SharedTimes(tmp_path)), os.open, True

    def refuse_once(*args: Any, **kwargs: Any) -> int:
        nonlocal full
        if full:
            full = False
            raise OSError(errno.EMFILE, "Too many open files")
        return real(*args, **kwargs)

    take(buckets, 90)
    monkeypatch.setattr(os, "open", refuse_once)
    assert take(buckets, 90, key="1" * 16) == 0
    assert not full
    assert take(buckets, 20) == 1
