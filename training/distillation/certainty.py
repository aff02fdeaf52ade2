"""Finds the certainty above which a student decides as its teacher does."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from training.calibration.metrics import is_right
from training.distillation.exam import Exam
from training.report.measures import Estimate, share
from training.report.statistics import wilson

WANTED = 0.97  # share of rows on which they agree, by the lower end of the interval
STEPS = np.linspace(0.99, 0.0, 100)  # certainties that are tried, the highest first


class Certainty(TypedDict):
    """A certainty of the student, and what rows above it are like.

    `chosen_on` names the rows that chose it; `coverage` and `agreement` are of the rows that judge.
    """

    threshold: float
    chosen_on: str
    coverage: Estimate
    agreement: Estimate


def find_certainty(choosing: Exam, judging: Exam) -> Certainty | None:
    """Return the least certainty with enough agreement; None where none is enough.

    Certainties are tried in a fixed order, the highest first, until the bound of the agreement is
    missed (a fixed sequence needs no correction for the number of tests: Maurer, Hothorn and
    Lehmacher, 1995). Certainties that too few rows reach are passed over.

    Args:
        choosing: The rows that choose the certainty.
        judging: Those that measure what it is worth.
    """
    same, certainty = _agree(choosing), choosing.student.certainty
    fewest = _fewest_rows()
    found = None
    for step in STEPS:
        above = certainty >= step
        if above.sum() < fewest:
            continue
        if wilson(int(same[above].sum()), int(above.sum())).low < WANTED:
            break
        found = float(step)
    if found is None:
        return None
    above, same = judging.student.certainty >= found, _agree(judging)
    return {
        "threshold": found,
        "chosen_on": choosing.purpose,
        "coverage": share(int(above.sum()), len(above)),
        "agreement": share(int(same[above].sum()), int(above.sum())),
    }


def trace(exam: Exam) -> list[tuple[float, float]]:
    """Return coverage and agreement at falling certainties, for a plot."""
    order = np.argsort(-exam.student.certainty, kind="stable")
    same = _agree(exam)[order].cumsum()
    places = np.unique(np.linspace(min(20, len(order)), len(order), 100).astype(int))
    return [(place / len(order), same[place - 1] / place) for place in places]


def _agree(exam: Exam) -> NDArray[np.bool_]:
    """Return whether student and teacher decide alike, (rows,)."""
    return is_right(exam.student.decided, exam.teacher.decided)


def _fewest_rows() -> int:
    """Return the fewest rows whose bound can be enough, if they agree on all."""
    return next(rows for rows in range(1, 10_000) if wilson(rows, rows).low >= WANTED)
