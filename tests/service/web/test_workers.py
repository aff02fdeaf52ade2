"""What becomes of workers that die, and of signals that come meanwhile; their lives are made up."""

import errno
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from service.__main__ import app
from service.web import workers
from service.web.workers import LONGEST_PAUSE, MOST_TRIES, SETTLED_SECONDS, CannotStart, Workers
from tests.versions import publish


class Clock:
    """Time that passes only while the parent waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, things: list[object], *, timeout: float) -> list[object]:
        """Let time pass until something happens to one of these things, or is to happen."""
        until = min([self.now + timeout, *(t.ends for t in things if isinstance(t, Process))])
        due = [event for event in self.events if event[0] <= until]
        if due:
            first = min(due, key=lambda event: event[0])
            self.events.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
            return [thing for thing in things if not isinstance(thing, Process)]
        self.now = max(self.now, until)
        return [thing for thing in things if isinstance(thing, Process) and not thing.is_alive()]


class Process:
    """A process that lives for some seconds, or until it is ended."""

    pids = itertools.count(1)

    def __init__(self, clock: Clock, *, seconds: float, exitcode: int = 1) -> None:
        self.clock, self.exitcode = clock, exitcode
        self.ends = clock.now + seconds
        self.started = clock.now
        self.pid = next(self.pids)
        self.told: list[int] = []

    @property
    def sentinel(self) -> "Process":
        return self

    def is_alive(self) -> bool:
        return self.clock.now < self.ends

    def pass_on(self, number: int) -> None:
        self.told.append(number)
        self.ends = self.clock.now

    def kill(self) -> None:
        self.ends = self.clock.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(workers, "wait", clock.wait)
    monkeypatch.setattr(workers, "forget_process", forgotten.append)
    monkeypatch.setattr(workers, "count_death", lambda: deaths.append(clock.now))
    forgotten.clear()
    deaths.clear()
    return clock


forgotten: list[int] = []
deaths: list[float] = []


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def end(number: int = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def living(clock: Clock, *seconds: float) -> tuple[Callable[[], Process], list[Process]]:
    """Return what starts processes of these lives, the last of them again and again."""
    started: list[Process] = []

    def start() -> Process:
        lives = seconds[min(len(started), len(seconds) - 1)]
        started.append(Process(clock, seconds=lives))
        return started[-1]

    return start, started


def times(started: list[Process]) -> list[float]:
    return [process.started for process in started]


def test_a_signal_in_the_pause_after_a_death_is_not_lost(clock: Clock) -> None:
    start, started = living(clock, 1e9, 0.1)
    clock.events.append((0.5, end))
    Workers(start, count=2).run()
    assert clock.now == 0.5
    assert [process.told for process in started] == [[signal.SIGTERM], []]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_signal_while_a_worker_is_started_ends_that_one_too(clock: Clock, place: int) -> None:
    start, started = living(clock, 1e9, 0.1, 1e9)

    def start_and_end() -> Process:
        if len(started) == place:
            end()
        return start()

    Workers(start_and_end, count=2).run()
    assert len(started) == place + 1
    assert not any(process.is_alive() for process in started)


def test_a_signal_when_all_workers_are_dead_ends_the_parent(clock: Clock) -> None:
    start, started = living(clock, 0.1)
    clock.events.append((0.7, end))
    Workers(start, count=3).run()
    assert len(started) == 3
    assert clock.now == 0.7


def test_a_second_signal_is_passed_on(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = living(clock, 1e9)

    def drain(process: Process, number: int) -> None:
        process.told.append(number)
        process.ends = clock.now + (30 if len(process.told) == 1 else 0)

    monkeypatch.setattr(Process, "pass_on", drain)
    clock.events += [(5, end), (7, partial(end, signal.SIGINT))]
    Workers(start, count=2).run()
    assert [process.told for process in started] == [[signal.SIGTERM, signal.SIGINT]] * 2
    assert clock.now == 7


def test_a_worker_that_dies_while_others_end_is_not_replaced(clock: Clock) -> None:
    start, started = living(clock, 50, 60)
    clock.events.append((20.0, end))
    Workers(start, count=2).run()
    assert len(started) == 2


def test_a_worker_that_lived_well_is_replaced_at_once(clock: Clock, caplog) -> None:
    start, started = living(clock, SETTLED_SECONDS + 5, 1e9)
    clock.events.append((100, end))
    Workers(start, count=1).run()
    assert times(started) == [0, SETTLED_SECONDS + 5]
    assert "ended with status 1 after 15.0 seconds; starting another now" in caplog.text


def test_pauses_double_up_to_a_limit_and_are_told(clock: Clock, caplog) -> None:
    start, started = living(clock, 1e9, 0.0)
    clock.events.append((200, end))
    Workers(start, count=2).run()
    assert times(started)[1:8] == [0, 1, 3, 7, 15, 31, 31 + LONGEST_PAUSE]
    assert "3 times in a row; starting another in 4 seconds" in caplog.text


def test_a_good_life_ends_the_row_of_bad_ones(clock: Clock) -> None:
    start, started = living(clock, 1e9, 0.0, 0.0, 20.0, 0.0, 1e9)
    clock.events.append((100, end))
    Workers(start, count=2).run()
    assert times(started)[1:] == [0, 1, 3, 23, 24]


@pytest.mark.parametrize("count", [1, 3])
def test_where_no_worker_ever_starts_well_the_service_gives_up(clock: Clock, count: int) -> None:
    start, started = living(clock, 0.5)
    with pytest.raises(CannotStart, match="no worker has lived for 10 seconds in 5 tries"):
        Workers(start, count=count).run()
    assert len(started) == count * MOST_TRIES
    assert not any(process.is_alive() for process in started)


def test_giving_up_leaves_no_process(clock: Clock) -> None:
    lives = iter([0.5, 0.5] * (MOST_TRIES - 1) + [0.4, 0.4, 3.0])
    started: list[Process] = []

    def start() -> Process:
        started.append(Process(clock, seconds=next(lives, 3.0)))
        return started[-1]

    with pytest.raises(CannotStart):
        Workers(start, count=2).run()
    assert not any(process.is_alive() for process in started)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (EOFError("unexpected EOF"), "unexpected EOF"),
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "Resource temporarily unavailable"),
    ],
)
def test_one_that_cannot_be_started_is_tried_again(
    fault: Exception, why: str, clock: Clock, caplog
) -> None:
    """As where a process too many is asked for; the others answer meanwhile."""
    start, started = living(clock, 1e9, SETTLED_SECONDS, 1e9)
    faults = iter([None, None, fault, fault])

    def try_to_start() -> Process:
        if (fault := next(faults, None)) is not None:
            raise fault
        return start()

    clock.events.append((100, end))
    Workers(try_to_start, count=2).run()
    assert times(started) == [0, 0, SETTLED_SECONDS + 3]
    assert "a worker could not be started (" in caplog.text
    assert why in caplog.text


def test_the_dead_are_forgotten_in_the_metrics(clock: Clock) -> None:
    start, started = living(clock, 1e9, 20.0, 0.0, 1e9)
    clock.events.append((100, end))
    Workers(start, count=2).run()
    assert sorted(forgotten) == sorted(process.pid for process in started)
    assert deaths == [20, 20]  # those that were told to end are not among them


@pytest.mark.parametrize(
    ("exitcode", "told"),
    [(-9, "was ended by SIGKILL"), (-11, "was ended by SIGSEGV"), (3, "ended with status 3")],
)
def test_how_a_worker_ended_is_told(clock: Clock, caplog, exitcode: int, told: str) -> None:
    lives = iter([Process(clock, seconds=0.0, exitcode=exitcode)])
    clock.events.append((50, end))
    Workers(lambda: next(lives, None) or Process(clock, seconds=1e9), count=1).run()
    assert told in caplog.text


@pytest.mark.medium
def test_waiting_is_ended_by_a_real_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal does not end a wait by itself: Python goes on with what is left of it."""
    monkeypatch.setattr(workers, "forget_process", forgotten.append)
    monkeypatch.setattr(workers, "count_death", lambda: None)
    began = time.monotonic()

    class Dead(Process):
        sentinel = property(lambda _: reading)

        def is_alive(self) -> bool:
            return False

    reading, writing = os.pipe()
    os.close(writing)
    first = Dead(Clock(), seconds=0.0)
    watch = Workers(lambda: first, count=1)
    watch._workers[0].failures = 4  # so the pause is 16 seconds
    watch._settled = True
    signal.signal(signal.SIGALRM, lambda *_: end())
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    watch.run()
    os.close(reading)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "fault",
    [
        FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/app']"),
        OSError(errno.EROFS, os.strerror(errno.EROFS)),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    ],
    ids=["none", "read-only", "full"],
)
def test_workers_without_a_temporary_folder_are_told_so(
    fault: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `readOnlyRootFilesystem: true` and no volume at /tmp."""

    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(workers, "TemporaryDirectory", fail)
    publish(tmp_path)
    options = ["--store", str(tmp_path), "--port", "0", "--workers", "2"]
    refused = CliRunner().invoke(app, options)
    assert refused.exit_code == 2
    last = refused.stderr.splitlines()[-1]
    assert last.startswith(f"error: workers need a temporary folder to count in: {fault.strerror}")
    assert last.endswith("mount a writable /tmp, set TMPDIR, or set GATEWISE_WORKERS=1")
