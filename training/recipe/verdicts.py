"""Calibrates what a teacher says on labelled rows, before the network learns it.

A teacher that is too sure, or one that only names labels, would teach certainty that it has not.
Only rows with a label judge it; see `calibration/scaling.py` for how.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from models.batching import Row
from models.decisions import DecisionRule
from models.golden import Probabilities
from models.metadata import Task
from training.calibration.probabilities import Logits
from training.calibration.scaling import Scaling, calibrate, unscaled
from training.run import Run
from training.teachers.taught import Taught

FEWEST_JUDGED = 50  # validation rows with a verdict; with fewer it is taken at its word
LEAST_DOUBT = 1e-4  # of a teacher that is certain; a logarithm of 0 does not exist


@dataclass(frozen=True, eq=False)
class CalibratedVerdicts:
    """A teacher's verdicts as they are learned.

    Args:
        rows: Ids of the texts.
        probabilities: Shape (texts, labels).
        rule: How the labels follow from them.
        scaling: How its logits were calibrated.
        judged: Validation rows that calibrated it; 0 where they were too few.
    """

    rows: Sequence[Row]
    probabilities: Probabilities
    rule: DecisionRule
    scaling: Scaling
    judged: int

    def apply(self, probabilities: Probabilities, *, task: Task) -> Probabilities:
        """Return other probabilities of the teacher, calibrated."""
        return self.scaling.probabilities([to_logits(probabilities, task=task)], task=task)


def read_verdicts(run: Run, taught: Taught) -> CalibratedVerdicts:
    """Return the verdicts of a run's teacher, calibrated; the same share of them as of the rows."""
    task, labels = run.prepared.data.task, run.prepared.data.validation.labels
    judging = taught.known["validation"] & run.honest
    judged = int(judging.sum())
    half = to_logits(taught.verdicts.probabilities, task=task)
    kept = _draw(run, len(half))
    rows = [run.prepared.taught_ids[row] for row in kept]
    if judged < FEWEST_JUDGED:
        scaling = unscaled([half])
        rule = DecisionRule(task, (0.5,) * half.shape[1] if task == "multi_label" else None)
        judged = 0
    else:
        own = to_logits(taught.judged["validation"][judging], task=task)
        found = calibrate([own], labels[judging], task=task, score=run.score)
        scaling, rule = found.scaling, found.rule
    return CalibratedVerdicts(
        rows, scaling.probabilities([half[kept]], task=task), rule, scaling, judged
    )


def _draw(run: Run, count: int) -> NDArray[np.int64]:
    """Return the numbers of the texts that are learned, in order."""
    taken = round(run.teacher_share * count)
    return np.sort(np.random.default_rng(run.settings.seed).permutation(count)[:taken])


def to_logits(probabilities: Probabilities, *, task: Task) -> Logits:
    """Return logits that have these probabilities, none of them certain."""
    doubted = np.clip(probabilities, LEAST_DOUBT, 1 - LEAST_DOUBT)
    found = np.log(doubted) if task == "single_label" else logit(doubted)
    return found.astype(np.float32)
