"""Writes learning curves for TensorBoard: tensorboard --logdir runs/tensorboard."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer
from training.workspace.space import writing

_Metadata = tf.compat.v1.SummaryMetadata
# The metadata of tf.summary.scalar(), which requires the whole of TensorBoard.
_SCALAR = _Metadata(plugin_data=_Metadata.PluginData(plugin_name="scalars"), data_class=1)
STEPS_BETWEEN = 20


class Curves(Observer):
    """The learning curves of one fit, in a folder of its own.

    Args:
        folder: Folder of the curves.
        resume: Whether the fit adds to the curves there. Else they are deleted: TensorBoard would
            draw both as one line that goes back and forth.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        self._resume = resume
        self._writer: Any = None

    def begin(self, plan: FitPlan) -> None:
        """Open the folder."""
        if not self._resume:
            shutil.rmtree(self._folder, ignore_errors=True)
        with writing(self._folder):
            self._writer = tf.summary.create_file_writer(str(self._folder))

    def add_step(self, step: FitStep) -> None:
        """Write the loss of a step and the norm of its gradient, at intervals."""
        if step.number % STEPS_BETWEEN == 0:
            self._add({"step/loss": step.loss, "step/gradient norm": step.norm}, step=step.number)

    def add_epoch(self, epoch: FitEpoch) -> None:
        """Write the figures of an epoch."""
        figures = {f"epoch/{name}": value for name, value in epoch.figures.items()}
        self._add(figures, step=epoch.number)
        with writing(self._folder):
            self._writer.flush()

    def end(self) -> None:
        """Write the rest."""
        with writing(self._folder):
            self._writer.close()

    def _add(self, figures: Mapping[str, float], *, step: int) -> None:
        with writing(self._folder), self._writer.as_default():
            for name, value in figures.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step, metadata=_SCALAR)
