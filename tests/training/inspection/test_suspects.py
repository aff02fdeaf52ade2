"""Planted wrong labels come first."""

import random

import numpy as np
import pytest

from tests.training.inspection.made_up_texts import make_opinions, make_table
from training.inspection import suspects
from training.inspection.findings import Suspicion
from training.inspection.suspects import find_suspects
from training.inspection.table import Table
from training.inspection.words import read_words


def suspicion_of(
    table: Table, *, agreement: list[float] | None = None, expected: dict[int, int] | None = None
) -> Suspicion | None:
    """Return the suspects, given the labels that the order of the rows lets expect, by row."""
    share = np.ones(len(table.texts)) if agreement is None else np.array(agreement)
    usual = np.full(len(table.texts), -1)
    for row, label in (expected or {}).items():
        usual[row] = label
    words = read_words(table.texts)
    return find_suspects(table, words, agreement=share, expected=usual, seed=1)


def rows_of(suspicion: Suspicion | None) -> list[int]:
    assert suspicion is not None
    return [suspect.place.row for suspect in suspicion.suspects]


@pytest.mark.parametrize("pieces_limit", [0, 10**9])
def test_flipped_labels_come_first(monkeypatch: pytest.MonkeyPatch, pieces_limit: int) -> None:
    monkeypatch.setattr(suspects, "PIECES_LIMIT", pieces_limit)
    texts, labels = make_opinions(600)
    flipped = set(random.Random(1).sample(range(600), 12))
    given = [1 - label if row in flipped else label for row, label in enumerate(labels)]
    suspicion = suspicion_of(make_table({"train": texts}, {"train": given}, classes=2))
    assert set(rows_of(suspicion)[:12]) == flipped
    assert suspicion is not None
    assert suspicion.judged == 600
    assert suspicion.accuracy == pytest.approx(588 / 600, abs=0.01)
    for suspect in suspicion.suspects[:12]:
        assert suspect.given == (f"class {given[suspect.place.row]}",)
        assert suspect.proposed == (f"class {labels[suspect.place.row]}",)
        assert suspect.probability < 0.5


@pytest.mark.medium
def test_three_classes_one_of_them_rare() -> None:
    texts, labels = make_opinions(500)
    texts += [f"{text} rare sign" for text in texts[:30]]
    labels += [2] * 30
    given = [*labels]
    given[3], given[510] = 2, labels[3]
    table = make_table({"train": texts}, {"train": given})
    suspicion = suspicion_of(table)
    assert set(rows_of(suspicion)[:2]) == {3, 510}
    assert suspicion is not None
    proposed = {suspect.place.row: suspect.proposed for suspect in suspicion.suspects[:2]}
    assert proposed == {3: (f"class {labels[3]}",), 510: ("class 2",)}


def test_several_labels() -> None:
    texts, labels = make_opinions(500)
    given = [[label, 1 - label, 0] for label in labels]
    given[7] = [1, 1, 0]
    given[9] = [0, 0, 0]
    suspicion = suspicion_of(make_table({"train": texts}, {"train": given}))
    assert suspicion is not None
    found = {suspect.place.row: suspect for suspect in suspicion.suspects[:2]}
    right = {row: (f"class {1 - labels[row]}",) for row in (7, 9)}
    assert {row: suspect.proposed for row, suspect in found.items()} == right
    assert found[7].given == ("class 0", "class 1")
    assert found[9].given == ()


def test_twins_with_another_label_add_to_the_doubt() -> None:
    texts, labels = make_opinions(300)
    table = make_table({"train": texts}, {"train": labels}, classes=2)
    agreement = [1.0] * 300
    agreement[5] = 1e-4
    assert rows_of(suspicion_of(table, agreement=agreement))[0] == 5


def test_rows_that_break_the_order_come_first() -> None:
    """The text may speak for the label of such a row, and of another class than the neighbours."""
    texts, labels = make_opinions(400)
    given = [*labels]
    given[7], given[9] = 1 - labels[7], 1 - labels[9]
    table = make_table({"train": texts}, {"train": given})
    suspicion = suspicion_of(table, expected={5: 2, 9: labels[9]})
    assert rows_of(suspicion)[:3] == [9, 5, 7]
    assert len(set(rows_of(suspicion))) == len(rows_of(suspicion))
    assert suspicion is not None
    assert [suspect.reason for suspect in suspicion.suspects[:3]] == ["order", "order", "text"]
    assert suspicion.suspects[1].proposed == ("class 2",)
    assert suspicion.suspects[1].probability > 0.5


def test_the_order_adds_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "MOST", 20)
    texts, labels = make_opinions(400)
    table = make_table({"train": texts}, {"train": labels}, classes=2)
    suspicion = suspicion_of(table, expected={row: 1 - labels[row] for row in range(30)})
    assert suspicion is not None
    assert [suspect.reason for suspect in suspicion.suspects] == ["order"] * 20


def test_rows_without_text_or_label_are_not_judged() -> None:
    texts, labels = make_opinions(200)
    texts[3], labels[4] = " ", -1
    suspicion = suspicion_of(make_table({"train": texts}, {"train": labels}, classes=2))
    assert suspicion is not None
    assert suspicion.judged == 198


def test_rows_of_all_splits_are_judged() -> None:
    texts, labels = make_opinions(400)
    labels[350] = 1 - labels[350]
    table = make_table(
        {"train": texts[:300], "test": texts[300:]},
        {"train": labels[:300], "test": labels[300:]},
        classes=2,
    )
    suspicion = suspicion_of(table)
    assert suspicion is not None
    place = suspicion.suspects[0].place
    assert (place.split, place.row) == ("test", 50)


@pytest.mark.medium
def test_a_seed_gives_one_answer() -> None:
    texts, labels = make_opinions(300)
    table = make_table({"train": texts}, {"train": labels}, classes=2)
    assert suspicion_of(table) == suspicion_of(table)


@pytest.mark.parametrize(
    "labels",
    [[0] * 40, [0] * 31 + [1] * 9, [-1] * 40, [[0, 0, 0]] * 40, [[1, 0, 0]] * 9 + [[0, 1, 0]] * 9],
)
def test_too_few_rows_to_judge(labels: list[int]) -> None:
    texts, _ = make_opinions(len(labels))
    assert suspicion_of(make_table({"train": texts}, {"train": labels})) is None


def test_a_label_that_all_rows_have() -> None:
    texts, labels = make_opinions(100)
    table = make_table({"train": texts}, {"train": [[1, label, 0] for label in labels]})
    assert suspicion_of(table) is not None
