import time

import numpy as np
import pytest

from service.engines.runner import Runner
from service.scheduling.backlog import LOOKAHEAD, Backlog
from tests.service.recording import make_jobs, make_runner


@pytest.fixture
def runner() -> Runner:
    return make_runner()


def take_all(backlog: Backlog) -> list[int]:
    """Return the lengths of the jobs in their order."""
    lengths = []
    while backlog:
        first = backlog.candidates()[0]
        backlog.remove([first])
        lengths.append(len(first.ids))
    return lengths


def test_what_is_short_comes_first(runner: Runner) -> None:
    backlog = Backlog()
    backlog.add(make_jobs(runner, 2_000, 10, 300))
    assert take_all(backlog) == [10, 300, 2_000]


def test_what_has_waited_long_enough_comes_first(runner: Runner, monkeypatch) -> None:
    backlog = Backlog()
    (long,) = make_jobs(runner, 2_000)
    backlog.add([long])
    now = time.monotonic()
    later = now + 20 * long.seconds_left
    monkeypatch.setattr("service.scheduling.jobs.time.monotonic", lambda: later)
    backlog.add(make_jobs(runner, 10))
    assert take_all(backlog) == [2_000, 10]


def test_nothing_waits_longer_than_half_its_time(runner: Runner) -> None:
    (long,) = make_jobs(runner, 2_000_000, deadline=1.0)
    ticket = long.ticket
    assert ticket.due == pytest.approx((ticket.arrived + ticket.deadline) / 2)


def test_seconds_are_those_of_the_jobs(runner: Runner) -> None:
    backlog, random = Backlog(), np.random.default_rng(0)
    waiting = make_jobs(runner, *random.integers(0, 500, 200).tolist())
    for job in waiting[:50]:
        backlog.add([job])
    backlog.add(waiting[50:])
    for _ in range(100):
        total = sum(job.seconds_left for job in waiting)
        assert backlog.seconds == pytest.approx(total)
        cut = float(random.choice([job.ticket.due for job in waiting])) + 0.02
        least = sum(job.seconds_left for job in waiting if job.ticket.due <= cut - 0.02)
        most = sum(job.seconds_left for job in waiting if job.ticket.due <= cut + 0.02)
        assert least - 1e-9 <= backlog.seconds_before(cut) <= most + 1e-9
        taken = backlog.candidates()[:1]
        backlog.remove(taken)
        waiting.remove(taken[0])
    backlog.remove(backlog.candidates())
    assert len(take_all(backlog)) == 200 - 100 - LOOKAHEAD
    assert backlog.seconds == 0


def test_a_discarded_ticket_is_gone(runner: Runner) -> None:
    backlog = Backlog()
    jobs = make_jobs(runner, 5, 6, 7)
    backlog.add(jobs)
    backlog.discard(jobs[1].ticket)
    backlog.discard(jobs[1].ticket)
    assert backlog.seconds == pytest.approx(jobs[0].seconds_left + jobs[2].seconds_left)
    assert take_all(backlog) == [5, 7]


def test_candidates_are_of_one_runner(runner: Runner) -> None:
    other = make_runner()
    backlog = Backlog()
    backlog.add(make_jobs(runner, 5_000, 9_000))
    backlog.add(make_jobs(other, 3, 8))
    assert [len(job.ids) for job in backlog.candidates()] == [3, 8]


def test_a_service_that_is_never_idle_keeps_no_more(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlog, now = Backlog(), time.monotonic()
    for moment in range(200):
        monkeypatch.setattr("service.scheduling.jobs.time.monotonic", lambda at=moment: now + at)
        backlog.add(make_jobs(runner, 10))
        if moment:
            backlog.remove(backlog.candidates()[:1])
    assert len(backlog.candidates()) == len(backlog._windows) == 1
    assert backlog.seconds_before(now + 1e6) == pytest.approx(backlog.seconds)
