"""Figures of a student and its teacher, from answers of known strength."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.rules import several
from tests.training.distillation.exams import make_exam
from training.distillation.exam import Exam, Examined, Sitting, can_examine
from training.distillation.figures import MOST_ROWS, Distillation, compute
from training.distillation.terminal import print_distillation
from training.distillation.write import render_page, write_distillation
from training.teachers.verdicts import TeacherCost, Verdicts

pytestmark = pytest.mark.tensorflow  # which the module imports

LABELS = ("neg", "<pos>")


def make_examined(*exams: Exam, labels: Any = LABELS, task: Any = "single_label") -> Examined:
    verdicts = Verdicts(
        name="big",
        texts=[str(row) for row in range(400)],
        probabilities=np.full((400, len(labels)), 0.5, np.float32),
        notes=("3 rows are left out",),
        cost=TeacherCost(milliseconds=85.0, megabytes=91.0),
        license="MIT",
    )
    taught: Any = SimpleNamespace(
        verdicts=verdicts, known={exam.purpose: np.ones(1_200, bool) for exam in exams}
    )
    calibrated: Any = SimpleNamespace(judged=800)
    measure: Any = "accuracy" if task == "single_label" else "macro_f1"
    return Examined(
        labels=labels,
        task=task,
        measure=measure,
        taught=taught,
        verdicts=calibrated,
        exams={exam.purpose: exam for exam in exams},
    )


def find(*exams: Exam, **changes: Any) -> Distillation:
    examined = make_examined(*exams, **changes)
    found = compute(examined, student={"milliseconds": 0.2, "megabytes": 4.0})
    assert found is not None
    return found


def test_scores_and_gap() -> None:
    exam = make_exam()
    found = find(make_exam(purpose="validation"), exam)
    assert (found["purpose"], found["rows"], found["of_rows"]) == ("test", 1_000, 1_200)
    assert [each["texts"] for each in found["students"]] == [0, 200, 400]
    scores = [(each.decided == exam.truth).mean() for each in exam.students.values()]
    assert [each["score"]["value"] for each in found["students"]] == pytest.approx(scores)
    teacher = (exam.teacher.decided == exam.truth).mean()
    gap, share = found["gap"], (scores[2] - scores[0]) / (teacher - scores[0])
    assert gap is not None
    assert gap["value"] == pytest.approx(share)
    assert gap["low"] < gap["value"] < gap["high"]
    lead = found["students"][-1]["lead"]
    assert lead is not None
    assert lead["value"] == pytest.approx(scores[2] - scores[0])
    assert found["students"][0]["lead"] is None


def test_agreement_by_class() -> None:
    exam = make_exam()
    found = find(exam)
    said, given = exam.teacher.decided, exam.student.decided
    for place, each in enumerate(found["classes"]):
        assert each["rows"] == (said == place).sum()
        assert each["agreement"]["value"] == pytest.approx((given[said == place] == place).mean())
    same = (said == given).mean()
    assert found["students"][-1]["agreement"]["value"] == pytest.approx(same)
    assert found["disagree"] == (said != given).sum()


def test_rows_on_which_they_disagree() -> None:
    exam = make_exam()
    found = find(exam)
    assert len(found["disagreements"]) == MOST_ROWS
    for each in found["disagreements"]:
        row = each["row"] - 7
        assert LABELS[exam.teacher.decided[row]] == each["teacher"] != each["student"]
        assert LABELS[exam.truth[row]] == each["truth"]
    sure = [min(e["teacher_certainty"], e["student_certainty"]) for e in found["disagreements"]]
    assert sure == sorted(sure, reverse=True)


def test_no_gap_where_the_teacher_is_not_better() -> None:
    assert find(make_exam(teacher=0.8))["gap"] is None


def test_several_labels() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, (200, 3)).astype(np.int32)
    noise = random.uniform(-0.6, 0.6, (200, 3))
    student = Sitting(np.clip(truth + noise, 0, 1).astype(np.float32), several(0.5, 0.5, 0.5))
    teacher = Sitting(np.clip(truth + noise / 2, 0, 1).astype(np.float32), several(0.5, 0.5, 0.5))
    exam = Exam(
        purpose="validation",
        rows=np.arange(200),
        truth=truth,
        teacher=teacher,
        students={1.0: student},
    )
    found = find(exam, labels=("a", "b", "c"), task="multi_label")
    assert found["score"]["value"] == 1.0
    assert 0 < found["students"][0]["agreement"]["value"] < 1
    assert [each["rows"] for each in found["classes"]] == truth.sum(axis=0).tolist()
    assert len(found["disagreements"]) == min(20, found["disagree"]) > 0
    assert all(each["student"] != each["teacher"] for each in found["disagreements"])


def test_too_few_rows() -> None:
    assert compute(make_examined(), student={"milliseconds": 1.0, "megabytes": 1.0}) is None
    few: Any = SimpleNamespace(known={"test": np.arange(100) < 19})
    enough: Any = SimpleNamespace(known={"test": np.arange(100) < 20})
    assert (can_examine(few), can_examine(enough)) == (False, True)


def test_the_page_says_it_all(tmp_path: Any) -> None:
    found = find(make_exam(purpose="validation"), make_exam())
    write_distillation(found, title="mine", folder=tmp_path)
    page = (tmp_path / "teacher.html").read_text()
    for text in ("mine and its teacher big", "&lt;pos&gt;", "85.0", "3 rows are left out", "MIT"):
        assert text in page
    assert "<pos>" not in page
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "agreement.png",
        "teacher.html",
        "teacher.json",
        "teacher.png",
    ]


@pytest.mark.parametrize("without", ["students", "certainty", "disagreements", "costs"])
def test_the_page_without_a_part(without: str) -> None:
    found: Any = find(make_exam())
    nothing = {
        "students": found["students"][-1:],
        "certainty": None,
        "disagreements": [],
        "costs": {side: {"milliseconds": None, "megabytes": None} for side in found["costs"]},
    }
    found = found | {without: nothing[without], "gap": None}
    assert "and its teacher" in render_page(found, title="mine", light={}, dark={})


def test_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_distillation(find(make_exam(purpose="validation"), make_exam()))
    told = " ".join(capsys.readouterr().err.split())
    assert told.startswith("accuracy on 1,000 test rows: teacher ")
    assert "of the gap is closed" in told
    assert "student and teacher agree on" in told
