"""What a teacher says of texts: a probability of each label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from models.golden import Probabilities
from models.metadata import Task
from training.data.digest import digest_texts
from training.errors import TrainingError
from training.provenance import Provenance


class TeacherError(TrainingError):
    """A teacher cannot be found, asked or understood."""


@dataclass(frozen=True, kw_only=True)
class TeacherCost:
    """What a teacher takes to answer; None where unknown.

    Args:
        milliseconds: Time of one text.
        megabytes: Size on disk, 1 MB being 10⁶ bytes.
    """

    milliseconds: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdicts:
    """A teacher's verdicts on texts.

    Args:
        name: The teacher, in a few words without paths.
        texts: The texts, each once.
        probabilities: Of each label, in the order of the data's, shape (texts, labels).
        notes: What was done to the verdicts to read them, in words.
        cost: What the teacher takes to answer.
        license: Terms of the teacher, in words; None where none are named.
    """

    name: str
    texts: Sequence[str]
    probabilities: Probabilities
    notes: tuple[str, ...] = ()
    cost: TeacherCost = TeacherCost()
    license: str | None = None

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.texts)

    @cached_property
    def record(self) -> Provenance:
        """Name and hash, for metadata and checkpoints."""
        said = np.ascontiguousarray(self.probabilities).tobytes()
        digest = digest_texts(self.texts, start=said)
        return Provenance(name=self.name, revision=None, sha256=digest, license=self.license)

    def take(self, rows: Sequence[int]) -> "Verdicts":
        """Return the verdicts of some texts."""
        return replace(
            self,
            texts=[self.texts[row] for row in rows],
            probabilities=self.probabilities[np.asarray(rows, np.int64)],
        )


class Teacher(Protocol):
    """Gives texts probabilities of labels."""

    @property
    def has_texts(self) -> bool:
        """Whether it comes with its own texts, as a file does."""

    def judge(
        self, texts: Sequence[str], *, labels: Sequence[str], task: Task, column: str
    ) -> Verdicts:
        """Return the verdicts on texts.

        A teacher that has its own texts returns the verdicts on those.

        Args:
            texts: The texts to judge, each once.
            labels: The labels of the data, in order.
            task: Whether labels exclude each other.
            column: Name of the text column of the data.

        Raises:
            TeacherError: It cannot be asked, or knows other labels.
        """


def match_labels(known: Sequence[str], labels: Sequence[str], *, teacher: str) -> list[int]:
    """Return the place of each label among those that a teacher knows.

    Raises:
        TeacherError: The teacher lacks a label, or knows further ones.
    """
    if set(known) != set(labels):
        raise TeacherError(
            f"--teacher {teacher} knows the labels {', '.join(known)}; "
            f"the data has {', '.join(labels)}"
        )
    return [list(known).index(label) for label in labels]
