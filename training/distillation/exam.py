"""What a teacher and its students say of rows with a label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Metadata, Task
from training.calibration.metrics import Score
from training.export.verify import VerifiedExport
from training.recipe.classifier import TrainedClassifier
from training.recipe.verdicts import CalibratedVerdicts, read_verdicts
from training.report.tallies import Decisions
from training.run import Run
from training.teachers.taught import Taught

FEWEST = 20  # rows with a verdict; with fewer nothing can be said
WHOLE, NONE = 1.0, 0.0  # shares of the teacher's texts


@dataclass(frozen=True, eq=False)
class Sitting:
    """The answers of one of them.

    Args:
        probabilities: Shape (rows, labels).
        rule: How its labels follow from them.
    """

    probabilities: Probabilities
    rule: DecisionRule

    @property
    def decided(self) -> Decisions:
        """What it decides about each row."""
        return self.rule.choose(self.probabilities)

    @property
    def certainty(self) -> NDArray[np.float32]:
        """The probability of its decision, (rows,); with several labels that of the least sure."""
        if self.rule.task == "single_label":
            return self.probabilities[np.arange(len(self.probabilities)), self.decided]
        given = np.where(self.decided == 1, self.probabilities, 1 - self.probabilities)
        return given.min(axis=1).astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Exam:
    """The answers about the rows of one split that the teacher has a verdict on.

    Args:
        purpose: The split, "test" or "validation".
        rows: Numbers of the rows in their dataset, (rows,).
        truth: Their targets.
        teacher: The teacher's answers, calibrated.
        students: Those of each student, by the share of the teacher's texts that it learned from.
    """

    purpose: str
    rows: NDArray[np.int64]
    truth: Decisions
    teacher: Sitting
    students: Mapping[float, Sitting]

    @property
    def student(self) -> Sitting:
        """The answers of the version that is published."""
        return self.students[WHOLE]


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """A student that is to be judged, and all that is known of its teacher.

    Args:
        labels: The labels.
        task: Whether they exclude each other.
        measure: The score that decides.
        taught: The teacher's verdicts.
        verdicts: The same, calibrated.
        exams: By split, those with enough rows that the teacher has a verdict on.
    """

    labels: Sequence[str]
    task: Task
    measure: Score
    taught: Taught
    verdicts: CalibratedVerdicts
    exams: Mapping[str, Exam]


def can_examine(taught: Taught) -> bool:
    """Whether the teacher has a verdict on enough labelled rows of some split."""
    return any(known.sum() >= FEWEST for known in taught.known.values())


def examine(
    run: Run,
    taught: Taught,
    verified: VerifiedExport,
    less: Mapping[float, TrainedClassifier],
    *,
    metadata: Metadata,
) -> Examined:
    """Return the answers of a run's teacher, of its version and of those with less to learn from.

    Args:
        run: The training.
        taught: What its teacher says.
        verified: The answers of the exported version.
        less: Classifiers by the share of the teacher's texts.
        metadata: Metadata of the version.
    """
    verdicts = read_verdicts(run, taught)
    exams = {}
    for purpose, known in taught.known.items():
        rows = np.flatnonzero(known)
        if len(rows) < FEWEST:
            continue
        split, ids = run.prepared.data.splits[purpose], run.prepared.ids[purpose]
        given = verdicts.apply(taught.judged[purpose][rows], task=run.prepared.data.task)
        students = {WHOLE: Sitting(verified.splits[purpose][rows], DecisionRule.of(metadata))} | {
            share: Sitting(each.probabilities([ids[row] for row in rows]), each.rule)
            for share, each in less.items()
        }
        exams[purpose] = Exam(
            purpose=purpose,
            rows=split.rows[rows],
            truth=split.labels[rows],
            teacher=Sitting(given, verdicts.rule),
            students=students,
        )
    return Examined(
        labels=run.prepared.data.labels,
        task=run.prepared.data.task,
        measure=run.score,
        taught=taught,
        verdicts=verdicts,
        exams=exams,
    )
