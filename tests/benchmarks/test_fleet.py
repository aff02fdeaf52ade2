"""The simulation of a fleet keeps to what is known of queues, and loses nothing."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.fleet import Balancing, Fleet, Plan, Seen
from benchmarks.fleet.request import Outcome, Rules
from benchmarks.fleet.simulate import simulate_closed, simulate_open
from benchmarks.fleet.traffic import DAY, Day, Lengths, poisson
from service.engines.cost import Cost

pytestmark = pytest.mark.medium

TOKEN = 2.0**-20  # seconds, about a microsecond; exact, so that sums are too
NO_GAIN = Cost(call=0.0, step=0.0, text=TOKEN, padded=False)
SERVER = Costs(planned=NO_GAIN, engine=NO_GAIN)
FIFO = Rules(stretch=0.0, inline=0.0, deadline=math.inf, sliced=False)
MEAN_TOKENS = 10_000
MEAN = MEAN_TOKENS * TOKEN  # seconds of a text
REAL = Costs(
    planned=Cost(call=4e-5, step=3.4e-6, text=1.6e-6, padded=False),
    engine=Cost(call=5e-5, step=3.8e-6, text=1.8e-6, padded=False),
    turn=8e-5,
    cold=4e-4,
    request=4e-4,
    char=1.5e-7,
    handover=1.3e-4,
    slice=2e-4,
    piece=1.4e-4,
    refusal=6e-5,
    wire=1.2e-4,
    stalls=[1e-3],
    stalls_per_second=5.0,
)
REVIEWS: Lengths = [(tokens, 5 * tokens) for tokens in (40, 120, 180, 220, 300, 500, 900)]


def exponential(seed: int) -> Lengths:
    """Return lengths at even quantiles, in a random order."""
    draws = -MEAN_TOKENS * np.log1p(-(np.arange(20_000) + 0.5) / 20_000)
    np.random.default_rng(seed).shuffle(draws)
    return [(max(1, round(draw)), 0) for draw in draws]


def mean_wait(lengths: Lengths, *, load: float, requests: int = 12_000) -> float:
    """Return the mean seconds before the service of a text begins."""
    due = poisson(load / MEAN, seconds=requests * MEAN / load, seed=1)
    order = np.random.default_rng(2).integers(len(lengths), size=len(due)).tolist()
    seen = simulate_open(SERVER, lengths, due=due.tolist(), order=order, rules=FIFO)
    served = np.array([lengths[place][0] for place in order]) * TOKEN
    return float(np.mean(seen.seconds - served))


def pollaczek_khinchine(lengths: Sequence[int], *, load: float) -> float:
    """Return the mean wait of M/G/1: that which residual service and load make."""
    seconds = np.array(lengths) * TOKEN
    rate = load / MEAN
    utilization = rate * seconds.mean()
    return float(rate * np.mean(seconds**2) / (2 * (1 - utilization)))


@pytest.mark.slow
@pytest.mark.parametrize("load", [0.3, 0.7])
def test_wait_is_that_of_m_d_1(load: float) -> None:
    wait = mean_wait([(MEAN_TOKENS, 0)], load=load)
    assert wait == pytest.approx(pollaczek_khinchine([MEAN_TOKENS], load=load), rel=0.06)
    assert wait == pytest.approx(load * MEAN / (2 * (1 - load)), rel=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("load", [0.3, 0.6])
def test_wait_is_that_of_m_m_1(load: float) -> None:
    wait = mean_wait(exponential(0), load=load)
    assert wait == pytest.approx(load * MEAN / (1 - load), rel=0.1)


def test_wait_is_that_of_m_g_1_with_a_few_long_texts() -> None:
    lengths = [(MEAN_TOKENS // 2, 0)] * 9 + [(MEAN_TOKENS * 11 // 2, 0)]
    wait = mean_wait(lengths, load=0.5)
    expected = pollaczek_khinchine([tokens for tokens, _ in lengths], load=0.5)
    assert wait == pytest.approx(expected, rel=0.06)


def test_event_loop_alone_is_m_d_1() -> None:
    seconds, load = 0.01, 0.6
    costs = replace(SERVER, request=seconds)
    due = poisson(load / seconds, seconds=300, seed=3).tolist()
    rules = Rules(deadline=math.inf, split=0.0, together=False)
    seen = simulate_open(costs, [(0, 0)], due=due, order=[0] * len(due), rules=rules)
    wait = float(np.mean(seen.seconds)) - seconds
    assert wait == pytest.approx(load * seconds / (2 * (1 - load)), rel=0.06)


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that a request waits in M/M/c."""
    terms = [offered**n / math.factorial(n) for n in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(terms) + last)


@pytest.mark.slow
@pytest.mark.parametrize("servers", [2, 5])
def test_wait_at_a_proxy_that_queues_is_that_of_m_m_c(servers: int) -> None:
    offered = 0.7 * servers
    clock = Clock()
    plan = Plan(machines=1, cores=servers, balancing=Balancing.QUEUE)
    fleet = Fleet(clock, plan, SERVER, rules=FIFO, seed=4)
    rate = offered / MEAN
    fleet.come(exponential(5), poisson(rate, seconds=12_000 / rate, seed=6).tolist())
    clock.run()
    wait = float(np.mean(fleet.seen.seconds)) - MEAN
    expected = erlang_c(servers, offered) * MEAN / (servers - offered)
    assert wait == pytest.approx(expected, rel=0.1)


def run_fleet(
    *, rate: float, seconds: float, plan: Plan, seed: int = 0, fail: int | None = None,
    update: bool = False,
) -> Seen:  # fmt: skip
    clock = Clock()
    fleet = Fleet(clock, plan, REAL, seed=seed)
    fleet.come(REVIEWS, poisson(rate, seconds=seconds, seed=seed).tolist())
    if fail is not None:
        clock.at(seconds / 3, lambda: fleet.fail(fail))
    if update:
        clock.at(seconds / 4, fleet.update)
    clock.run(until=seconds + 400)
    return fleet.seen


@pytest.mark.parametrize("balancing", list(Balancing))
@pytest.mark.parametrize("rate", [150.0, 2_500.0])
def test_what_comes_is_answered_rejected_or_late(balancing: Balancing, rate: float) -> None:
    plan = Plan(machines=2, cores=2, balancing=balancing, repair=2.0)
    seen = run_fleet(rate=rate, seconds=3, plan=plan, fail=1)
    ended = [Outcome.ANSWERED, Outcome.REJECTED, Outcome.LATE]
    assert sum(map(seen.count, ended)) == len(seen.requests) == rate * 3
    assert (seen.count(Outcome.REJECTED) > 0) == (rate > 1_000 and balancing is not Balancing.QUEUE)


def test_a_rolling_update_loses_and_repeats_nothing() -> None:
    plan = Plan(machines=3, cores=1, drain=0.5, start=0.5)
    seen = run_fleet(rate=200, seconds=8, plan=plan, update=True)
    assert seen.updated == [0, 1, 2]
    assert seen.count(Outcome.ANSWERED) == len(seen.requests)
    assert seen.retries == 0


def test_what_a_failed_machine_had_is_answered_by_others() -> None:
    plan = Plan(machines=3, cores=1, repair=2.0)
    seen = run_fleet(rate=200, seconds=8, plan=plan, fail=1)
    assert seen.retries > 0
    assert seen.count(Outcome.ANSWERED) == len(seen.requests)
    retried = max(seen.seconds)
    assert retried > plan.notice


def test_a_machine_that_fails_during_the_update_does_not_stop_it() -> None:
    plan = Plan(machines=3, cores=1, drain=1.5, start=0.5, repair=1.0)
    seen = run_fleet(rate=100, seconds=9, plan=plan, fail=0, update=True)
    assert set(seen.updated) <= {0, 1, 2}
    assert {1, 2} <= set(seen.updated)
    assert seen.count(Outcome.ANSWERED) == len(seen.requests)


def test_machines_fail_at_random_as_often_as_they_should() -> None:
    clock = Clock()
    plan = Plan(machines=20, repair=0.0, start=0.0)
    fleet = Fleet(clock, plan, SERVER, rules=FIFO, seed=7)
    failed: list[int] = []
    fail = fleet.fail
    fleet.fail = lambda number: (failed.append(number), fail(number))[1]  # type: ignore[method-assign]
    fleet.fail_at_random(every=100.0, until=10_000.0)
    clock.run()
    assert len(failed) == pytest.approx(20 * 100, rel=0.1)
    assert set(failed) == set(range(20))


def test_a_seed_decides_all() -> None:
    plan = Plan(machines=2, cores=2, balancing=Balancing.RANDOM)
    first, again, other = (
        run_fleet(rate=400, seconds=3, plan=plan, seed=seed).seconds for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_fewest_under_way_waits_less_than_random() -> None:
    plans = [Plan(machines=6, balancing=each) for each in (Balancing.LEAST, Balancing.RANDOM)]
    least, at_random = (run_fleet(rate=1_200, seconds=5, plan=plan).seconds for plan in plans)
    assert np.percentile(least, 99) < 0.8 * np.percentile(at_random, 99)


def test_more_connections_are_answered_faster_because_turns_and_weights_are_shared() -> None:
    order = [place % len(REVIEWS) for place in range(10_000)]
    alone, many = (
        simulate_closed(REAL, REVIEWS, order=order, connections=each, seconds=3).used
        for each in (1, 32)
    )
    assert many.slices / many.requests < 0.5 * alone.slices / alone.requests
    assert many.compute / many.requests < 0.8 * alone.compute / alone.requests
    assert many.loop / many.requests < alone.loop / alone.requests


def test_a_slow_core_takes_longer() -> None:
    due = poisson(50, seconds=10, seed=8).tolist()
    order = [place % len(REVIEWS) for place in range(len(due))]
    usual, slow = (
        simulate_open(REAL, REVIEWS, due=due, order=order, slowness=each).used
        for each in ((1.0,), (2.0,))
    )
    assert slow.loop + slow.compute == pytest.approx(2 * (usual.loop + usual.compute), rel=0.1)


def test_a_day_has_as_many_requests_as_planned_and_a_peak() -> None:
    day = Day(requests=50_000)
    times = np.array(list(day.arrivals(0, DAY, seed=9)))
    assert len(times) == pytest.approx(50_000, rel=0.02)
    evening, morning = (np.sum((times // 3_600) == hour) for hour in (20, 8))
    assert evening > 2.5 * morning
    assert day.peak == pytest.approx(day.base * (1 + day.swing) * day.burst)
