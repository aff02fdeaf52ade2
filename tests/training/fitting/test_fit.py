"""A fit ends with its best epoch, and wherever it is stopped it goes on as if it had not been."""

import math
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.training.interruptions import finish_in_pieces
from training.errors import TrainingError
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer
from training.settings import FitSettings, NetworkSettings
from training.workspace import checkpoint
from training.workspace.checkpoint import Checkpoint
from training.workspace.interrupt import Interrupted

if TYPE_CHECKING:
    from training.fitting.course import Fitted

pytestmark = pytest.mark.tensorflow  # which the module imports

ROWS, BATCH, VOCABULARY = 8, 4, 20
BATCHES, EPOCHS = 2, 3
STEPS = EPOCHS * BATCHES

Call = Callable[..., Any]


class Killed(Exception):
    """Stands for a power cut."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.npz"


def figures(score: float) -> dict[str, float]:
    return {"accuracy": 0.5, "macro_f1": 0.5, "log_loss": 1.0, "score": score, "noise": 0.01}


def judge_logits(logits: np.ndarray) -> dict[str, float]:
    """Judge by a figure that depends on every bit of the logits."""
    return figures(float(np.sin(1e4 * logits.sum())))


def recite(scores: list[float]) -> Call:
    """Return a judge that gives these scores in turn."""
    rest = iter(scores)
    return lambda _: figures(next(rest))


def on_call(number: int, act: Callable[[], Any], function: Call) -> Call:
    """Return `function`, which does something else too when it is called for that time."""
    calls = 0

    def wrapped(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            act()
        return function(*arguments)

    return wrapped


def die() -> None:
    raise Killed


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def mean_loss(targets: Any, logits: Any) -> Any:
    from training.fitting.objective import make_loss

    return make_loss(np.ones(3, np.float32), task="multi_label")(targets, logits)


def run(
    path: Path,
    *,
    judge: Call = judge_logits,
    loss: Call = mean_loss,
    epochs: int | None = EPOCHS,
    batch: int = BATCH,
    patience: int = EPOCHS,
    adversarial: float = 0.0,
    observers: Sequence[Observer] = (),
) -> "Fitted":
    """Fit a tiny network that draws random numbers; go on from the checkpoint if there is one."""
    import keras
    import tensorflow as tf

    from training.fitting.batches import Examples
    from training.fitting.fit import fit
    from training.fitting.objective import Objective
    from training.network.build import build_network

    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    random = np.random.default_rng(0)
    ids = [random.integers(2, VOCABULARY, 1 + row % 3).astype(np.int32) for row in range(ROWS)]
    targets = random.integers(0, 2, (ROWS, 3)).astype(np.float32)
    shape = NetworkSettings(cell="gru", units=3, embedding=4, dropout=0.5, word_dropout=0.5)
    return fit(
        build_network(shape, vocabulary=VOCABULARY, labels=3, seed=1),
        Examples(ids, targets),
        ids[:5],
        objective=Objective("multi_label", loss, judge),
        settings=FitSettings(
            epochs=epochs,
            patience=patience,
            batch=batch,
            learning_rate=0.05,
            adversarial=adversarial,
        ),
        seed=1,
        checkpoint=Checkpoint(path, identity={}, resume=True),
        observers=observers,
    )


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]


def assert_same(one: "Fitted", other: "Fitted") -> None:
    for mine, yours in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, yours)
    mine, yours = one.course, other.course
    assert without_times(mine.history) == without_times(yours.history)
    assert (mine.epoch, mine.best_epoch) == (yours.epoch, yours.best_epoch)
    assert mine.best_score == yours.best_score
    assert one.padding == other.padding


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> "Fitted":
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    fitted = run(tmp_path_factory.mktemp("undisturbed") / "checkpoint.npz")
    tf.config.run_functions_eagerly(False)
    return fitted


class Heard(Observer):
    """Notes what it hears; raises where a test wants it to.

    Args:
        fails_at: The number of the call from which it raises.
    """

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self._fails_at = fails_at

    def begin(self, plan: FitPlan) -> None:
        self._hear("begin", plan)

    def add_step(self, step: FitStep) -> None:
        self._hear("step", step)

    def add_epoch(self, epoch: FitEpoch) -> None:
        self._hear("epoch", epoch)

    def end(self) -> None:
        self.calls.append(("end", None))

    def _hear(self, name: str, told: Any) -> None:
        self.calls.append((name, told))
        if len(self.calls) == self._fails_at:
            raise Killed

    @property
    def names(self) -> list[str]:
        """What was called."""
        return [name for name, _ in self.calls]

    @property
    def plan(self) -> FitPlan:
        """What the fit had to do."""
        return next(told for name, told in self.calls if name == "begin")

    @property
    def steps(self) -> list[FitStep]:
        return [told for name, told in self.calls if name == "step"]


@pytest.mark.usefixtures("eager")
class TestStopped:
    def in_pieces(self, path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> "Fitted":
        """Fit one step at a time."""
        from training.fitting import fit

        return finish_in_pieces(lambda: run(path, **options), fit, monkeypatch=monkeypatch)

    def test_after_every_step(self, undisturbed: "Fitted", path: Path, monkeypatch) -> None:
        assert undisturbed.course.epoch == EPOCHS
        assert_same(self.in_pieces(path, monkeypatch), undisturbed)

    def test_with_texts_that_are_moved(self, path: Path, monkeypatch) -> None:
        options = {"adversarial": 0.3, "epochs": 2}
        expected = run(path.with_name("undisturbed.npz"), **options)
        assert_same(self.in_pieces(path, monkeypatch, **options), expected)

    def test_while_it_waits_for_a_better_epoch(self, path: Path, monkeypatch) -> None:
        scores, options = [0.5, 0.9, 0.8, 0.9], {"patience": 2, "epochs": 9, "batch": ROWS}
        expected = run(path.with_name("undisturbed.npz"), judge=recite(scores), **options)
        assert (expected.course.epoch, expected.course.best_epoch) == (4, 2)
        found = self.in_pieces(path, monkeypatch, judge=recite(scores), **options)
        assert_same(found, expected)

    @pytest.mark.parametrize("between", [0, 1e9], ids=["saving every step", "every epoch"])
    @pytest.mark.parametrize("step", [1, BATCHES + 2, STEPS])
    def test_by_a_power_cut(
        self, step: int, between: float, undisturbed: "Fitted", path: Path, monkeypatch
    ) -> None:
        monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", between)
        with pytest.raises(Killed):
            run(path, loss=on_call(step, die, mean_loss))
        assert_same(run(path), undisturbed)

    @pytest.mark.parametrize("epoch", [1, EPOCHS])
    def test_by_a_power_cut_in_validation(
        self, epoch: int, undisturbed: "Fitted", path: Path
    ) -> None:
        with pytest.raises(Killed):
            run(path, judge=on_call(epoch, die, judge_logits))
        assert_same(run(path), undisturbed)

    @pytest.mark.parametrize("step", [2, STEPS])
    def test_by_ctrl_c(self, step: int, undisturbed: "Fitted", path: Path) -> None:
        steps: list[int] = []
        count = on_call(step, press_ctrl_c, lambda *given: steps.append(1) or mean_loss(*given))
        with pytest.raises(Interrupted) as caught:
            run(path, loss=count)
        assert caught.value.number == signal.SIGINT
        assert len(steps) == step  # which is finished
        assert_same(run(path), undisturbed)

    @pytest.mark.parametrize("epoch", [1, EPOCHS])
    def test_by_ctrl_c_in_validation(self, epoch: int, undisturbed: "Fitted", path: Path) -> None:
        with pytest.raises(Interrupted):
            run(path, judge=on_call(epoch, press_ctrl_c, judge_logits))
        assert_same(run(path), undisturbed)

    def test_when_it_was_over(self, undisturbed: "Fitted", path: Path) -> None:
        run(path)
        heard = Heard()
        found = run(path, loss=on_call(1, die, mean_loss), observers=[heard])
        assert_same(found, undisturbed)
        assert heard.plan.resumed
        assert heard.plan.over
        assert heard.names == ["begin", "end"]

    def test_when_patience_was_over(self, path: Path) -> None:
        options = {"patience": 1, "epochs": 9}
        assert run(path, judge=recite([0.5, 0.4]), **options).course.epoch == 2
        heard = Heard()
        run(path, loss=on_call(1, die, mean_loss), observers=[heard], **options)
        assert heard.plan == FitPlan(epochs=9, batches=BATCHES, done_epochs=2, over=True)


@pytest.mark.usefixtures("eager")
class TestObservers:
    def test_hear_of_steps_and_epochs_in_order(self, path: Path) -> None:
        heard = Heard()
        fitted = run(path, observers=[heard])
        assert heard.names == ["begin", *([*["step"] * BATCHES, "epoch"] * EPOCHS), "end"]
        assert heard.plan == FitPlan(epochs=EPOCHS, batches=BATCHES)
        assert not heard.plan.resumed
        places = [(step.number, step.epoch, step.batch) for step in heard.steps]
        assert places == [(1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 2, 2), (5, 3, 1), (6, 3, 2)]
        epochs = [told for name, told in heard.calls if name == "epoch"]
        assert [epoch.number for epoch in epochs] == [1, 2, 3]
        assert [epoch.figures for epoch in epochs] == fitted.course.history
        assert epochs[-1].tokens_per_second == pytest.approx(fitted.tokens_per_second)

    def test_hear_losses_norms_and_speed(self, path: Path) -> None:
        heard = Heard()
        fitted = run(path, observers=[heard])
        for first, second in zip(heard.steps[::2], heard.steps[1::2], strict=True):
            assert first.mean_loss == first.loss
            assert second.mean_loss == pytest.approx((first.loss + second.loss) / 2)
        last = [step.mean_loss for step in heard.steps if step.batch == BATCHES]
        assert last == [epoch["loss"] for epoch in fitted.course.history]
        assert all(step.norm > 0 and step.tokens_per_second > 0 for step in heard.steps)

    def test_hear_after_a_stop_only_what_is_left(self, path: Path) -> None:
        whole, pieces = Heard(), [Heard() for _ in range(3)]
        run(path.with_name("undisturbed.npz"), observers=[whole])
        for heard, steps in zip(pieces, (1, BATCHES, None), strict=True):
            loss = mean_loss if steps is None else on_call(steps, press_ctrl_c, mean_loss)
            with nullcontext() if steps is None else pytest.raises(Interrupted):
                run(path, loss=loss, observers=[heard])
        begun = [(heard.plan.done_epochs, heard.plan.done_batches) for heard in pieces]
        assert begun == [(0, 0), (0, 1), (1, 1)]
        assert [heard.plan.resumed for heard in pieces] == [False, True, True]
        assert not any(heard.plan.over for heard in pieces)
        assert all(heard.names[-1] == "end" for heard in pieces)
        told = [name for heard in pieces for name in heard.names if name not in ("begin", "end")]
        assert told == whole.names[1:-1]
        found = [(s.number, s.loss, s.norm) for heard in pieces for s in heard.steps]
        assert found == [(s.number, s.loss, s.norm) for s in whole.steps]

    @pytest.mark.parametrize(
        ("fails_at", "names"),
        [
            (2, ["begin", "step", "end"]),
            (BATCHES + 2, ["begin", *["step"] * BATCHES, "epoch", "end"]),
        ],
        ids=["step", "epoch"],
    )
    def test_what_one_raises_ends_the_fit(
        self, fails_at: int, names: list[str], undisturbed: "Fitted", path: Path
    ) -> None:
        first, failing, last = Heard(), Heard(fails_at=fails_at), Heard()
        with pytest.raises(Killed):
            run(path, observers=[first, failing, last])
        assert failing.names == names
        assert first.names == names
        assert last.names == [*names[:-2], "end"]  # who comes later does not hear of that any more
        assert_same(run(path), undisturbed)

    def test_one_that_cannot_begin_ends_those_that_began(self, path: Path) -> None:
        first, failing, last = Heard(), Heard(fails_at=1), Heard()
        with pytest.raises(Killed):
            run(path, loss=on_call(1, pytest.fail, mean_loss), observers=[first, failing, last])
        assert (first.names, failing.names, last.names) == (["begin", "end"], ["begin"], [])


@pytest.mark.usefixtures("eager")
class TestEnd:
    @pytest.mark.parametrize(
        ("scores", "patience", "ended", "best"),
        [
            ([0.1, 0.2, 0.3], 1, 3, 3),
            ([0.3, 0.2, 0.1], 2, 3, 1),
            ([0.1, 0.3, 0.3], 1, 3, 2),  # as good is not better
            ([0.0, -1.0], 1, 2, 1),
        ],
    )
    def test_the_best_epoch_stays(
        self, scores: list[float], patience: int, ended: int, best: int, path: Path, monkeypatch
    ) -> None:
        from training.fitting import fit

        weights: list[list[np.ndarray]] = []
        predict = fit.predict_logits

        def spy(network: Any, rows: Any) -> np.ndarray:
            weights.append(network.get_weights())
            return predict(network, rows)

        monkeypatch.setattr(fit, "predict_logits", spy)
        fitted = run(path, judge=recite(scores), patience=patience)
        assert (fitted.course.epoch, fitted.course.best_epoch) == (ended, best)
        for found, expected in zip(fitted.network.get_weights(), weights[best - 1], strict=True):
            np.testing.assert_array_equal(found, expected)

    def test_figures(self, path: Path) -> None:
        fitted = run(path, judge=recite([0.1, 0.3, 0.2]))
        record = fitted.record()
        assert (record["planned_epochs"], record["epochs"], record["best_epoch"]) == (EPOCHS, 3, 2)
        assert record["tokens_per_second"] > 0
        assert 0 < record["padding"] < 0.5
        assert [epoch["score"] for epoch in fitted.course.history] == [0.1, 0.3, 0.2]
        losses = [epoch["loss"] for epoch in fitted.course.history]
        assert losses == sorted(losses, reverse=True)

    @pytest.mark.parametrize(
        ("scores", "losses", "best"),
        [
            ([0.5, 0.5, 0.5], [0.6, 0.4, 0.5], 2),
            ([0.55, 0.45, 0.5], [0.6, 0.4, 0.5], 2),  # no more than chance
            ([0.5, 0.3, 0.35], [0.6, 0.4, 0.5], 1),
            ([0.5, 0.7, 0.9], [0.4, 0.5, 0.6], 3),
        ],
    )
    def test_the_log_loss_decides_between_scores_that_differ_by_chance(
        self, scores: list[float], losses: list[float], best: int, path: Path
    ) -> None:
        figures = iter(zip(scores, losses, strict=True))

        def judge(_logits: np.ndarray) -> dict[str, float]:
            score, loss = next(figures)
            found = {"accuracy": score, "macro_f1": score, "log_loss": loss}
            return found | {"score": score, "noise": 0.12}

        assert run(path, judge=judge).course.best_epoch == best

    def test_a_loss_that_is_no_number(self, path: Path) -> None:
        from training.fitting.objective import make_judge

        targets = np.eye(3, dtype=np.int32)[[0, 1, 2, 0, 1]]
        judge = make_judge(targets, task="multi_label", score="macro_f1", ngram_logits=None)
        with pytest.raises(TrainingError, match=r"no longer a number; try a lower --learning-rate"):
            run(path, loss=lambda *given: mean_loss(*given) * np.nan, judge=judge)


def test_the_rate_rises_and_falls() -> None:
    import keras

    from training.fitting.fit import make_optimizer

    settings = FitSettings(learning_rate=0.5, weight_decay=0.25)
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = make_optimizer(network, settings, steps=200)
    rate = optimizer.rate
    rates = [float(rate(step)) for step in (0, 5, 10, 105, 200)]
    assert rates == pytest.approx([0, 0.25, 0.5, 0.25, 0], abs=1e-3)
    assert optimizer.decay == 0.25


class Late(Observer):
    """Says that the time is up after some steps, counted over all epochs."""

    def __init__(self, steps: int) -> None:
        self._steps, self._seen = steps, 0

    def add_step(self, step: FitStep) -> None:
        self._seen += 1

    def is_time_up(self) -> bool:
        return self._seen >= self._steps


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("steps", "epochs", "unread"), [(1, 1, 0.5), (2, 1, 0.0), (3, 2, 0.5)])
def test_a_fit_ends_when_its_time_is_up(steps: int, epochs: int, unread: float, path: Path) -> None:
    fitted = run(path, observers=[Late(steps)])
    assert (fitted.course.epoch, fitted.course.unread) == (epochs, unread)
    assert fitted.course.ended
    assert 1 <= fitted.course.best_epoch <= epochs
    assert len(fitted.course.history) == epochs
    again = run(path, observers=[Late(99)])  # what follows failed; the fit is not gone on with
    assert_same(fitted, again)


def test_a_deadline() -> None:
    from training.fitting.observer import Deadline, Observers

    assert Deadline(time.monotonic() - 1).is_time_up()
    assert not Deadline(time.monotonic() + 99).is_time_up()
    assert not Observers([Observer(), Deadline(math.inf)]).is_time_up()
    assert Observers([Observer(), Deadline(0), Deadline(math.inf)]).is_time_up()
