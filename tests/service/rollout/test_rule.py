"""What is rolled back, what is promoted, and how often the rule is wrong."""

from dataclasses import replace

import numpy as np
import pytest

from service.rollout.evidence import Evidence
from service.rollout.rule import ALPHA, MOST_FLIPS, Judgement, judge, largest_error, tolerated_flips
from tests.effort import Effort
from tests.versions import make_metadata

TOLERATED = 0.15
SLOWER = 3.0
GOOD = Evidence(requests=600, votes=600, flips=24, texts=600, texts_flipped=24, timed=150, slower=9)


def judge_it(evidence: Evidence) -> Judgement:
    return judge(evidence, tolerated=TOLERATED, slower=SLOWER)


def simulate(
    seed: int, *, requests: int, flips: float, fails: float = 0.02, slow: float = 0.5
) -> tuple[int, str]:
    """Return after how many requests a pair of versions is judged, and how.

    It is looked at after each request. A request has one to four texts, whose labels are flipped
    together or not at all. One in four is timed.

    Args:
        seed: Of the chance.
        requests: Requests at most.
        flips: Share of flipped labels.
        fails: Probability that the version on trial fails a request; the stable one fails 2 %.
        slow: Probability that it takes more than so many times as long.
    """
    random = np.random.default_rng(seed)
    failed, stable_failed = random.random((2, requests)) < [[fails], [0.02]]
    both = ~failed & ~stable_failed
    texts = random.integers(1, 5, requests) * both
    flipped = both & (random.random(requests) < flips)
    timed = both & (np.arange(requests) % 4 == 0)
    counts = {
        "requests": np.ones(requests),
        "canary_failed": failed & ~stable_failed,
        "stable_failed": stable_failed & ~failed,
        "votes": both,
        "flips": flipped,
        "texts": texts,
        "texts_flipped": texts * flipped,
        "timed": timed,
        "slower": timed & (random.random(requests) < slow),
    }
    sums = np.cumsum(list(counts.values()), axis=1).T.tolist()
    for number, each in enumerate(sums, 1):
        decision = judge_it(Evidence(**dict(zip(counts, each, strict=True)))).decision
        if decision != "wait":
            return number, decision
    return requests, "wait"


@pytest.mark.medium
def test_of_200_equal_pairs_at_most_5_percent_are_rolled_back(effort: Effort) -> None:
    """They flip, fail and take as much as is tolerated at most; that is the hardest case."""
    pairs, requests = 200, effort(short=100, long=1_000)
    found = [simulate(n, requests=requests, flips=TOLERATED)[1] for n in range(pairs)]
    assert found.count("roll_back") <= ALPHA * pairs
    assert found.count("promote") <= ALPHA * pairs  # nor is it known that they are below


@pytest.mark.parametrize(
    ("rates", "within"),
    [
        ({"flips": 0.9}, 15),
        ({"flips": 0.4}, 120),
        ({"flips": 0.02, "fails": 0.5}, 60),
        ({"flips": 0.02, "slow": 0.98}, 100),
    ],
)
def test_bad_ones_are_found_soon(rates: dict[str, float], within: int, effort: Effort) -> None:
    runs = [simulate(n, requests=2_000, **rates) for n in range(effort(short=20, long=200))]
    assert {decision for _, decision in runs} == {"roll_back"}
    assert np.median([number for number, _ in runs]) <= within


@pytest.mark.medium
def test_good_ones_are_promoted(effort: Effort) -> None:
    pairs = effort(short=10, long=200)
    rates = {"flips": 0.05, "fails": 0.0, "slow": 0.1}
    runs = [simulate(n, requests=2_000, **rates) for n in range(pairs)]
    assert [decision for _, decision in runs].count("promote") >= 0.95 * pairs
    assert all(number > 300 for number, _ in runs)  # else errors of 1 % could not be known


@pytest.mark.parametrize(
    ("changes", "decision", "why"),
    [
        ({}, "promote", "it flips 4.0% of the labels in 600 requests, where 15.0% are tolerated;"),
        ({"flips": 200.0}, "roll_back", "it flips 33.3% of the labels"),
        (
            {"canary_failed": 9.0, "stable_failed": 0.0},
            "roll_back",
            "of 9 requests that only one version failed, it failed 9",
        ),
        ({"canary_failed": 9.0, "stable_failed": 9.0}, "wait", "too little is known about errors"),
        ({"slower": 120.0}, "roll_back", "it took more than 3 times as long in 120 of 150"),
        ({"timed": 3.0, "slower": 0.0}, "wait", "too little is known about slowness"),
        ({"flips": 90.0}, "wait", "too little is known about flips"),
        ({"flips": 200.0, "slower": 120.0}, "roll_back", "tolerated; it took more than 3 times"),
    ],
)
def test_each_question_counts(changes: dict[str, float], decision: str, why: str) -> None:
    judged = judge_it(replace(GOOD, **changes))
    assert judged.decision == decision
    assert why in judged.why


def test_nothing_is_decided_without_evidence() -> None:
    judged = judge_it(Evidence())
    assert judged == Judgement("wait", "too little is known about flips, errors, slowness")


def test_the_tolerated_flips_are_the_errors_of_both() -> None:
    one = make_metadata(metrics={"test": {"accuracy": 0.93, "rows": 25_000.0}})
    other = make_metadata(
        metrics={
            "validation": {"accuracy": 0.5, "rows": 9.0},
            "test": {"accuracy": 0.9, "rows": 25_000.0},
        }
    )
    assert 0.17 < tolerated_flips(one, other) < 0.18
    assert largest_error(make_metadata(metrics={})) == MOST_FLIPS
    for accuracy in (92.9, -0.1, 1.1):  # which a stranger may write
        strange = make_metadata(metrics={"test": {"accuracy": accuracy, "rows": 9.0}})
        assert largest_error(strange) == MOST_FLIPS
    assert tolerated_flips(one, make_metadata(metrics={})) == MOST_FLIPS


@pytest.mark.parametrize(
    ("accuracy", "rows", "largest"), [(0.9, 100.0, 0.174), (1.0, 100.0, 0.037), (0.0, 50.0, 1.0)]
)
def test_few_rows_say_little_of_the_error(accuracy: float, rows: float, largest: float) -> None:
    metadata = make_metadata(metrics={"validation": {"accuracy": accuracy, "rows": rows}})
    assert largest_error(metadata) == pytest.approx(largest, abs=1e-3)
