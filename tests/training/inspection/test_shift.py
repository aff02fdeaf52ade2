"""A split that comes from elsewhere is found with its words, and no other is."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from training.inspection.alarms import find_alarms
from training.inspection.doctor import quick_findings
from training.inspection.findings import Shift
from training.inspection.shift import find_shift
from training.inspection.table import Table

WORDS = [f"word{number}" for number in range(400)]


def write(
    rows: int, *, seed: int, length: int = 12, change: Callable[[int], str] = str
) -> list[str]:
    """Return texts of words of one frequency; `change` returns what follows in each row."""
    draw = random.Random(seed)
    weights = [1 / (place + 3) for place in range(len(WORDS))]
    return [" ".join([*draw.choices(WORDS, weights, k=length), change(row)]) for row in range(rows)]


def compare(train: list[str], test: list[str]) -> Shift:
    texts = {"train": train, "test": test}
    labels = {split: np.arange(len(found), dtype=np.int32) % 2 for split, found in texts.items()}
    (shift,) = find_shift(Table.join(texts, labels=labels, classes=("a", "b")))
    return shift


def alarms(train: list[str], test: list[str]) -> list[str]:
    texts = {"train": train, "test": test}
    labels = {split: np.arange(len(found), dtype=np.int32) % 2 for split, found in texts.items()}
    found = quick_findings(texts, labels=labels, classes=("a", "b"))
    return [alarm for alarm in find_alarms(found) if "comes from elsewhere" in alarm]


def nothing(_row: int) -> str:
    return ""


@pytest.mark.parametrize("share", [5, 3, 2])
def test_planted_words_are_found(share: int) -> None:
    test = write(600, seed=2, change=lambda row: "invoice refund" if row % share == 0 else "")
    train = write(900, seed=1, change=nothing)
    found = compare(train, test)
    assert {moved.word for moved in found.words} == {"invoice", "refund"}
    assert found.words[0].split == pytest.approx(1 / share, abs=0.01)
    assert found.words[0].train == 0
    assert found.low > 0.5
    (alarm,) = alarms(train, test)
    assert "'invoice' in " in alarm


def test_words_that_are_missing_are_found_too() -> None:
    train = write(600, seed=1, change=lambda row: "refund" if row % 2 else "")
    found = compare(train, write(600, seed=2, change=nothing))
    assert [moved.word for moved in found.words] == ["refund"]


def test_other_texts_altogether() -> None:
    other = [text.replace("word", "other") for text in write(500, seed=3, change=nothing)]
    assert compare(write(500, seed=1, change=nothing), other).low > 0.99


@pytest.mark.parametrize("seed", range(4))
def test_one_source_is_no_shift(seed: int) -> None:
    train = write(700, seed=10 + seed, change=nothing)
    test = write(500, seed=20 + seed, change=nothing)
    found = compare(train, test)
    assert found.words == ()
    assert found.low < 0.56
    assert alarms(train, test) == []


def test_longer_texts_are_no_shift() -> None:
    test = write(500, seed=2, length=40, change=nothing)
    assert alarms(write(700, seed=1, change=nothing), test) == []


def test_markup_is_no_language() -> None:
    test = write(500, seed=2, change=lambda _row: '<br /><a href="x">!!</a>')
    assert alarms(write(700, seed=1, change=nothing), test) == []


def test_few_rows_are_not_compared() -> None:
    texts = {"train": write(500, seed=1), "test": write(49, seed=2)}
    labels = {split: np.zeros(len(found), np.int32) for split, found in texts.items()}
    assert find_shift(Table.join(texts, labels=labels, classes=("a",))) == ()
