"""A certainty is found above which both agree, and not where they do not."""

from dataclasses import replace

import numpy as np
import pytest

from models.decisions import DecisionRule
from tests.rules import LIKELIEST, several
from tests.training.distillation.exams import make_exam
from training.distillation.certainty import WANTED, _fewest_rows, find_certainty, trace
from training.distillation.exam import Exam, Sitting

pytestmark = pytest.mark.tensorflow  # which the classifiers start that are examined


def planted(rows: int, *, alike_above: float, purpose: str = "validation", seed: int = 0) -> Exam:
    """Return answers that agree wherever the student's certainty is above a limit."""
    random = np.random.default_rng(seed)
    certainty = random.uniform(0.5, 1.0, rows)
    teacher = np.stack([np.zeros(rows), np.ones(rows)], axis=1)
    differs = (certainty < alike_above) & (random.random(rows) < 0.5)
    student = np.stack([1 - certainty, certainty], axis=1)
    student[differs] = student[differs][:, ::-1]
    return Exam(
        purpose=purpose,
        rows=np.arange(rows),
        truth=np.ones(rows, np.int32),
        teacher=Sitting(teacher.astype(np.float32), LIKELIEST),
        students={1.0: Sitting(student.astype(np.float32), LIKELIEST)},
    )


def test_a_planted_certainty_is_found() -> None:
    choosing = planted(4_000, alike_above=0.8)
    judging = planted(4_000, alike_above=0.8, purpose="test", seed=1)
    found = find_certainty(choosing, judging)
    assert found is not None
    assert 0.76 <= found["threshold"] <= 0.82
    assert found["chosen_on"] == "validation"
    assert 0.36 < found["coverage"]["value"] < 0.48
    assert found["agreement"]["value"] >= 0.96


def test_none_where_they_never_agree_enough() -> None:
    exam = planted(4_000, alike_above=1.1)
    assert find_certainty(exam, exam) is None


def test_few_rows_prove_nothing() -> None:
    exam = planted(_fewest_rows() - 1, alike_above=0.0)
    assert find_certainty(exam, exam) is None
    enough = planted(_fewest_rows(), alike_above=0.0)
    assert find_certainty(enough, enough) is not None
    assert _fewest_rows() > 1 / (1 - WANTED)


def test_the_trace_ends_with_all_rows() -> None:
    exam = make_exam()
    same = (exam.student.decided == exam.teacher.decided).mean()
    points = trace(exam)
    assert points[-1] == (1.0, same)
    assert points[0][1] > points[-1][1]
    assert all(0 < covered <= 1 for covered, _ in points)


def test_few_rows_have_a_trace() -> None:
    assert trace(make_exam(10))[-1][0] == 1.0


def test_certainty_of_several_labels_is_that_of_the_least_sure() -> None:
    one = Sitting(np.array([[0.9, 0.4, 0.05]], np.float32), several(0.5, 0.5, 0.5))
    np.testing.assert_allclose(one.certainty, [0.6])
    low = Sitting(np.array([[0.9, 0.3, 0.05]], np.float32), several(0.5, 0.2, 0.5))
    np.testing.assert_allclose(low.certainty, [0.3])  # it is given, although unlikely
    exam = replace(make_exam(30), students={1.0: one})
    assert exam.student is one


def test_certainty_is_that_of_the_label_that_is_given() -> None:
    rule = DecisionRule("single_label", (1.0, 0.2))
    sitting = Sitting(np.array([[0.7, 0.3], [0.9, 0.1]], np.float32), rule)
    assert sitting.decided.tolist() == [1, 0]
    assert sitting.certainty.tolist() == np.array([0.3, 0.9], np.float32).tolist()
