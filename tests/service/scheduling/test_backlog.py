import time
from pathlib import Path

import numpy as np
import pytest

from service.answering.classifier import Classifier
from service.scheduling.backlog import LOOKAHEAD, Backlog
from tests.service.recording import make_classifier, make_jobs


@pytest.fixture
def classifier(tmp_path: Path) -> Classifier:
    return make_classifier(tmp_path)


def take_all(backlog: Backlog) -> list[int]:
    """Return the lengths of the jobs in their order."""
    lengths = []
    while backlog:
        first = backlog.candidates()[0]
        backlog.remove([first])
        lengths.append(len(first.ids))
    return lengths


def test_what_is_short_comes_first(classifier: Classifier) -> None:
    backlog = Backlog()
    backlog.add(make_jobs(classifier, 2_000, 10, 300))
    assert take_all(backlog) == [10, 300, 2_000]


def test_what_has_waited_long_enough_comes_first(classifier: Classifier, monkeypatch) -> None:
    backlog = Backlog()
    (long,) = make_jobs(classifier, 2_000)
    backlog.add([long])
    now = time.monotonic()
    later = now + 20 * long.seconds_left
    monkeypatch.setattr("service.scheduling.jobs.time.monotonic", lambda: later)
    backlog.add(make_jobs(classifier, 10))
    assert take_all(backlog) == [2_000, 10]


def test_nothing_waits_longer_than_half_its_time(classifier: Classifier) -> None:
    (long,) = make_jobs(classifier, 2_000_000, deadline=1.0)
    ticket = long.ticket
    assert ticket.due == pytest.approx((ticket.arrived + ticket.deadline) / 2)


def test_seconds_are_those_of_the_jobs(classifier: Classifier) -> None:
    backlog, random = Backlog(), np.random.default_rng(0)
    waiting = make_jobs(classifier, *random.integers(0, 500, 200).tolist())
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


def test_a_discarded_ticket_is_gone(classifier: Classifier) -> None:
    backlog = Backlog()
    jobs = make_jobs(classifier, 5, 6, 7)
    backlog.add(jobs)
    backlog.discard(jobs[1].ticket)
    backlog.discard(jobs[1].ticket)
    assert backlog.seconds == pytest.approx(jobs[0].seconds_left + jobs[2].seconds_left)
    assert take_all(backlog) == [5, 7]


def test_candidates_are_of_one_classifier(classifier: Classifier, tmp_path: Path) -> None:
    other = make_classifier(tmp_path, name="other")
    backlog = Backlog()
    backlog.add(make_jobs(classifier, 5_000, 9_000))
    backlog.add(make_jobs(other, 3, 8))
    assert [len(job.ids) for job in backlog.candidates()] == [3, 8]
