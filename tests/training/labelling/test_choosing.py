"""The rows to label next are uncertain, and unlike each other."""

import numpy as np
import pytest

from training.labelling.choosing import choose_rows

EXCLUSIVE = {"task": "single_label", "seed": 0}


def test_sure_rows_are_not_chosen() -> None:
    sure = np.tile([0.999, 0.001], (50, 1))
    unsure = np.tile([0.55, 0.45], (5, 1))
    pools = np.random.default_rng(0).normal(size=(55, 8)).astype(np.float32)
    chosen = choose_rows(
        pools, np.concatenate([sure, unsure]).astype(np.float32), count=5, **EXCLUSIVE
    )
    assert len(set(chosen.tolist()) & {50, 51, 52, 53, 54}) >= 4  # of 55


def test_of_rows_that_are_alike_one_is_chosen() -> None:
    kinds = np.eye(4, dtype=np.float32)
    pools = np.repeat(kinds, 25, axis=0)
    unsure = np.full((100, 3), 1 / 3, np.float32)
    chosen = choose_rows(pools, unsure, count=4, **EXCLUSIVE)
    assert {row // 25 for row in chosen.tolist()} == {0, 1, 2, 3}


def test_more_than_there_are() -> None:
    pools = np.ones((3, 2), np.float32)
    same = np.full((3, 2), 0.5, np.float32)
    assert sorted(choose_rows(pools, same, count=9, **EXCLUSIVE).tolist()) == [0, 1, 2]


def test_several_labels_are_each_in_doubt() -> None:
    pools = np.ones((3, 2), np.float32)
    probabilities = np.array([[0.99, 0.01], [0.99, 0.5], [0.01, 0.01]], np.float32)
    (first,) = choose_rows(pools, probabilities, task="multi_label", count=1, seed=0)
    assert first == 1


def test_the_seed_decides() -> None:
    random = np.random.default_rng(0)
    pools = random.normal(size=(200, 4)).astype(np.float32)
    odds = random.dirichlet([1, 1], size=200).astype(np.float32)
    choices = [
        choose_rows(pools, odds, task="single_label", count=9, seed=seed).tolist()
        for seed in (1, 1, 2)
    ]
    assert choices[0] == choices[1] != choices[2]


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_distances_are_those_of_gradients(task: str) -> None:
    from training.labelling.choosing import _distances, _find_doubts

    random = np.random.default_rng(0)
    pools = random.normal(size=(6, 3))
    odds = random.dirichlet([1, 1, 1], size=6).astype(np.float32)
    doubts = _find_doubts(odds, task=task)
    gradients = np.einsum("il,iw->ilw", doubts, pools).reshape(6, -1)
    lengths = (gradients**2).sum(axis=1)
    expected = ((gradients - gradients[2]) ** 2).sum(axis=1)
    np.testing.assert_allclose(_distances(doubts, pools, lengths, 2), expected, atol=1e-12)
