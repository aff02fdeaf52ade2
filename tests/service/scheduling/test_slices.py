"""What is read together, how far, and that it changes nothing."""

import numpy as np
import pytest

from service.engines.cost import Cost
from service.engines.runner import Runner
from service.scheduling.jobs import Job
from service.scheduling.slices import (
    COMPANY,
    LONG_SLICE_SECONDS,
    SLICE_SECONDS,
    plan_slice,
    read_slice,
)
from tests.service.recording import COST, RecordingEngine, make_jobs, make_runner
from tests.versions import CountingEngine


@pytest.fixture
def runner() -> Runner:
    return make_runner()


def seconds(runner: Runner, jobs: list[Job], tokens: int) -> float:
    return runner.cost.seconds(tokens, texts=len(jobs))


def test_a_short_text_alone_is_read_whole(runner: Runner) -> None:
    (job,) = make_jobs(runner, 20)
    assert plan_slice([job]) == ([job], 20)


def test_the_empty_text_takes_a_call_too(runner: Runner) -> None:
    (job,) = make_jobs(runner, 0)
    assert plan_slice([job]) == ([job], 1)


def test_a_long_text_is_read_for_as_long_as_a_slice_lasts(runner: Runner) -> None:
    (job,) = make_jobs(runner, 1_000)
    _, tokens = plan_slice([job])
    assert 0.9 * SLICE_SECONDS < runner.cost.seconds(tokens) <= SLICE_SECONDS


def test_a_document_is_read_in_shorter_slices(runner: Runner) -> None:
    (job,) = make_jobs(runner, 100_000)
    _, tokens = plan_slice([job])
    assert 0.9 * LONG_SLICE_SECONDS < runner.cost.seconds(tokens) <= LONG_SLICE_SECONDS


def test_calls_that_take_long_are_worth_longer_slices() -> None:
    runner = make_runner(cost=Cost(call=2e-3, step=6e-5, text=1e-5))
    (job,) = make_jobs(runner, 5_000)
    _, tokens = plan_slice([job])
    assert 0.018 < runner.cost.seconds(tokens) <= 0.02


def test_texts_of_like_length_go_together(runner: Runner) -> None:
    jobs = make_jobs(runner, 20, 21, 19, 20)
    assert plan_slice(jobs) == (jobs, 21)


def test_a_text_is_not_begun_for_a_few_tokens(runner: Runner) -> None:
    short, longer = make_jobs(runner, 10, 40)
    assert plan_slice([short, longer]) == ([short], 10)


def test_long_texts_are_begun_together_whatever_a_call_costs() -> None:
    for call in (1.4e-4, 1.7e-4, 2.5e-4, 3.5e-4):
        runner = make_runner(cost=Cost(call=call, step=4.9e-6, text=5.5e-6))
        assert len(plan_slice(make_jobs(runner, *[270] * 20))[0]) >= COMPANY


def test_a_short_text_does_not_keep_a_long_one_company(runner: Runner) -> None:
    long, short = make_jobs(runner, 5_000, 5)
    assert plan_slice([long, short])[0] == [long]


def test_a_long_text_does_not_hold_up_a_short_one(runner: Runner) -> None:
    short, long = make_jobs(runner, 20, 5_000)
    jobs, tokens = plan_slice([short, long])
    assert jobs[0] is short
    assert tokens == 20


def test_no_slice_of_many_lasts_longer(runner: Runner) -> None:
    lengths = np.random.default_rng(0).integers(0, 3_000, 64).tolist()
    jobs, tokens = plan_slice(make_jobs(runner, *lengths))
    assert seconds(runner, jobs, tokens) <= SLICE_SECONDS
    jobs, tokens = plan_slice(make_jobs(runner, *[270] * 64))
    assert len(jobs) >= COMPANY
    assert seconds(runner, jobs, tokens) <= SLICE_SECONDS


def test_company_is_only_taken_where_it_saves() -> None:
    alike = make_runner(cost=Cost(call=1e-9, step=1e-9, text=1e-5))
    first, same, shorter = make_jobs(alike, 50, 50, 30)
    assert plan_slice([first, shorter, same])[0] == [first, same]


def test_a_text_that_cannot_be_sliced_is_read_whole() -> None:
    runner = make_runner(state=())
    first, longer, alike = make_jobs(runner, 5_000, 5_100, 4_990)
    assert plan_slice([first, longer, alike]) == ([first], 5_000)
    assert read_slice([first], 5_000).shape == (1, 2)
    assert first.left == 0


@pytest.mark.parametrize("tokens", [1, 7, 100])
def test_slices_give_what_the_whole_gives(runner: Runner, tokens: int) -> None:
    random = np.random.default_rng(0)
    rows = [random.integers(2, 5, length).tolist() for length in (0, 1, 6, 7, 8, 40)]
    jobs = make_jobs(runner, *map(len, rows))
    for job, row in zip(jobs, rows, strict=True):
        job.ids[:] = row
    found = {}
    left = jobs
    while left:
        for job, probabilities in zip(left, read_slice(left, tokens), strict=True):
            found[id(job)] = probabilities
        left = [job for job in left if job.left]
    expected = CountingEngine().predict(rows)
    np.testing.assert_array_equal([found[id(job)] for job in jobs], expected)


def test_a_failed_slice_leaves_jobs_as_they_were() -> None:
    engine = RecordingEngine()
    runner = make_runner(engine=engine)
    jobs = make_jobs(runner, 9, 9)
    read_slice(jobs, 4)
    engine.poison = 2
    with pytest.raises(RuntimeError, match="poisoned"):
        read_slice(jobs, 4)
    assert [job.left for job in jobs] == [5, 5]
    engine.poison = None
    read_slice(jobs, 5)
    assert [job.left for job in jobs] == [0, 0]


def test_costs_of_tests_are_like_those_of_a_small_network() -> None:
    assert COST.seconds(270) < SLICE_SECONDS
