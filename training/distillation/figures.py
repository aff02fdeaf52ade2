"""Computes what a student learned from its teacher: all figures on page, plots and terminal."""

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from training.calibration.metrics import is_right
from training.distillation.certainty import Certainty, find_certainty, trace
from training.distillation.exam import NONE, WHOLE, Exam, Examined, Sitting
from training.report.measures import Estimate, estimate, estimate_score, share
from training.report.scores import Lead, Scored, lead, score
from training.report.statistics import percentiles
from training.report.tallies import Decisions

TEACHER = "teacher"
MOST_ROWS = 20  # of those on which they disagree
SURE = 0.05  # p below which a teacher is better than a student without it


class Standing(TypedDict):
    """The score of one student, and how often it decides as the teacher does.

    `texts` is the number of the teacher's texts that it learned from; `lead` is over the student
    that learned from none.
    """

    texts: int
    score: Estimate
    agreement: Estimate
    lead: Lead | None


class ClassAgreement(TypedDict):
    """How often the student gives a label that the teacher gives."""

    label: str
    rows: int
    agreement: Estimate


class Disagreement(TypedDict):
    """A row about which they disagree."""

    row: int
    truth: str
    teacher: str
    teacher_certainty: float
    student: str
    student_certainty: float


class Side(TypedDict):
    """What one of them takes; None where unknown."""

    milliseconds: float | None
    megabytes: float | None


class Distillation(TypedDict):
    """All figures.

    `gap` is how far the student got on the way from the student without teacher to the teacher.
    """

    teacher: str
    license: str | None
    notes: list[str]
    texts: int
    calibrated_on: int
    measure: str
    purpose: str
    rows: int
    of_rows: int
    score: Estimate
    students: list[Standing]
    gap: Estimate | None
    costs: dict[str, Side]
    classes: list[ClassAgreement]
    disagreements: list[Disagreement]
    disagree: int
    certainty: Certainty | None
    trace: list[tuple[float, float]]


def compute(examined: Examined, *, student: Side) -> Distillation | None:
    """Return the figures; None where the teacher has a verdict on too few rows.

    Args:
        examined: The answers.
        student: What the version takes.
    """
    exam = examined.exams.get("test") or examined.exams.get("validation")
    if exam is None:
        return None
    verdicts = examined.taught.verdicts
    scored = _score(examined, exam)
    choosing = examined.exams.get("validation", exam)
    apart = np.flatnonzero(~is_right(exam.student.decided, exam.teacher.decided))
    return {
        "teacher": verdicts.name,
        "license": verdicts.license,
        "notes": list(verdicts.notes),
        "texts": len(verdicts),
        "calibrated_on": examined.verdicts.judged,
        "measure": examined.measure,
        "purpose": exam.purpose,
        "rows": len(exam.truth),
        "of_rows": len(examined.taught.known[exam.purpose]),
        "score": _estimate(scored[TEACHER], examined, exam),
        "students": [_stand(examined, exam, scored, each) for each in sorted(exam.students)],
        "gap": _find_gap(scored),
        "costs": {
            TEACHER: {
                "milliseconds": verdicts.cost.milliseconds,
                "megabytes": verdicts.cost.megabytes,
            },
            "student": student,
        },
        "classes": _by_class(exam, examined.labels),
        "disagreements": _disagreements(exam, apart, examined.labels),
        "disagree": len(apart),
        "certainty": find_certainty(choosing, exam),
        "trace": trace(exam),
    }


def _name(share: float) -> str:
    return f"student{share:g}"  # one word: each is a network of its own


def _score(examined: Examined, exam: Exam) -> dict[str, Scored]:
    """Return the scores of the teacher and of all students, on the same drawn rows."""
    decided = {TEACHER: [exam.teacher.decided]} | {
        _name(share): [each.decided] for share, each in exam.students.items()
    }
    return score(exam.truth, decided, labels=len(examined.labels), measure=examined.measure)


def _stand(examined: Examined, exam: Exam, scored: dict[str, Scored], part: float) -> Standing:
    own, alone = scored[_name(part)], scored.get(_name(NONE))
    same = is_right(exam.students[part].decided, exam.teacher.decided)
    return {
        "texts": round(part * len(examined.taught.verdicts)),
        "score": _estimate(own, examined, exam),
        "agreement": share(int(same.sum()), len(same)),
        "lead": lead(own, alone) if alone is not None and part > NONE else None,
    }


def _estimate(scored: Scored, examined: Examined, exam: Exam) -> Estimate:
    rows = len(exam.truth)
    return estimate_score(examined.measure, scored.value, draws=scored.draws, rows=rows)


def _find_gap(scored: Mapping[str, Scored]) -> Estimate | None:
    """Return the share of the gap that was closed; None where the teacher is not surely better."""
    teacher, student, alone = (scored.get(name) for name in (TEACHER, _name(WHOLE), _name(NONE)))
    if teacher is None or student is None or alone is None:
        return None
    ahead = lead(teacher, alone)
    if ahead["value"] <= 0 or ahead["p"] >= SURE:
        return None
    value = (student.value - alone.value) / (teacher.value - alone.value)
    wide = teacher.draws - alone.draws
    shares = (student.draws - alone.draws)[wide > 0] / wide[wide > 0]
    return estimate(value, percentiles(shares))


def _by_class(exam: Exam, labels: Any) -> list[ClassAgreement]:
    found: list[ClassAgreement] = []
    given, taken = (_as_marks(each.decided, len(labels)) for each in (exam.teacher, exam.student))
    for place, label in enumerate(labels):
        rows = int(given[:, place].sum())
        both = int((given[:, place] & taken[:, place]).sum())
        found.append({"label": label, "rows": rows, "agreement": share(both, rows)})
    return found


def _as_marks(decided: Decisions, labels: int) -> Any:
    return decided == 1 if decided.ndim == 2 else decided[:, None] == np.arange(labels)


def _disagreements(exam: Exam, apart: Any, labels: Any) -> list[Disagreement]:
    """Return the rows of which both are surest, yet they disagree."""
    sure = np.minimum(exam.teacher.certainty, exam.student.certainty)
    order = apart[np.argsort(-sure[apart], kind="stable")][:MOST_ROWS]
    return [
        {
            "row": int(exam.rows[row]),
            "truth": _write(exam.truth[row], labels),
            "teacher": _write(exam.teacher.decided[row], labels),
            "teacher_certainty": _certain(exam.teacher, row),
            "student": _write(exam.student.decided[row], labels),
            "student_certainty": _certain(exam.student, row),
        }
        for row in order.tolist()
    ]


def _certain(sitting: Sitting, row: int) -> float:
    return float(sitting.certainty[row])


def _write(decided: Any, labels: Any) -> str:
    """Return a decision in words."""
    if np.ndim(decided) == 0:
        return str(labels[int(decided)])
    return ", ".join(labels[place] for place in np.flatnonzero(decided)) or "none"
