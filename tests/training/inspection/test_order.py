"""Lone labels that break the order of a sorted split are found, and nothing else."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.inspection.made_up_texts import make_table
from training.inspection.order import SIDE, Order, find_order, name_sorted
from training.inspection.table import Table


def table_of(**labels: Sequence[int]) -> Table:
    texts = {split: ["text"] * len(rows) for split, rows in labels.items()}
    return make_table(texts, labels, classes=20)


def order_of(**labels: Sequence[int]) -> Order:
    table = table_of(**labels)
    return find_order(table, usable=np.ones(len(table.texts), bool))


def breaks_of(labels: Sequence[int]) -> list[int] | None:
    """Return the rows that break the order of a split, None where it has no order."""
    order = order_of(train=labels)
    return np.flatnonzero(order.broken).tolist() if order.splits else None


def runs_of(*lengths: int) -> list[int]:
    """Return labels in runs, each of another class."""
    return [label for label, length in enumerate(lengths) for _ in range(length)]


@given(st.lists(st.integers(60, 200), min_size=2, max_size=6))
def test_a_sorted_split_has_order_and_no_row_breaks_it(lengths: list[int]) -> None:
    assert breaks_of(runs_of(*lengths)) == []


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.1, 0.02]), st.integers(0, 4000))
def test_a_shuffled_split_has_no_order(seed: int, share: float, rows: int) -> None:
    draw = np.random.default_rng(seed)
    assert breaks_of(np.where(draw.random(rows) < share, 1, 0).tolist()) is None


@pytest.mark.parametrize(
    "labels",
    [[], [0], [0, 1], runs_of(40, 40), runs_of(500), [0, 1] * 200, [0] * 990 + [1] * 10],
    ids=["empty", "one row", "two rows", "few", "one class", "alternating", "a rare class"],
)
def test_too_little_to_speak_of_order(labels: list[int]) -> None:
    assert breaks_of(labels) is None


@pytest.mark.medium
@given(st.data())
def test_lone_labels_are_found_exactly(data: st.DataObject) -> None:
    """Wherever they stand, if no border, no end and no other one is among their neighbours."""
    lengths = data.draw(st.lists(st.integers(150, 300), min_size=2, max_size=4))
    labels, clean = runs_of(*lengths), runs_of(*lengths)
    borders = [0, *np.cumsum(lengths).tolist()]
    free = [row for row in range(len(labels)) if min(abs(row - b) for b in borders) > SIDE]
    chosen = data.draw(st.sets(st.sampled_from(free[:: SIDE + 1]), max_size=len(labels) // 100))
    for row in chosen:
        labels[row] = (clean[row] + data.draw(st.integers(1, 19))) % 20
    order = order_of(train=labels)
    assert set(np.flatnonzero(order.broken).tolist()) == chosen
    assert all(order.expected[row] == clean[row] for row in chosen)


@pytest.mark.parametrize("other", [1, 2])
def test_two_wrong_labels_side_by_side(other: int) -> None:
    labels = runs_of(300, 300)
    labels[100], labels[101] = 1, other
    assert breaks_of(labels) == [100, 101]


def test_a_short_run_is_no_mistake() -> None:
    assert breaks_of([0] * 100 + [1] * 3 + [0] * 200 + [1] * 300) == []


@pytest.mark.parametrize("between", [1, 2, 3])
def test_a_class_of_few_rows_between_two_others_is_no_mistake(between: int) -> None:
    assert breaks_of(runs_of(300, between, 300)) == []


def test_next_to_a_border_nothing_is_told() -> None:
    for row in range(300 - 2, 300 + 2):
        labels = runs_of(300, 300)
        labels[row] = 1 - labels[row]
        assert breaks_of(labels) == []


def test_before_a_border_nine_neighbours_of_ten_are_enough() -> None:
    labels = runs_of(300, 300)
    labels[300 - SIDE] = 1
    assert breaks_of(labels) == [300 - SIDE]


def test_the_ends_are_not_judged() -> None:
    labels = runs_of(300, 300)
    labels[0] = labels[SIDE - 1] = 1
    labels[-1] = labels[-SIDE] = 0
    assert breaks_of(labels) == []


@given(st.integers(0, 2**32 - 1))
def test_rows_added_in_any_order_are_not_suspected(seed: int) -> None:
    draw = np.random.default_rng(seed)
    tail = draw.integers(0, 2, 150).tolist()
    labels = runs_of(700, 700) + tail
    labels[200], labels[1000] = 1, 0
    breaks = breaks_of(labels)
    assert breaks is not None
    assert {200, 1000} <= set(breaks)
    assert len(breaks) <= 3


@pytest.mark.parametrize("length", [6, 12, 20, 40])
@pytest.mark.parametrize("classes", [2, 4])
def test_streaks_are_no_order(length: int, classes: int) -> None:
    """Rows by author or by day: neighbours are alike, and lone rows are not wrong."""
    draw = np.random.default_rng(0)
    change = (draw.random(10_000) < 1 / length) * draw.integers(1, classes, 10_000)
    assert breaks_of((np.cumsum(change) % classes).tolist()) is None


def test_rare_classes_of_a_sorted_split_are_no_streaks() -> None:
    labels = runs_of(300, 200, 100, 60, 40, *range(10, 1, -1))
    labels[100] = 1
    assert breaks_of(labels) == [100]


def test_many_exceptions_are_no_order() -> None:
    labels = runs_of(1000, 1000)
    for row in range(10, 1990, 40):
        labels[row] = 1 - labels[row]
    assert breaks_of(labels) is None


def test_rows_without_text_or_label_are_passed_over() -> None:
    labels = runs_of(300, 300)
    labels[100] = 1
    labels[98] = labels[103] = 1  # without text
    labels[95:98] = labels[104:107] = [-1] * 3
    labels += [row % 2 for row in range(100)]  # without text
    table = table_of(train=labels)
    usable = np.ones(len(labels), bool)
    usable[[98, 103]] = usable[600:] = False
    order = find_order(table, usable=usable)
    assert np.flatnonzero(order.broken).tolist() == [100]


def test_splits_are_judged_by_themselves() -> None:
    sorted_labels = runs_of(300, 300)
    sorted_labels[50] = 1
    order = order_of(train=[0, 1] * 100, test=sorted_labels, other=runs_of(200, 200))
    assert order.splits == ("test", "other")
    table = table_of(train=[0, 1] * 100, test=sorted_labels, other=runs_of(200, 200))
    test, other = name_sorted(order, table)
    assert (test.split, test.breaks) == ("test", (50,))
    assert (other.split, other.breaks) == ("other", ())


def test_nothing_is_said_of_several_labels() -> None:
    labels = [[1, 0, 0]] * 300 + [[0, 1, 0]] * 300
    order = find_order(
        make_table({"train": ["text"] * 600}, {"train": labels}), usable=np.ones(600, bool)
    )
    assert order.splits == ()
    assert not order.broken.any()
