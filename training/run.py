"""One training: its data, its settings and the place of its checkpoints."""

import math
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.versions import Version
from training.calibration.metrics import Score
from training.calibration.probabilities import Logits
from training.calibration.scaling import Calibrated, calibrate
from training.defaults import spells_by_default
from training.fitting.objective import choose_score, weigh_classes
from training.fitting.observer import Observer
from training.prepare import Prepared, Rows
from training.pretrained.network import Pretrained
from training.provenance import Provenance
from training.settings import Budget, TrainSettings
from training.targets import Targets
from training.vectors.source import VectorSource
from training.vectors.table import WordVectors
from training.workspace.checkpoint import Checkpoint
from training.workspace.lock import lock_training

FEWEST_HONEST = 100  # validation rows; with fewer, the rows that also occur in train stay too


@dataclass(frozen=True)
class Judges:
    """The rows that training decides by: their ids and their targets."""

    ids: Rows
    labels: Targets


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training.

    Args:
        prepared: The data.
        settings: All settings that decide the result.
        work: Folder of checkpoints and encoders. Checkpoints stay until the version is published,
            encoders for later trainings.
        start: The version whose network is trained further, if there is one.
        vectors: The word vectors that the network starts from, if there are any.
        pretrained: The network without labels that it starts from, if there is one.
        encoder: The sentence encoder that teaches the network, if there is one.
        teacher_share: Share of the teacher's texts that the network learns from.
        budget: How long the training may take; None for no limit.
        fit_until: When fits end at the latest, on the monotonic clock.
        resume: Whether to resume from checkpoints.
        gate: The version that the new one must not be worse than; None to publish in any case.
        observers: Returns the observers of the fit of a stage.
    """

    prepared: Prepared
    settings: TrainSettings
    work: Path
    start: Version | None = None
    vectors: WordVectors | None = None
    pretrained: Pretrained | None = None
    encoder: VectorSource | None = None
    teacher_share: float = 1.0
    budget: Budget | None = None
    fit_until: float = math.inf
    resume: bool = False
    gate: Version | None = None
    observers: Callable[[str], Sequence[Observer]] = lambda stage: ()

    @cached_property
    def score(self) -> Score:
        """The figure that chooses the best epoch."""
        data = self.prepared.data
        return choose_score(data.train.labels, labels=len(data.labels))

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """Weight of each label in the losses, shape (labels,)."""
        data = self.prepared.data
        kind = self.settings.class_weight
        return weigh_classes(data.train.labels, labels=len(data.labels), kind=kind)

    @property
    def pretrains(self) -> bool:
        """Whether the network starts from a language model of texts without labels."""
        taught = self.settings.encoder is not None
        return bool(self.prepared.domain and self.settings.pretrain.epochs) and not taught

    @property
    def spells(self) -> bool:
        """Whether vectors are made of the tokens' spelling; never where vectors are known."""
        if self.pretrains or any((self.start, self.vectors, self.pretrained, self.encoder)):
            return False
        asked = self.settings.subwords
        return spells_by_default(self.tokens) if asked is None else asked

    @property
    def tokens(self) -> int:
        """Tokens of train as the network sees it, long texts cut."""
        lengths = np.minimum(self.prepared.lengths("train"), self.settings.max_tokens)
        return int(lengths.sum())

    @property
    def biased(self) -> bool:
        """Whether labels get a bias on validation; it would undo class weights."""
        return self.settings.class_weight == "none"

    @cached_property
    def honest(self) -> NDArray[np.bool_]:
        """Which validation rows may decide, shape (rows,): those that do not occur in train."""
        honest = self.prepared.data.validation.whole & ~self.prepared.leaks["validation"]
        return honest if honest.sum() >= FEWEST_HONEST else np.ones_like(honest)

    @property
    def parts_left_out(self) -> int:
        """Validation rows that do not decide for no other reason than being parts of others."""
        return int(np.count_nonzero(~self.honest & ~self.prepared.leaks["validation"]))

    @cached_property
    def judges(self) -> Judges:
        """The validation rows that may decide; see `honest`."""
        prepared, honest = self.prepared, self.honest
        ids = prepared.ids["validation"]
        return Judges(
            [ids[row] for row in np.flatnonzero(honest)], prepared.data.validation.labels[honest]
        )

    def calibrate(self, halves: Sequence[Logits]) -> Calibrated:
        """Calibrate the logits (rows, labels) of halves of a classifier on those rows."""
        labels, task = self.judges.labels, self.prepared.data.task
        return calibrate(halves, labels, task=task, score=self.score, biased=self.biased)

    @property
    def origins(self) -> dict[str, Provenance]:
        """What the network learns from beside the data, by the setting that names it."""
        taught = self.prepared.taught
        given = {
            "vectors": self.vectors,
            "pretrained": self.pretrained,
            "encoder": self.encoder,
            "teacher": taught,
        }
        return {name: source.record for name, source in given.items() if source is not None}

    def checkpoint(self, stage: str) -> Checkpoint:
        """Return the checkpoint of one stage of the training."""
        data = self.prepared.data
        identity = self.settings.record() | {
            "train": data.train.sha256,
            "validation": data.validation.sha256,
            "unlabelled texts": self.prepared.domain_sha256,
            "normalization": self.prepared.tokenizer.normalization,
        }
        identity |= {name: record.sha256 for name, record in self.origins.items()}
        return Checkpoint(self._checkpoints / f"{stage}.npz", identity=identity, resume=self.resume)

    def curves_folder(self, stage: str) -> Path:
        """Return the folder of the learning curves of one stage."""
        return self._curves / stage

    @property
    def refused_folder(self) -> Path:
        """The store of the versions that the gate has refused."""
        return self.work / "refused"

    def note(self, name: str) -> Path:
        """Return the path of a file that is kept and deleted with the checkpoints."""
        return self._checkpoints / name

    def lock(self) -> AbstractContextManager[None]:
        """Reserve the checkpoints for this training while entered; see `lock_training`."""
        return lock_training(self.settings.name, work=self.work)

    @property
    def has_checkpoints(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return any(self._checkpoints.glob("*.npz"))

    def start_anew(self) -> None:
        """Delete what the last training of the name has left, also of stages that this one lacks.

        Its checkpoints would stop a later run with `resume`, which takes them for its own. Its
        curves would stand beside the new ones.
        """
        self.clean_up()
        shutil.rmtree(self._curves, ignore_errors=True)

    def clean_up(self) -> None:
        """Delete the checkpoints, once the version is published."""
        shutil.rmtree(self._checkpoints, ignore_errors=True)

    @property
    def _checkpoints(self) -> Path:
        return self.work / "checkpoints" / self.settings.name

    @property
    def _curves(self) -> Path:
        return self.work / "tensorboard" / self.settings.name


def start_repeatably(seed: int) -> None:
    """Make runs with the same seed equal: fixed seeds, and sums in a fixed order."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
