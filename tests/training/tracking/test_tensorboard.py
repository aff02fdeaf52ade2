"""Learning curves are written in TensorBoard's own format."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from training.errors import CannotWrite
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer, Observers

pytestmark = pytest.mark.tensorflow  # which the module imports


def read(folder: Path) -> list[tuple[str, int, float]]:
    """Return name, step and value of all that was written, in the order of writing."""
    import tensorflow as tf

    found = []
    for path in sorted(folder.iterdir()):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    return found


def make_step(number: int) -> FitStep:
    loss = number / 10
    return FitStep(
        number=number,
        epoch=1,
        batch=number,
        loss=loss,
        mean_loss=9.0,
        norm=number,
        tokens_per_second=1.0,
    )


def make_epoch(number: int, **figures: float) -> FitEpoch:
    return FitEpoch(number=number, figures=figures, tokens_per_second=1.0)


@contextmanager
def observing(folder: Path, *, resume: bool = False) -> Iterator[Observer]:
    """Write learning curves to a folder while entered, as a fit does."""
    from training.tracking.tensorboard import Curves

    observers = Observers([Curves(folder, resume=resume)])
    with observers.observing(FitPlan(epochs=1, batches=1)):
        yield observers


def test_every_epoch_and_some_steps_are_noted(tmp_path: Path) -> None:
    from training.tracking.tensorboard import STEPS_BETWEEN

    with observing(tmp_path / "curves") as curves:
        for number in range(1, 2 * STEPS_BETWEEN + 1):
            curves.add_step(make_step(number))
        curves.add_epoch(make_epoch(1, loss=0.5, score=0.25))
    assert read(tmp_path / "curves") == [
        ("step/loss", STEPS_BETWEEN, pytest.approx(STEPS_BETWEEN / 10)),
        ("step/gradient norm", STEPS_BETWEEN, STEPS_BETWEEN),
        ("step/loss", 2 * STEPS_BETWEEN, pytest.approx(2 * STEPS_BETWEEN / 10)),
        ("step/gradient norm", 2 * STEPS_BETWEEN, 2 * STEPS_BETWEEN),
        ("epoch/loss", 1, 0.5),
        ("epoch/score", 1, 0.25),
    ]


def test_a_stopped_fit_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), observing(tmp_path) as curves:
        curves.add_epoch(make_epoch(1, loss=2.0))
        raise KeyboardInterrupt
    with observing(tmp_path, resume=True) as curves:
        curves.add_epoch(make_epoch(2, loss=np.float32(1.0)))
    assert sorted(read(tmp_path)) == [("epoch/loss", 1, 2.0), ("epoch/loss", 2, 1.0)]


def test_a_new_fit_begins_with_an_empty_folder(tmp_path: Path) -> None:
    for loss in (2.0, 1.0):
        with observing(tmp_path / "curves") as curves:
            curves.add_epoch(make_epoch(1, loss=loss))
    assert read(tmp_path / "curves") == [("epoch/loss", 1, 1.0)]


def test_a_folder_that_takes_no_curves(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    place = tmp_path / "work" / "curves"
    with (
        pytest.raises(CannotWrite, match=f"^cannot write to {place}: "),
        observing(place) as curves,
    ):
        curves.add_epoch(make_epoch(1, loss=2.0))
