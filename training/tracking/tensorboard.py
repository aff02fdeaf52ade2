"""Writes learning curves where TensorBoard finds them: tensorboard --logdir runs/tensorboard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import tensorflow as tf

_Metadata = tf.compat.v1.SummaryMetadata
# What tf.summary.scalar() would say, which wants the whole of TensorBoard installed.
_SCALAR = _Metadata(plugin_data=_Metadata.PluginData(plugin_name="scalars"), data_class=1)
STEPS_BETWEEN = 20


class Listener(Protocol):
    """Hears how a fit goes; what it raises ends the fit."""

    def add_step(self, loss: float, *, norm: float, step: int) -> None:
        """Hear of the loss of a step and the norm of its gradient."""

    def add_epoch(self, figures: Mapping[str, float], *, epoch: int) -> None:
        """Hear of the figures of an epoch."""


class Curves:
    """The learning curves of one fit; entered, it writes to a folder of its own.

    Args:
        folder: Where TensorBoard shall find them. A resumed fit goes on in the same folder.
        listener: Who else hears of every step and epoch.
    """

    def __init__(self, folder: Path, *, listener: Listener | None = None) -> None:
        self._folder = folder
        self._listener = listener
        self._writer: Any = None

    def __enter__(self) -> Self:
        """Open the folder."""
        self._writer = tf.summary.create_file_writer(str(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        """Write what is left."""
        self._writer.close()

    def add_step(self, loss: float, *, norm: float, step: int) -> None:
        """Note the loss of a step and the norm of its gradient, every so often."""
        if step % STEPS_BETWEEN == 0:
            self._add({"step/loss": loss, "step/gradient norm": norm}, step=step)
        if self._listener is not None:
            self._listener.add_step(loss, norm=norm, step=step)

    def add_epoch(self, figures: Mapping[str, float], *, epoch: int) -> None:
        """Note the figures of an epoch."""
        self._add({f"epoch/{name}": value for name, value in figures.items()}, step=epoch)
        self._writer.flush()
        if self._listener is not None:
            self._listener.add_epoch(figures, epoch=epoch)

    def _add(self, figures: Mapping[str, float], *, step: int) -> None:
        with self._writer.as_default():
            for name, value in figures.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step, metadata=_SCALAR)
