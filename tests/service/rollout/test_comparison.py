"""Labels are compared by their names, and a request has one vote."""

from typing import Any

import numpy as np
import pytest

from models.metadata import Metadata
from service.rollout.comparison import count_comparison, given_labels
from service.rollout.evidence import Evidence
from service.rollout.tally import Tally
from tests.versions import make_metadata

POS, NEG, FAILED = np.array([0.1, 0.9]), np.array([0.8, 0.2]), RuntimeError("poisoned")


def compare(
    canary: list[Any],
    stable: list[Any],
    *,
    one: Metadata | None = None,
    other: Metadata | None = None,
) -> Evidence:
    tally = Tally("key")
    count_comparison(tally, (one or make_metadata(), canary), (other or make_metadata(), stable))
    return tally.total()


def test_a_request_has_one_vote() -> None:
    found = compare([POS, POS, NEG, NEG], [POS, POS, NEG, POS])
    assert (found.requests, found.votes, found.flips) == (1, 1, 0.25)
    assert (found.texts, found.texts_flipped) == (4, 1)


def test_labels_that_changed_places_are_flipped() -> None:
    swapped = make_metadata(labels=("pos", "neg"))
    assert compare([POS, NEG], [POS, NEG], one=swapped).flips == 1
    assert compare([POS, NEG], [POS[::-1], NEG[::-1]], one=swapped).flips == 0


def test_scores_are_those_of_the_same_label() -> None:
    swapped = make_metadata(labels=("pos", "neg"))
    found = compare([POS], [POS], one=swapped)
    assert (found.canary_scores[1], found.stable_scores[9]) == (1, 1)
    three = make_metadata(labels=("a", "b", "c"))
    found = compare(
        [np.array([0.2, 0.5, 0.3])], [np.array([0.0, 0.0, 1.0])], one=three, other=three
    )
    assert (found.canary_scores[5], found.stable_scores[9]) == (1, 1)


def test_sets_of_labels_are_compared_as_wholes() -> None:
    several = make_metadata(task="multi_label", thresholds=(0.5, 0.5), labels=("a", "b"))
    assert given_labels(several, np.array([0.9, 0.9])) == {"a", "b"}
    assert given_labels(several, np.array([0.1, 0.1])) == frozenset()
    both, one = np.array([0.9, 0.9]), np.array([0.9, 0.1])
    assert compare([both, one], [both, both], one=several, other=several).flips == 0.5


@pytest.mark.parametrize(
    ("canary", "stable", "failures", "votes"),
    [
        ([FAILED], [POS], (1, 0), 0),
        ([POS], [FAILED], (0, 1), 0),
        ([FAILED], [FAILED], (0, 0), 0),
        ([FAILED, POS], [POS, POS], (1, 0), 1),
        ([FAILED, POS], [POS, FAILED], (0, 0), 0),
    ],
)
def test_failures_count_where_only_one_version_fails(
    canary: list[Any], stable: list[Any], failures: tuple[int, int], votes: int
) -> None:
    found = compare(canary, stable)
    assert found.requests == 1
    assert (found.canary_failed, found.stable_failed) == failures
    assert (found.votes, found.flips) == (votes, 0)
