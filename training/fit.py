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

VALIDATION_BATCH = 64
WARMUP_SHARE = 0.05  # of all steps


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a network is fitted.

    Args:
        epochs: Passes over the training rows at most.
        patience: Epochs without a better validation accuracy after which fitting ends.
        batch: Texts of one step.
        learning_rate: Highest rate; reached after a short warm-up, then lowered along a cosine.
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter, ICLR 2019).
    """

    epochs: int = 4
    patience: int = 2
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2


@dataclass(frozen=True)
class FitResult:
    """What fitting came to. `padding` is the share of the positions computed that were padding."""

    epochs: int
    best_epoch: int
    seconds: float
    tokens_per_second: float
    padding: float
    history: dict[str, list[float]]


def fit(
    network: keras.Model,
    train: Examples,
    validation: Examples,
    *,
    settings: FitSettings,
    seed: int,
) -> FitResult:
    """Fit `network` in place; its weights are those of the epoch best on validation.

    Raises:
        TrainingError: The loss is no longer a number.
    """
    batches = LengthBatches(train, size=settings.batch, seed=seed)
    network.compile(
        _optimizer(settings, steps=settings.epochs * len(batches)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # lengths vary, and XLA would compile for each anew
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=settings.patience, restore_best_weights=True
    )
    progress = FitProgress(epochs=settings.epochs, batches=len(batches), tokens=train.tokens)
    started = time.perf_counter()
    history = network.fit(
        _feed(batches),
        validation_data=_feed(LengthBatches(validation, size=VALIDATION_BATCH, seed=seed)),
        epochs=settings.epochs,
        shuffle=False,  # the batches come shuffled
        callbacks=[keras.callbacks.TerminateOnNaN(), stopping, progress],
        verbose=0,
    ).history
    if not all(map(math.isfinite, history["loss"])):
        raise TrainingError("the loss is no longer a number; try a lower --learning-rate")
    done = len(history["loss"])
    return FitResult(
        epochs=done,
        best_epoch=stopping.best_epoch + 1,
        seconds=time.perf_counter() - started,
        tokens_per_second=progress.tokens_per_second,
        padding=sum(map(batches.padding, range(done))) / done,
        history=history,
    )


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
