"""Each epoch holds every row once, in batches of like length, in an order that the seed decides."""

import numpy as np
import pytest

from models.tokenizer import PAD
from training.fitting.batches import Examples, LengthBatches


def make_examples(lengths: list[int]) -> Examples:
    """Return rows that can be told apart: row r holds the id r + 1 throughout, its targets are r
    and 1."""
    ids = [np.full(length, row + 1, np.int32) for row, length in enumerate(lengths)]
    rows = np.arange(len(lengths), dtype=np.float32)
    return Examples(ids, np.stack([rows, np.ones_like(rows)], axis=1))


def random_lengths(rows: int, *, longest: int = 200) -> list[int]:
    return np.random.default_rng(0).integers(0, longest, rows).tolist()


def test_counts() -> None:
    examples = make_examples([3, 0, 5])
    assert len(examples) == 3
    assert examples.tokens == 8
    assert examples.lengths.tolist() == [3, 0, 5]


@pytest.mark.parametrize(
    ("rows", "size", "batches"), [(1, 64, 1), (64, 64, 1), (65, 64, 2), (10, 3, 4), (7, 1, 7)]
)
def test_number_of_batches(rows: int, size: int, batches: int) -> None:
    plan = LengthBatches(make_examples(random_lengths(rows)), size=size, seed=0)
    assert len(plan) == batches
    assert len(list(plan.epoch(0))) == batches


@pytest.mark.parametrize("rows", [1, 17, 1_000])
def test_every_row_once_with_its_targets(rows: int) -> None:
    lengths = random_lengths(rows)
    plan = LengthBatches(make_examples(lengths), size=4, seed=0)
    seen: list[int] = []
    for ids, targets in plan.epoch(3):
        assert (ids.dtype, targets.dtype) == (np.int32, np.float32)
        assert targets.shape == (len(ids), 2)
        assert len(ids) <= 4
        for row, (number, one) in zip(ids, targets, strict=True):
            length = lengths[int(number)]
            assert (row[:length] == number + 1).all()
            assert (row[length:] == PAD).all()
            assert one == 1
        seen += targets[:, 0].tolist()
    assert sorted(seen) == list(range(rows))


def test_a_batch_is_as_wide_as_its_longest_row() -> None:
    plan = LengthBatches(make_examples(random_lengths(500)), size=16, seed=0)
    for ids, _ in plan.epoch(0):
        assert (ids[:, -1] != PAD).any()


def test_empty_rows_give_one_column() -> None:
    ids, _ = next(LengthBatches(make_examples([0, 0]), size=2, seed=0).epoch(0))
    assert ids.tolist() == [[PAD], [PAD]]


def test_order_depends_on_seed_and_epoch_alone() -> None:
    examples = make_examples(random_lengths(300))

    def order(*, seed: int, epoch: int) -> list[int]:
        batches = LengthBatches(examples, size=8, seed=seed).epoch(epoch)
        return [number for _, targets in batches for number in targets[:, 0].tolist()]

    first = order(seed=1, epoch=0)
    assert first == order(seed=1, epoch=0)
    assert first != order(seed=1, epoch=1)
    assert first != order(seed=2, epoch=0)


def test_little_padding() -> None:
    examples = make_examples(random_lengths(5_000))
    plan = LengthBatches(examples, size=32, seed=0)
    widths = np.mean([ids.shape[1] for ids, _ in plan.epoch(0)])
    assert plan.padding(0) < 0.05
    assert widths < 120  # at random they would all be close to 200


def test_padding_is_the_share_of_positions() -> None:
    assert LengthBatches(make_examples([1, 3]), size=2, seed=0).padding(0) == pytest.approx(2 / 6)
    assert LengthBatches(make_examples([2, 2]), size=2, seed=0).padding(0) == 0
    assert LengthBatches(make_examples([0]), size=2, seed=0).padding(0) == 1


def test_batches_of_an_epoch_are_not_sorted_by_length() -> None:
    plan = LengthBatches(make_examples(random_lengths(400)), size=8, seed=0)
    widths = [ids.shape[1] for ids, _ in plan.epoch(0)]
    assert abs(np.mean(widths[:25]) - np.mean(widths[25:])) < 50  # sorted it would be 100
