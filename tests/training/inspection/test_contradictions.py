"""Texts with different labels are found with all their rows."""

import numpy as np

from tests.training.inspection.made_up_texts import exchange, make_table, make_texts
from training.inspection.contradictions import agree_with_twins, find_contradictions
from training.inspection.duplicates import find_duplicates
from training.inspection.table import Table
from training.inspection.words import read_words

A, B, C = make_texts(3)
NEAR_A = exchange(A, place=4, word="other")


def contradictions(table: Table) -> list[list[tuple[str, int, tuple[str, ...]]]]:
    found = find_contradictions(find_duplicates(read_words(table.texts)), table)
    return [
        [(row.place.split, row.place.row, row.labels) for row in contradiction.rows]
        for contradiction in found
    ]


def agreement(table: Table) -> list[float]:
    return agree_with_twins(find_duplicates(read_words(table.texts)), table).tolist()


def test_the_same_text_across_splits() -> None:
    table = make_table(
        {"train": [A, B, A], "test": [C, A.title()]}, {"train": [0, 1, 0], "test": [1, 1]}
    )
    assert contradictions(table) == [
        [("train", 0, ("class 0",)), ("train", 2, ("class 0",)), ("test", 1, ("class 1",))]
    ]


def test_nearly_the_same_text_once() -> None:
    table = make_table({"train": [A, B, NEAR_A]}, {"train": [0, 1, 1]})
    assert contradictions(table) == [[("train", 0, ("class 0",)), ("train", 2, ("class 1",))]]


def test_equal_labels_are_none() -> None:
    table = make_table({"train": [A, A, NEAR_A, B]}, {"train": [1, 1, 1, 0]})
    assert contradictions(table) == []


def test_rows_without_label_or_text_are_none() -> None:
    table = make_table({"train": [A, A, NEAR_A, "", ""]}, {"train": [-1, 1, 1, 0, 1]})
    assert contradictions(table) == []


def test_several_labels() -> None:
    table = make_table(
        {"train": [A, A, B, B]}, {"train": [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]}
    )
    assert contradictions(table) == [
        [("train", 0, ("class 0", "class 1")), ("train", 1, ("class 0",))]
    ]


def test_no_label_is_not_the_same_as_none_of_them() -> None:
    table = make_table({"train": [A, A]}, {"train": [[-1, -1, -1], [0, 0, 0]]})
    assert contradictions(table) == []


def test_share_that_agrees() -> None:
    table = make_table({"train": [A, A, NEAR_A, B, C, C, ""]}, {"train": [0, 0, 1, 1, -1, 2, 0]})
    expected = [2 / 3, 2 / 3, 1 / 3, 1, 1, 1, 1]
    np.testing.assert_allclose(agreement(table), expected)
