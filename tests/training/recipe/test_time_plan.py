"""What of a training fits into its time, and in what order the rest is left out."""

import itertools
from dataclasses import replace

import pytest

from training.recipe.time_plan import (
    Costs,
    TimePlan,
    choose_plan,
    describe_excess,
    describe_omissions,
    describe_plan,
)

# 20 s are over and as long is to come; an epoch takes 100 s and a bit, a round 300.
COSTS = Costs(pretraining=1_000, epoch=100 / 1.15, round_epoch=150 / 1.15, before=20, after=20)
WANTED = TimePlan(pretraining=2, epochs=2, rounds=1)


def choose(seconds: float, wanted: TimePlan = WANTED) -> TimePlan:
    plan = choose_plan(wanted, COSTS, seconds=seconds)
    assert plan.share < 1 or COSTS.of(plan) <= seconds
    return plan


def test_all_of_it() -> None:
    assert COSTS.of(WANTED) == pytest.approx(40 + 2_300 + 200 + 300)
    assert choose(3_000) == WANTED
    assert choose(1e9) == WANTED


@pytest.mark.parametrize(
    ("seconds", "pretraining", "epochs", "rounds"),
    [
        (2_800, 1, 2, 1),
        (1_700, 1, 2, 1),
        (1_600, 1, 2, 0),
        (1_300, 1, 1, 0),
        (1_200, 0, 2, 0),
        (150, 0, 1, 0),
    ],
)
def test_what_is_left_out(seconds: float, pretraining: int, epochs: int, rounds: int) -> None:
    assert choose(seconds) == TimePlan(pretraining=pretraining, epochs=epochs, rounds=rounds)


def test_passes_without_a_round_rather_than_neither() -> None:
    costs = replace(COSTS, round_epoch=3_000)
    plan = choose_plan(WANTED, costs, seconds=2_800)
    assert plan == TimePlan(pretraining=2, epochs=2, rounds=0)


@pytest.mark.parametrize("seconds", [1, 150, 400, 1e9])
def test_a_language_that_is_known_is_kept(seconds: float) -> None:
    known = replace(COSTS, pretraining=0.0)
    assert choose_plan(WANTED, known, seconds=seconds).pretraining == 2


def test_one_round_after_the_other() -> None:
    wanted = TimePlan(pretraining=0, epochs=2, rounds=3)
    rounds = [choose(seconds, wanted).rounds for seconds in (1_200, 1_100, 600, 500)]
    assert rounds == [3, 2, 1, 0]


def test_a_share_of_the_rows() -> None:
    assert choose(90) == TimePlan(pretraining=0, epochs=1, rounds=0, share=pytest.approx(0.5))
    assert choose(1).share == 0.01


def test_more_time_is_never_less_work() -> None:
    plans = [choose(seconds) for seconds in range(1, 3_000, 7)]
    assert all(a.rounds <= b.rounds for a, b in itertools.pairwise(plans))
    assert all(a.pretraining <= b.pretraining for a, b in itertools.pairwise(plans))
    assert all(a.share <= b.share for a, b in itertools.pairwise(plans))


def test_words() -> None:
    plan = choose(1_300)
    assert describe_plan(plan, COSTS) == (
        "1 pass of pretraining, 1 epoch (21.5 min in all: 0.3 until now, 20.8 to fit, "
        "0.3 for calibration, export, check and report)"
    )
    assert describe_omissions(WANTED, plan, COSTS) == (
        "1 pass of pretraining, 1 epoch, 1 round of self-training (all would take 47.3 min)"
    )
    assert describe_plan(choose(90), COSTS).startswith(
        "1 epoch over 50% of the rows (1.5 min in all: "
    )
    assert not describe_omissions(WANTED, WANTED, COSTS)


def test_every_fit_has_a_start() -> None:
    costs = replace(COSTS, start=7)
    assert costs.of(WANTED) == pytest.approx(COSTS.of(WANTED) + 2 * 7)
    assert costs.floor == 47
    assert choose_plan(WANTED, costs, seconds=97).share == pytest.approx(0.5)


def test_what_a_budget_does_not_cover_is_named() -> None:
    plan, costs = choose(1), replace(COSTS, start=20)
    assert not describe_excess(choose(150), costs, seconds=200)
    assert describe_excess(plan, costs, seconds=60.5) == "even that is likely to take longer"
    for seconds in (1, 60):
        assert describe_excess(plan, costs, seconds=seconds) == (
            "the time budget does not cover reading, baseline, n-grams, start of TensorFlow, "
            "export, check and report, which take about 1.0 min here; expect 1.0 min"
        )
