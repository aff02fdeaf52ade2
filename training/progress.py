"""Shows people how far things are; nothing here decides anything."""

import time

import keras
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from training.console import console


class FitProgress(keras.callbacks.Callback):
    """A bar for each epoch with loss, accuracy and speed, and a line when it ends.

    Args:
        epochs: Epochs at most.
        batches: Batches of an epoch.
        tokens: Tokens of an epoch, padding not counted.
    """

    def __init__(self, *, epochs: int, batches: int, tokens: int) -> None:
        super().__init__()
        self._epochs = epochs
        self._batches = batches
        self._tokens = tokens
        self._seconds = 0.0
        self._done = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
        )

    @property
    def tokens_per_second(self) -> float:
        """Mean speed of the epochs so far, validation not counted."""
        return self._done * self._tokens / self._seconds if self._seconds else 0.0

    def on_train_begin(self, logs=None):
        """Show the bar."""
        self._bar.start()

    def on_train_end(self, logs=None):
        """Take the bar away."""
        self._bar.stop()

    def on_epoch_begin(self, epoch, logs=None):
        """Start an epoch's bar and clock."""
        description = f"epoch {epoch + 1}/{self._epochs}"
        self._task = self._bar.add_task(description, total=self._batches, figures="")
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar on."""
        elapsed = time.perf_counter() - self._started
        speed = (batch + 1) / self._batches * self._tokens / elapsed
        figures = f"loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}  {speed:,.0f} tokens/s"
        self._bar.update(self._task, completed=batch + 1, figures=figures)

    def on_test_begin(self, logs=None):
        """Stop the epoch's clock: what follows is validation."""
        self._seconds += time.perf_counter() - self._started
        self._done += 1

    def on_epoch_end(self, epoch, logs=None):
        """Replace the bar by a line."""
        self._bar.remove_task(self._task)
        self._bar.console.print(
            f"epoch {epoch + 1}/{self._epochs}: loss {logs['loss']:.4f}, "
            f"accuracy {logs['accuracy']:.4f}; validation loss {logs['val_loss']:.4f}, "
            f"accuracy {logs['val_accuracy']:.4f}; {self.tokens_per_second:,.0f} tokens/s"
        )
