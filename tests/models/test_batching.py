from hypothesis import given
from hypothesis import strategies as st

from models.batching import BATCH_POSITIONS, BATCH_TEXTS, pad, plan_batches


def test_pad_fills_on_the_right() -> None:
    assert pad([[5], [6, 7, 8], []]).tolist() == [[5, 0, 0], [6, 7, 8], [0, 0, 0]]


def test_pad_is_never_without_columns() -> None:
    assert pad([[], []]).shape == (2, 1)
    assert pad([]).shape == (0, 1)


@given(st.lists(st.integers(0, 20_000), max_size=200))
def test_every_row_is_in_one_batch_and_batches_are_bounded(lengths: list[int]) -> None:
    batches = list(plan_batches(lengths))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = lengths[batch[-1]]
        assert longest == max(lengths[row] for row in batch)
        assert len(batch) <= BATCH_TEXTS
        assert len(batch) == 1 or len(batch) * longest <= BATCH_POSITIONS


def test_like_lengths_go_together() -> None:
    lengths = [5, 4_000, 5, 4_000]
    assert next(plan_batches(lengths))[:2] == [0, 2]
