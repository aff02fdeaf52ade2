"""Fits the network: early stopping on validation, the best weights kept."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import tensorflow as tf

from training.batches import Examples, LengthBatches
from training.errors import TrainingError
from training.progress import FitProgress
from training.settings import FitSettings

VALIDATION_BATCH = 64
WARMUP_SHARE = 0.05  # of all steps
FEWEST_STEPS = 1_000  # a network learns little in less, so few rows are gone through more often
FEWEST_EPOCHS, MOST_EPOCHS = 2, 30


@dataclass(kw_only=True)
class Fitted:
    """A fitted network and how it came about.

    Args:
        network: The network with the weights of its best epoch.
        planned: Epochs that the learning rate was planned for.
        epochs: Epochs that were run.
        best_epoch: The epoch best on validation, counted from 1.
        seconds: Time of fitting, validation included.
        tokens_per_second: Mean speed of training, padding not counted.
        padding: Share of the positions computed that were padding.
        temperature: What the logits were divided by to calibrate them; 1 before.
    """

    network: keras.Model
    planned: int
    epochs: int
    best_epoch: int
    seconds: float
    tokens_per_second: float
    padding: float
    temperature: float = 1.0

    def record(self) -> dict[str, float]:
        """Return the figures for the metadata."""
        return {
            "seconds": round(self.seconds, 1),
            "tokens_per_second": round(self.tokens_per_second),
            "padding": round(self.padding, 4),
            "planned_epochs": self.planned,
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "temperature": self.temperature,
        }


def fit(
    network: keras.Model,
    train: Examples,
    validation: Examples,
    *,
    settings: FitSettings,
    seed: int,
) -> Fitted:
    """Fit `network` in place; its weights are those of the epoch best on validation.

    Raises:
        TrainingError: The loss is no longer a number.
    """
    batches = LengthBatches(train, size=settings.batch, seed=seed)
    epochs = settings.epochs or choose_epochs(len(batches))
    network.compile(
        _optimizer(settings, steps=epochs * len(batches)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # lengths vary, and XLA would compile for each anew
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=settings.patience, restore_best_weights=True
    )
    progress = FitProgress(epochs=epochs, batches=len(batches), tokens=train.tokens)
    started = time.perf_counter()
    history = network.fit(
        _feed(batches),
        validation_data=_feed(LengthBatches(validation, size=VALIDATION_BATCH, seed=seed)),
        epochs=epochs,
        shuffle=False,  # the batches come shuffled
        callbacks=[keras.callbacks.TerminateOnNaN(), stopping, progress],
        verbose=0,
    ).history
    if not all(map(math.isfinite, history["loss"])):
        raise TrainingError("the loss is no longer a number; try a lower --learning-rate")
    done = len(history["loss"])
    return Fitted(
        network=network,
        planned=epochs,
        epochs=done,
        best_epoch=stopping.best_epoch + 1,
        seconds=time.perf_counter() - started,
        tokens_per_second=progress.tokens_per_second,
        padding=sum(map(batches.padding, range(done))) / done,
    )


def choose_epochs(batches: int) -> int:
    """Return how often to go through the rows, if early stopping does not end it before."""
    return max(FEWEST_EPOCHS, min(MOST_EPOCHS, math.ceil(FEWEST_STEPS / batches)))


def _optimizer(settings: FitSettings, *, steps: int) -> keras.Optimizer:
    warmup = math.ceil(WARMUP_SHARE * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, steps - warmup),
        warmup_target=settings.learning_rate,
        warmup_steps=warmup,
    )
    return keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, clipnorm=1.0)


def _feed(batches: LengthBatches) -> tf.data.Dataset:
    """Return a dataset that yields another epoch's batches each time Keras goes through it."""
    epochs = iter(range(1_000_000))

    def generate() -> Iterator[tuple[object, object]]:
        yield from batches.epoch(next(epochs))

    # Both axes are left open, so that one trace serves all lengths.
    signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(4)
