"""The sequences of each task are what it says, by a slow look at each of them."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.comparison.tasks.adding import ADDING, TOLERANCE
from training.comparison.tasks.brackets import BRACKETS, draw_nested
from training.comparison.tasks.plan import TASKS
from training.comparison.tasks.recall import DISTRACTORS, RECALL, SYMBOLS
from training.comparison.tasks.task import Drawn, Number, Symbol, Task, draw_lags

LONGEST = 12
SEEDS = st.integers(0, 2**32 - 1)
LAGS = st.lists(st.integers(1, LONGEST), min_size=1, max_size=20)


def draw(task: Task, seed: int, lags: list[int]) -> Drawn:
    return task.draw(np.random.default_rng(seed), np.array(lags), LONGEST)


def read(row: np.ndarray) -> str:
    """Return brackets as they are written, a space where there is none."""
    return "".join("(" if opens else ")" if closes else " " for opens, closes in row)


def is_nested(text: str) -> bool:
    """Take away innermost pairs until there are none."""
    while "()" in text:
        text = text.replace("()", "")
    return not text


@pytest.mark.medium
@given(seed=SEEDS, lags=LAGS)
def test_recall(seed: int, lags: list[int]) -> None:
    inputs, answers = draw(RECALL, seed, lags)
    assert inputs.shape == (len(lags), LONGEST + 1, SYMBOLS + DISTRACTORS)
    for row, answer, lag in zip(inputs, answers, lags, strict=True):
        shown = [list(step).index(1) for step in row]
        assert sum(map(sum, row)) == LONGEST + 1
        asked = [time for time, symbol in enumerate(shown) if symbol < SYMBOLS]
        assert asked == [len(shown) - 1 - lag]
        assert shown[asked[0]] == answer


@pytest.mark.medium
@given(seed=SEEDS, lags=LAGS)
def test_adding(seed: int, lags: list[int]) -> None:
    inputs, answers = draw(ADDING, seed, lags)
    assert inputs.shape == (len(lags), LONGEST + 1, 2)
    for row, answer, lag in zip(inputs, answers, lags, strict=True):
        marked = [time for time, (_, mark) in enumerate(row) if mark == 1]
        assert len(marked) == 2
        assert marked[0] == LONGEST - lag
        assert all(mark in {0, 1} and -1 <= value <= 1 for value, mark in row)
        assert answer == pytest.approx(sum(float(row[time, 0]) for time in marked), abs=1e-6)


@pytest.mark.medium
@given(seed=SEEDS, lags=LAGS)
def test_brackets(seed: int, lags: list[int]) -> None:
    inputs, answers = draw(BRACKETS, seed, lags)
    assert inputs.shape == (len(lags), LONGEST, 2)
    for row, answer, lag in zip(inputs, answers, lags, strict=True):
        text = read(row).lstrip()
        assert len(text) == lag + lag % 2
        assert is_nested(text) == answer
        assert text.count("(") - text.count(")") in ({0} if answer else {-2, 2})


def test_brackets_of_an_odd_number() -> None:
    with pytest.raises(ValueError, match="must be even, not 7"):
        BRACKETS.draw(np.random.default_rng(0), np.array([3]), 7)


def test_all_nested_strings_are_equally_likely() -> None:
    rows = draw_nested(np.random.default_rng(1), count=14_000, length=8)
    found = collections.Counter("".join(" ()"[step] for step in row) for row in rows)
    strings = map("".join, itertools.product("()", repeat=8))
    assert set(found) == set(filter(is_nested, strings))  # 14 of them
    assert max(abs(count - 1_000) for count in found.values()) < 5 * 1_000**0.5


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_chance_is_what_the_best_fixed_answer_gets(task: Task) -> None:
    _, answers = task.draw(np.random.default_rng(1), np.full(20_000, 10), 10)
    fixed = [np.zeros(1)] if isinstance(task.answer, Number) else np.eye(task.answer.outputs)
    got = [
        task.answer.right(np.tile(answer, (len(answers), 1)), answers).mean() for answer in fixed
    ]
    assert max(got) == pytest.approx(task.chance, abs=0.015)
    assert min(got) == pytest.approx(task.chance, abs=0.015)


def test_what_is_right() -> None:
    logits = np.array([[0.1, 0.2], [3.0, -1.0]], np.float32)
    assert Symbol(2).right(logits, np.array([1, 1], np.int32)).tolist() == [True, False]
    sums = np.array([[0.15], [0.17], [np.nan]], np.float32)
    assert Number(TOLERANCE).right(sums, np.zeros(3, np.float32)).tolist() == [True, False, False]


@given(seed=SEEDS, longest=st.integers(1, 300))
def test_lags_are_within_bounds(seed: int, longest: int) -> None:
    drawn = draw_lags(np.random.default_rng(seed), count=50, longest=longest)
    assert ((drawn >= 1) & (drawn <= longest)).all()


def test_short_lags_are_as_many_as_long_ones() -> None:
    drawn = draw_lags(np.random.default_rng(1), count=20_000, longest=255)
    assert np.mean(drawn < 16) == pytest.approx(0.5, abs=0.02)
    assert drawn.max() == 255
