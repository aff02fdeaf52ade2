"""Counts lie in an array, each in its place, and say how scores have shifted."""

from dataclasses import fields

import numpy as np
import pytest

from service.rollout.evidence import BINS, PLACES, SIZE, Evidence


def test_each_count_has_its_place() -> None:
    evidence = Evidence.of(np.arange(SIZE, dtype=float))
    assert list(PLACES) == [field.name for field in fields(Evidence)]
    found = [getattr(evidence, name) for name in PLACES]
    flat = [value for each in found for value in (each if isinstance(each, tuple) else (each,))]
    assert flat == list(range(SIZE))


def test_what_is_not_known_is_left_out() -> None:
    assert "flip_share" not in Evidence().figures()
    assert "score_shift" not in Evidence().figures()
    assert "times_as_long" not in Evidence().figures()
    assert Evidence(votes=4, flips=1).figures()["flip_share"] == 0.25
    known = Evidence(canary_model_seconds=3, stable_model_seconds=2).figures()
    assert known["times_as_long"] == 1.5


def make_scores(*shares: float) -> tuple[float, ...]:
    return tuple(1_000_000 * share for share in shares) + (0.0,) * (BINS - len(shares))


def test_the_shift_of_the_scores_is_the_population_stability_index() -> None:
    scores = {"canary_scores": make_scores(0.5, 0.5), "stable_scores": make_scores(0.6, 0.4)}
    expected = -0.1 * np.log(0.5 / 0.6) + 0.1 * np.log(0.5 / 0.4)
    assert Evidence(texts=1, **scores).score_shift == pytest.approx(expected, rel=1e-3)
    same = {"canary_scores": make_scores(0.5, 0.5), "stable_scores": make_scores(0.5, 0.5)}
    assert Evidence(texts=1, **same).score_shift == 0
