"""A bucket fills in time, holds what it may, and is one for all processes."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from service.errors import RateLimited
from service.web.access import rates
from service.web.access.keys import Rate
from service.web.access.rates import Bucket, OwnTimes, SharedTimes, Times, open_times

KEY = "0" * 16
RATE = Rate(tokens_per_second=10, burst_tokens=100)


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
def times(request: pytest.FixtureRequest, tmp_path: Path) -> Times:
    return OwnTimes() if request.param == "own" else SharedTimes(tmp_path)


def bucket(times: Times, rate: Rate = RATE, key: str = KEY) -> Bucket:
    return Bucket(key, rate=rate, times=times)


def taken(each: Bucket, tokens: int) -> int:
    """Return 0 if tokens can be taken, else the seconds to wait for them."""
    try:
        each.take(tokens)
    except RateLimited as error:
        return error.retry_after or -1
    return 0


def test_a_burst_is_there_at_once_and_no_more(clock: Clock, times: Times) -> None:
    assert [taken(bucket(times), 40) for _ in range(3)] == [0, 0, 2]
    assert taken(bucket(times), 20) == 0
    assert taken(bucket(times), 1) == 1


def test_the_told_time_is_true(clock: Clock, times: Times) -> None:
    bucket(times).take(100)
    wait = taken(bucket(times), 55)
    assert wait == 6
    clock.now += 5.4
    assert taken(bucket(times), 55) == 1
    clock.now += wait - 5.4
    assert taken(bucket(times), 55) == 0


def test_nothing_is_taken_by_what_is_rejected(clock: Clock, times: Times) -> None:
    bucket(times).take(90)
    for _ in range(50):
        assert taken(bucket(times), 20) > 0
    assert taken(bucket(times), 10) == 0


def test_what_was_saved_up_is_no_more_than_a_burst(clock: Clock, times: Times) -> None:
    bucket(times).take(100)
    clock.now += 3600
    assert taken(bucket(times), 100) == 0
    assert taken(bucket(times), 1) > 0


def test_a_long_text_takes_a_full_bucket_and_is_paid_for(clock: Clock, times: Times) -> None:
    bucket(times).take(1)
    assert taken(bucket(times), 300) == 1
    clock.now += 1
    assert taken(bucket(times), 300) == 0
    clock.now += 19
    assert taken(bucket(times), 1) == 2  # a debt of 200 tokens is paid off after 20 seconds
    clock.now += 2
    assert taken(bucket(times), 1) == 0


def test_what_was_not_read_comes_back(clock: Clock, times: Times) -> None:
    bucket(times).take(100)
    bucket(times).give_back(30)
    assert taken(bucket(times), 30) == 0
    assert taken(bucket(times), 1) > 0


def test_an_empty_bucket_is_seen_without_a_change(clock: Clock, times: Times) -> None:
    bucket(times).check()
    bucket(times).take(100)
    for _ in range(3):
        with pytest.raises(RateLimited, match="10 tokens a second read, and 100 at once"):
            bucket(times).check()
    clock.now += 0.1
    bucket(times).check()


def test_each_key_has_a_bucket(clock: Clock, times: Times) -> None:
    bucket(times).take(100)
    assert taken(bucket(times, key="1" * 16), 100) == 0


@pytest.mark.parametrize("per_second", [0.001, 1, 1e6])
def test_rounding_rejects_nothing(per_second: float, clock: Clock, times: Times) -> None:
    rate = Rate(tokens_per_second=per_second, burst_tokens=100)
    for _ in range(100):
        bucket(times, rate).take(1)
    clock.now += 100 / per_second
    assert taken(bucket(times, rate), 100) == 0


HARDLY_FILLED = Rate(tokens_per_second=0.001, burst_tokens=5_000)


def empty(folder: Path) -> int:
    """Take tokens as fast as can be until there are none; return how many were there."""
    each, found = Bucket(KEY, rate=HARDLY_FILLED, times=SharedTimes(folder)), 0
    while taken(each, 1) == 0:
        found += 1
    return found


def test_several_processes_share_a_bucket(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(empty, [tmp_path] * 3))
    assert sum(found) == 5_000


def test_a_killed_process_holds_up_none(tmp_path: Path) -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(RuntimeError, match="terminated abruptly"),
    ):
        pool.submit(_die_within, tmp_path).result(timeout=60)
    assert taken(bucket(SharedTimes(tmp_path)), 100) == 0


def _die_within(folder: Path) -> None:
    import os
    import signal

    def die(_time: float) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    SharedTimes(folder).change(KEY, die)


def test_workers_find_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(rates.SHARED, raising=False)
    assert isinstance(open_times(), OwnTimes)
    monkeypatch.setenv(rates.SHARED, str(tmp_path))
    open_times().change(KEY, lambda _: 5.0)
    assert SharedTimes(tmp_path).look(KEY) == 5.0
