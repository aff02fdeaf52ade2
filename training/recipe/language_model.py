"""Learns a language from texts without labels: the embedding and the recurrent layers.

A language model predicts each token from those before it (Dai and Le, "Semi-supervised Sequence
Learning", NeurIPS 2015). Its recurrent layers are the classifier's own, start each text from the
same zero state, and are carried from slice to slice (truncated backpropagation). The output layer
is tied to the embedding (Press and Wolf, EACL 2017) and compared with a sample of the vocabulary,
drawn by frequency and corrected for it (Jean et al., ACL 2015).
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.batching import Ids, Row
from models.cells import CELLS
from models.tokenizer import PAD
from training.errors import DataError, TrainingError
from training.fitting.batches import Examples, LengthBatches
from training.fitting.observer import FitEpoch, FitPlan, FitStep, Observer, Observers
from training.fitting.optimizer import AdamW, make_rate
from training.network.recurrence import LAYERS
from training.settings import NetworkSettings, PretrainSettings
from training.workspace.checkpoint import Checkpoint
from training.workspace.interrupt import Interrupt

DROPOUT = 0.1  # of the embedding's channels in a text, and of what the layers give
LOGIT_FLOOR = -1e9
FREQUENCY_POWER = 0.75  # rare tokens are drawn a little more often than they occur
EMBEDDING_SCALE = 0.05
WARMUP_STEPS = 300


@dataclass(frozen=True, eq=False)
class Encoder:
    """What was learned of a language.

    Args:
        embedding: Shape (vocabulary, width).
        layers: The weights of each recurrent layer, as Keras orders them.
        perplexity: Running mean over the sampled predictions of the last steps.
    """

    embedding: NDArray[np.float32]
    layers: tuple[tuple[NDArray[np.float32], ...], ...]
    perplexity: float

    def give_to(self, network: keras.Model) -> None:
        """Set the weights of a network of the same shape."""
        network.get_layer("embedding").set_weights([self.embedding])
        for index, weights in enumerate(self.layers):
            network.get_layer(f"recurrent_{index}").set_weights(list(weights))


@dataclass(kw_only=True)
class PretrainCourse:
    """How far a pretraining has come; saved in checkpoints.

    Args:
        epoch: Epochs that are complete.
        batch: Complete batches of texts of the next epoch.
        tokens: Tokens predicted so far.
        loss: Running mean of the loss.
        seconds: Time so far.
    """

    epoch: int = 0
    batch: int = 0
    tokens: int = 0
    loss: float = 0.0
    seconds: float = 0.0


def pretrain(
    rows: Sequence[Row],
    *,
    vocabulary: int,
    shape: NetworkSettings,
    settings: PretrainSettings,
    seed: int,
    checkpoint: Checkpoint,
    observers: Sequence[Observer] = (),
) -> Encoder:
    """Fit a language model to rows of ids; return its encoder.

    Resumes from `checkpoint` if it holds something. `observers` hear of every epoch, and of every
    batch of texts as a step.

    Raises:
        DataError: No row has two tokens.
        TrainingError: The loss is no longer a number.
        Interrupted: A signal asked for the end; the checkpoint is saved.
    """
    pretraining = Pretraining(
        rows, vocabulary=vocabulary, shape=shape, settings=settings, seed=seed
    )
    batches, tracked = pretraining.batches, {"model": pretraining.model.tracked}
    course = pretraining.course = checkpoint.restore(tracked, pretraining.course)
    observer = Observers(observers)
    plan = FitPlan(
        epochs=settings.epochs,
        batches=len(batches),
        done_epochs=course.epoch,
        done_batches=course.batch,
        over=course.epoch >= settings.epochs,
    )
    with Interrupt() as interrupt, observer.observing(plan):
        while course.epoch < settings.epochs:
            for texts, _ in batches.epoch(course.epoch, start=course.batch):
                pretraining.learn(texts)
                course.batch += 1
                observer.add_step(_step(course, plan))
                if interrupt.asked or checkpoint.is_due():
                    checkpoint.save(tracked, course)
                interrupt.leave_if_asked()
            course.epoch, course.batch = course.epoch + 1, 0
            observer.add_epoch(_epoch(course))
            checkpoint.save(tracked, course)
    return pretraining.model.encoder(perplexity=float(np.exp(course.loss)))


class Pretraining:
    """A language model and the texts that it learns from.

    Args:
        rows: Ids of each text.
        vocabulary: Number of tokens.
        shape: Shape of the classifier's network.
        settings: How the model is fitted.
        seed: Decides weights, dropout, samples and the order of the texts.

    Raises:
        DataError: No row has two tokens.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        vocabulary: int,
        shape: NetworkSettings,
        settings: PretrainSettings,
        seed: int,
    ) -> None:
        ids = [np.asarray(row[: settings.max_tokens], np.int32) for row in rows if len(row) > 1]
        if not ids:
            raise DataError(
                "no text without labels has two tokens, so there is no language to learn; "
                "give longer ones with --unlabeled, or train without"
            )
        examples = Examples(ids, np.zeros((len(ids), 0), np.float32))
        self.batches = LengthBatches(examples, size=settings.batch, seed=seed)
        self.model = LanguageModel(
            ids, vocabulary=vocabulary, shape=shape, settings=settings, seed=seed
        )
        self.course = PretrainCourse()
        self._slice = settings.slice
        steps = settings.epochs * _count_slices(self.batches, settings)
        self._step = self.model.make_step(steps=steps)

    def learn(self, texts: Ids) -> None:
        """Learn from a batch of texts slice by slice; each slice starts from the state before it.

        Raises:
            TrainingError: The loss is no longer a number.
        """
        course, started = self.course, time.perf_counter()
        state = self.model.initial_state(len(texts))
        for ids, following in _slices(texts, length=self._slice):
            loss, state = self._step(ids, following, *state)
            value = float(loss)
            if not np.isfinite(value):
                raise TrainingError("the language model's loss is no longer a number")
            course.loss = value if course.tokens == 0 else 0.99 * course.loss + 0.01 * value
            course.tokens += int((following != PAD).sum())
        course.seconds += time.perf_counter() - started


class LanguageModel:
    """Embedding, recurrent layers, and a projection back to the embedding's width.

    Args:
        ids: The texts, from which the tokens' frequencies are taken.
        vocabulary: Number of tokens.
        shape: Shape of the classifier's network.
        settings: How the model is fitted.
        seed: Decides weights, dropout and samples.
    """

    def __init__(
        self,
        ids: Sequence[NDArray[np.int32]],
        *,
        vocabulary: int,
        shape: NetworkSettings,
        settings: PretrainSettings,
        seed: int,
    ) -> None:
        self.shape = shape
        self._settings = settings
        counts = np.bincount(np.concatenate(ids), minlength=vocabulary) + 1.0
        counts[PAD] = 1.0
        spread = keras.initializers.RandomNormal(stddev=EMBEDDING_SCALE, seed=seed)
        self._embedding = keras.layers.Embedding(vocabulary, shape.embedding, spread)
        self._embedding.build((None, None))
        self._layers = [
            LAYERS[shape.cell](shape.units, return_sequences=True, return_state=True, seed=seed + i)
            for i in range(shape.layers)
        ]
        widths = [shape.embedding] + [shape.units] * (shape.layers - 1)
        for layer, width in zip(self._layers, widths, strict=True):
            layer.build((None, None, width))
        glorot = keras.initializers.GlorotUniform(seed=seed)
        self._projection = keras.layers.Dense(shape.embedding, kernel_initializer=glorot)
        self._projection.build((None, shape.units))
        bias = np.log(counts / counts.sum()).astype(np.float32)
        self._bias = keras.Variable(bias, name="bias")
        self._dropouts = [
            keras.layers.SpatialDropout1D(DROPOUT, seed=seed),
            keras.layers.Dropout(DROPOUT, seed=seed + 1),
        ]
        drawn = counts**FREQUENCY_POWER / np.sum(counts**FREQUENCY_POWER)
        self._cumulative = tf.constant(np.cumsum(drawn), tf.float32)
        self._log_expected = tf.constant(np.log(drawn * settings.negatives), tf.float32)
        self._sampler = keras.random.SeedGenerator(seed)
        self._tracked: list[Any] = []

    @property
    def tracked(self) -> list[Any]:
        """Every variable that a checkpoint needs; empty before `make_step`."""
        return self._tracked

    @property
    def _trainable(self) -> list[Any]:
        layers = [self._embedding, *self._layers, self._projection]
        return [*(w for layer in layers for w in layer.trainable_variables), self._bias]

    def initial_state(self, batch: int) -> list[NDArray[np.float32]]:
        """Return the state before a text, in the form that the step takes."""
        zero = np.zeros((batch, self.shape.units), np.float32)
        return [zero] * (len(CELLS[self.shape.cell].states) * self.shape.layers)

    def make_step(self, *, steps: int) -> Any:
        """Return a function of ids (batch, time), the ids that follow them, and the state.

        The function learns once. It returns the mean loss and the next state.
        """
        rate = make_rate(self._settings.learning_rate, steps=steps, warmup=WARMUP_STEPS)
        variables = self._trainable
        optimizer = AdamW(variables, rate=rate, beta_2=0.99)
        seeds = [d.seed_generator.state for d in self._dropouts] + [self._sampler.state]
        self._tracked = [*variables, *optimizer.variables, *seeds]

        def step(ids: tf.Tensor, following: tf.Tensor, *state: tf.Tensor) -> Any:
            with tf.GradientTape() as tape:
                loss, after = self._loss(ids, following, list(state))
            optimizer.apply(tape.gradient(loss, variables))
            return loss, after

        some_ids = tf.TensorSpec((None, None), tf.int32)
        states = [tf.TensorSpec((None, self.shape.units), tf.float32)] * len(self.initial_state(0))
        return tf.function(
            step, input_signature=[some_ids, some_ids, *states], autograph=False, jit_compile=False
        )

    def encoder(self, *, perplexity: float) -> Encoder:
        """Return the encoder as it is now."""
        layers = tuple(tuple(layer.get_weights()) for layer in self._layers)
        return Encoder(self._embedding.get_weights()[0], layers, perplexity)

    def _loss(
        self, ids: tf.Tensor, following: tf.Tensor, state: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        sequence = self._dropouts[0](self._embedding(ids), training=True)
        after: list[tf.Tensor] = []
        held = len(state) // len(self._layers)
        for index, layer in enumerate(self._layers):
            before = state[held * index : held * (index + 1)]
            sequence, *last = layer(sequence, initial_state=before, training=True)
            after += last
        guesses = self._projection(self._dropouts[1](sequence, training=True))
        real = tf.where(following != PAD)
        return self._sampled_loss(tf.gather_nd(guesses, real), tf.gather_nd(following, real)), after

    def _sampled_loss(self, guesses: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        """Return the mean cross-entropy of guesses (tokens, width) against a sample.

        From the logit of a token, the log of its expected count in the sample is subtracted.
        """
        draws = keras.random.uniform((self._settings.negatives,), seed=self._sampler)
        others = tf.minimum(tf.searchsorted(self._cumulative, draws), self._embedding.input_dim - 1)
        table, offset = self._embedding.embeddings, self._bias - self._log_expected
        right = tf.reduce_sum(guesses * tf.gather(table, wanted), axis=1)
        right += tf.gather(offset, wanted)
        wrong = tf.matmul(guesses, tf.gather(table, others), transpose_b=True)
        wrong += tf.gather(offset, others)
        wrong = tf.where(wanted[:, None] == others[None], LOGIT_FLOOR, wrong)
        everything = tf.reduce_logsumexp(tf.concat([right[:, None], wrong], axis=1), axis=1)
        return tf.reduce_mean(everything - right)


def _slices(texts: Ids, *, length: int) -> Iterator[tuple[Ids, Ids]]:
    """Yield pieces of at most `length` tokens, each with the ids one position later."""
    for start in range(0, texts.shape[1] - 1, length):
        following = texts[:, start + 1 : start + 1 + length]
        yield texts[:, start : start + following.shape[1]], following


def _count_slices(batches: LengthBatches, settings: PretrainSettings) -> int:
    """Return the approximate steps of an epoch, for the learning rate."""
    return sum(-(-(width - 1) // settings.slice) for width in batches.widths(0))


def _step(course: PretrainCourse, plan: FitPlan) -> FitStep:
    """Return the last batch of texts as a step."""
    return FitStep(
        number=course.epoch * plan.batches + course.batch,
        epoch=course.epoch + 1,
        batch=course.batch,
        loss=course.loss,
        mean_loss=course.loss,
        tokens_per_second=_speed(course),
    )


def _epoch(course: PretrainCourse) -> FitEpoch:
    """Return the epoch that is now complete."""
    return FitEpoch(
        number=course.epoch, figures={"loss": course.loss}, tokens_per_second=_speed(course)
    )


def _speed(course: PretrainCourse) -> float:
    return course.tokens / max(course.seconds, 1e-9)
