"""Scores are means over seeds, and a lead is only one if rows and seeds agree."""

import numpy as np
import pytest

from training.report.scores import Scored, lead, make_score, score


def decisions(truth: np.ndarray, *, right: float, seed: int) -> np.ndarray:
    """Return decisions of which so many are right."""
    draw = np.random.default_rng(seed)
    return np.where(draw.random(len(truth)) < right, truth, 1 - truth).astype(np.int32)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).integers(2, size=600).astype(np.int32)


def scores(truth: np.ndarray, **decided: list[np.ndarray]) -> dict[str, Scored]:
    return score(truth, decided, labels=2, measure="accuracy")


def test_a_score_is_the_mean_over_seeds(truth: np.ndarray) -> None:
    one, other = decisions(truth, right=0.9, seed=1), decisions(truth, right=0.7, seed=2)
    found = make_score(scores(truth, cell=[one, other])["cell"])
    each = [np.mean(one == truth), np.mean(other == truth)]
    assert found["seeds"] == pytest.approx(each)
    assert found["value"] == pytest.approx(np.mean(each))
    assert found["low"] < found["value"] < found["high"]


def test_seeds_that_differ_widen_the_interval(truth: np.ndarray) -> None:
    steady = [decisions(truth, right=0.8, seed=seed) for seed in range(3)]
    shaky = [decisions(truth, right=r, seed=seed) for seed, r in enumerate((0.95, 0.8, 0.65))]
    found = {name: make_score(each) for name, each in scores(truth, a=steady, b=shaky).items()}
    assert found["b"]["high"] - found["b"]["low"] > 2 * (found["a"]["high"] - found["a"]["low"])


def test_what_is_the_same_has_no_lead(truth: np.ndarray) -> None:
    same = [decisions(truth, right=0.8, seed=1)]
    found = scores(truth, one=same, other=same)
    assert lead(found["one"], found["other"]) == {
        "value": 0.0,
        "low": 0.0,
        "high": 0.0,
        "error": 0.0,
        "p": 1.0,
        "at_most": False,
    }


def test_a_clear_lead_is_one(truth: np.ndarray) -> None:
    good = [decisions(truth, right=0.9, seed=seed) for seed in range(3)]
    bad = [decisions(truth, right=0.7, seed=10 + seed) for seed in range(3)]
    found = scores(truth, good=good, bad=bad)
    ahead, behind = lead(found["good"], found["bad"]), lead(found["bad"], found["good"])
    assert 0.1 < ahead["low"] < ahead["value"] < ahead["high"] < 0.3
    assert behind["value"] == -ahead["value"]
    assert behind["p"] == ahead["p"] < 0.01


def test_few_seeds_that_differ_show_nothing(truth: np.ndarray) -> None:
    shaky = [decisions(truth, right=r, seed=seed) for seed, r in enumerate((0.85, 0.5, 0.5))]
    steady = [decisions(truth, right=0.85, seed=10 + seed) for seed in range(3)]
    found = scores(truth, shaky=shaky, steady=steady)
    ahead = lead(found["steady"], found["shaky"])
    assert ahead["value"] > 0.15
    assert ahead["low"] < 0
    assert ahead["p"] > 0.05


@pytest.mark.medium
def test_intervals_over_seeds_hold_what_they_promise() -> None:
    """Of contestants that are equal but for the luck of three seeds one in twenty seems better."""
    draw, rows, wrong = np.random.default_rng(0), np.full(1_000, 0.8), 0
    for _ in range(2_000):
        one, other = (
            Scored(seeds=0.8 + 0.03 * draw.normal(size=3), draws=rows, fits=name)
            for name in ("one", "other")
        )
        wrong += lead(one, other)["p"] < 0.05
    assert 0.03 < wrong / 2_000 < 0.06


def test_readings_of_the_same_networks_share_their_luck(truth: np.ndarray) -> None:
    fits = [decisions(truth, right=r, seed=seed) for seed, r in enumerate((0.7, 0.8, 0.9))]
    found = scores(truth, **{"gru-8": fits, "gru-8 64": fits, "lstm-8": fits})
    assert lead(found["gru-8"], found["gru-8 64"])["error"] == 0
    assert lead(found["gru-8"], found["lstm-8"])["error"] > 0.05


def test_the_same_rows_are_drawn_for_both(truth: np.ndarray) -> None:
    one = decisions(truth, right=0.8, seed=1)
    other = one.copy()
    other[:3] = 1 - other[:3]  # differ in three rows, so hardly at all
    found = scores(truth, one=[one], other=[other])
    assert lead(found["one"], found["other"])["error"] < 0.005


def test_it_is_the_same_every_time(truth: np.ndarray) -> None:
    decided = [decisions(truth, right=0.8, seed=seed) for seed in range(3)]
    first, second = (scores(truth, cell=decided)["cell"] for _ in range(2))
    assert first.draws.tolist() == second.draws.tolist()
