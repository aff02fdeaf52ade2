"""A point says how well a task was learned; the same call says the same."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.cells import CELLS
from training.comparison.tasks.plan import TASKS
from training.comparison.tasks.task import Drawn, Lags, Symbol, Task

if TYPE_CHECKING:
    from training.comparison.tasks.point import Point

pytestmark = pytest.mark.tensorflow  # which the module imports


def draw_easy(random: np.random.Generator, lags: Lags, longest: int) -> Drawn:
    """Ask whether the last number is above zero."""
    values = random.uniform(-1, 1, (len(lags), longest + 1, 1)).astype(np.float32)
    return Drawn(values, (values[:, -1, 0] > 0).astype(np.int32))


def draw_guesses(random: np.random.Generator, lags: Lags, longest: int) -> Drawn:
    """Ask what nobody can know."""
    return Drawn(
        draw_easy(random, lags, longest).inputs, random.integers(0, 2, len(lags), np.int32)
    )


def draw_broken(random: np.random.Generator, lags: Lags, longest: int) -> Drawn:
    """Show what is no number."""
    drawn = draw_easy(random, lags, longest)
    return Drawn(np.full_like(drawn.inputs, np.nan), drawn.answers)


def make(draw: Any) -> Task:
    return Task(
        name="toy",
        about="A toy.",
        source="none",
        features=1,
        answer=Symbol(2),
        chance=0.5,
        lags=(3,),
        draw=draw,
    )


def run(task: Task, **options: Any) -> "Point":
    import tensorflow as tf

    from training.comparison.tasks.point import run_point

    tf.config.experimental.enable_op_determinism()
    return run_point(task, **({"cell": "gru", "lag": 3, "seed": 1} | options))


@pytest.fixture
def short_rounds(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trace nothing, and check after every few steps."""
    from training.comparison.tasks import point

    monkeypatch.setattr(point, "ROUND", 5)


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_what_can_be_learned_is_learned(cell: str) -> None:
    point = run(make(draw_easy), cell=cell)
    assert (point.task, point.cell, point.lag, point.seed) == ("toy", cell, 3, 1)
    assert point.solved
    assert not point.failed
    assert point.accuracy > 0.97
    assert 0 < point.steps < 1_000
    assert point.seconds > 0


@pytest.mark.usefixtures("short_rounds")
def test_what_cannot_be_learned_ends_at_the_last_step() -> None:
    seen: list[int] = []
    point = run(
        make(draw_guesses), cell="rnn", steps=7, watch=lambda steps, accuracy: seen.append(steps)
    )
    assert (point.steps, point.solved, point.failed) == (7, False, False)
    assert point.accuracy == pytest.approx(0.5, abs=0.1)
    assert seen == [5, 7]


@pytest.mark.usefixtures("short_rounds")
def test_what_is_no_number_any_more_has_failed() -> None:
    point = run(make(draw_broken), cell="rnn")
    assert (point.steps, point.solved, point.failed, point.accuracy) == (5, False, True, 0.0)


def test_the_answer_can_be_a_number() -> None:
    point = run(TASKS["adding"], cell="rnn", lag=2, steps=300)
    assert point.accuracy > 2 * TASKS["adding"].chance


@pytest.mark.slow
def test_a_point_is_the_same_again_whatever_was_before() -> None:
    def measure(seed: int) -> tuple["Point", list[float]]:
        seen: list[float] = []
        point = run(
            TASKS["adding"],
            cell="rnn",
            seed=seed,
            steps=60,
            watch=lambda _, share: seen.append(share),
        )
        return dataclasses.replace(point, seconds=0), seen

    first, other, again = measure(1), measure(2), measure(1)
    assert first == again
    assert other[1] != first[1]


@pytest.mark.usefixtures("short_rounds")
def test_who_watches_may_end_it() -> None:
    def stop(steps: int, accuracy: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make(draw_guesses), cell="rnn", watch=stop)


@pytest.mark.usefixtures("short_rounds")
def test_all_cells_learn_from_the_same_sequences() -> None:
    drawn: dict[str, list[np.ndarray]] = {}
    for cell in ("rnn", "gru"):
        kept = drawn.setdefault(cell, [])

        def spy(random: np.random.Generator, lags: Lags, longest: int, kept: Any = kept) -> Drawn:
            sequences = draw_guesses(random, lags, longest)
            kept.append(sequences.inputs)
            return sequences

        run(make(spy), cell=cell, steps=10)
    for mine, yours in zip(drawn["rnn"], drawn["gru"], strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_what_is_judged_was_not_learned_from() -> None:
    from training.comparison.tasks.point import draw_fixed

    check, test, again = (
        draw_fixed(TASKS["recall"], purpose, count=5, lag=10)
        for purpose in ("check", "test", "test")
    )
    np.testing.assert_array_equal(test.inputs, again.inputs)
    assert (check.inputs != test.inputs).any()
