"""A language model learns what follows what, and goes on where it was stopped."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.training.interruptions import finish_in_pieces
from training.errors import DataError, TrainingError
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer
from training.settings import NetworkSettings, PretrainSettings
from training.workspace import checkpoint
from training.workspace.checkpoint import Checkpoint

if TYPE_CHECKING:
    from training.recipe.language_model import Encoder

pytestmark = pytest.mark.tensorflow  # which the module imports

VOCABULARY, BATCH, EPOCHS = 20, 4, 2
SETTINGS = PretrainSettings(epochs=EPOCHS, batch=BATCH, slice=3, negatives=8, max_tokens=9)


def make_rows(number: int = 8) -> list[list[int]]:
    """Return rows in which an id is followed by the next one, some too short to predict in."""
    return [[2 + (row + i) % 6 for i in range(1 + row % 10)] for row in range(number)]


def run(path: Path, *, cell: Any = "lstm", layers: int = 2, **options: Any) -> "Encoder":
    import keras
    import tensorflow as tf

    from training.recipe.language_model import pretrain

    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    given: dict[str, Any] = {"settings": SETTINGS} | options
    return pretrain(
        given.pop("rows", make_rows()),
        vocabulary=VOCABULARY,
        shape=NetworkSettings(cell=cell, layers=layers, units=3, embedding=4),
        seed=1,
        checkpoint=Checkpoint(path, identity={}, resume=True),
        **given,
    )


def weights_of(encoder: "Encoder") -> list[np.ndarray]:
    return [encoder.embedding, *(weight for layer in encoder.layers for weight in layer)]


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_stopped_after_every_batch_it_ends_the_same(tmp_path: Path, monkeypatch) -> None:
    from training.recipe import language_model as pretrain

    expected = run(tmp_path / "undisturbed.npz")
    stopped = tmp_path / "stopped.npz"
    found = finish_in_pieces(lambda: run(stopped), pretrain, monkeypatch=monkeypatch)
    assert found.perplexity == expected.perplexity
    for mine, yours in zip(weights_of(found), weights_of(expected), strict=True):
        np.testing.assert_array_equal(mine, yours)


class Heard(Observer):
    """Notes what it hears; raises at the step of that number."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.calls: list[Any] = []
        self._fails_at = fails_at

    def begin(self, plan: FitPlan) -> None:
        self.calls.append(plan)

    def add_step(self, step: FitStep) -> None:
        self.calls.append(("step", step.number, step.epoch, step.batch))
        assert step.mean_loss > 0
        assert step.tokens_per_second > 0
        if step.number == self._fails_at:
            raise EOFError

    def add_epoch(self, epoch: FitEpoch) -> None:
        self.calls.append(("epoch", epoch.number))

    def end(self) -> None:
        self.calls.append("end")


@pytest.mark.usefixtures("eager")
def test_observers_hear_of_steps_and_epochs_and_may_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)  # so that every step is saved
    first, path = Heard(fails_at=3), tmp_path / "checkpoint.npz"
    with pytest.raises(EOFError):
        run(path, observers=[first])
    whole, plan = [("step", 1, 1, 1), ("step", 2, 1, 2), ("epoch", 1)], {"epochs": 2, "batches": 2}
    assert first.calls == [FitPlan(**plan), *whole, ("step", 3, 2, 1), "end"]
    second = Heard()
    run(path, observers=[second])
    rest = [("step", 3, 2, 1), ("step", 4, 2, 2), ("epoch", 2)]
    assert second.calls == [FitPlan(**plan, done_epochs=1), *rest, "end"]


def test_it_learns_what_follows_what(tmp_path: Path, monkeypatch) -> None:
    from training.recipe import language_model as pretrain

    monkeypatch.setattr(pretrain, "WARMUP_STEPS", 5)
    settings = PretrainSettings(epochs=40, batch=16, slice=4, negatives=20, learning_rate=0.05)
    encoder = run(
        tmp_path / "checkpoint.npz", cell="gru", layers=1, settings=settings, rows=make_rows(32)
    )
    assert encoder.perplexity < 3  # of 20 tokens, 6 of which occur


@pytest.mark.parametrize(("cell", "layers"), [("gru", 1), ("lstm", 2), ("rnn", 1)])
def test_a_network_starts_from_it(cell: Any, layers: int, tmp_path: Path, eager: None) -> None:
    from training.network.build import build_network

    settings = replace(SETTINGS, epochs=1)
    encoder = run(tmp_path / "checkpoint.npz", cell=cell, layers=layers, settings=settings)
    shape = NetworkSettings(cell=cell, layers=layers, units=3, embedding=4)
    network = build_network(shape, vocabulary=VOCABULARY, labels=2, seed=1)
    encoder.give_to(network)
    names = ["embedding", *(f"recurrent_{index}" for index in range(layers))]
    found = [weight for name in names for weight in network.get_layer(name).get_weights()]
    for mine, yours in zip(found, weights_of(encoder), strict=True):
        np.testing.assert_array_equal(mine, yours)


@pytest.mark.usefixtures("eager")
def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    settings = PretrainSettings(epochs=200, batch=BATCH, slice=3, negatives=8, learning_rate=1e38)
    with pytest.raises(TrainingError, match="loss is no longer a number"):
        run(tmp_path / "checkpoint.npz", settings=settings)


@pytest.mark.parametrize("rows", [[], [[2]], [[], [3], [2]]])
def test_texts_in_which_nothing_follows(rows: list[list[int]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^no text without labels has two tokens, .* --unlabeled"):
        run(tmp_path / "checkpoint.npz", rows=rows)
