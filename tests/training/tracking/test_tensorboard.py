"""Learning curves are written in TensorBoard's own format."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

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


def test_every_epoch_and_some_steps_are_noted(tmp_path: Path) -> None:
    from training.tracking.tensorboard import STEPS_BETWEEN, Curves

    with Curves(tmp_path / "curves") as curves:
        for step in range(1, 2 * STEPS_BETWEEN + 1):
            curves.add_step(step / 10, norm=step, step=step)
        curves.add_epoch({"loss": 0.5, "score": 0.25}, epoch=1)
    assert read(tmp_path / "curves") == [
        ("step/loss", STEPS_BETWEEN, pytest.approx(STEPS_BETWEEN / 10)),
        ("step/gradient norm", STEPS_BETWEEN, STEPS_BETWEEN),
        ("step/loss", 2 * STEPS_BETWEEN, pytest.approx(2 * STEPS_BETWEEN / 10)),
        ("step/gradient norm", 2 * STEPS_BETWEEN, 2 * STEPS_BETWEEN),
        ("epoch/loss", 1, 0.5),
        ("epoch/score", 1, 0.25),
    ]


def test_a_listener_hears_of_every_step_and_epoch(tmp_path: Path) -> None:
    from training.tracking.tensorboard import Curves

    class Heard(list[tuple[float, ...]]):
        def add_step(self, loss: float, *, norm: float, step: int) -> None:
            self.append((loss, norm, step))

        def add_epoch(self, figures: Mapping[str, float], *, epoch: int) -> None:
            self.append((figures["loss"], epoch))

    heard = Heard()
    with Curves(tmp_path, listener=heard) as curves:
        curves.add_step(0.5, norm=2.0, step=1)
        curves.add_step(0.25, norm=1.0, step=2)
        curves.add_epoch({"loss": 0.375}, epoch=1)
    assert heard == [(0.5, 2.0, 1), (0.25, 1.0, 2), (0.375, 1)]


def test_a_stopped_fit_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    from training.tracking.tensorboard import Curves

    with pytest.raises(KeyboardInterrupt), Curves(tmp_path) as curves:
        curves.add_epoch({"loss": 2.0}, epoch=1)
        raise KeyboardInterrupt
    with Curves(tmp_path) as curves:
        curves.add_epoch({"loss": np.float32(1.0)}, epoch=2)
    assert sorted(read(tmp_path)) == [("epoch/loss", 1, 2.0), ("epoch/loss", 2, 1.0)]
