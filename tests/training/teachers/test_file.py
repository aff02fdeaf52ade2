"""A file of verdicts is read in every kind, and its faults have a place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset

from tests.training.labelled_files import write_csv
from training.errors import DataError
from training.reading import Reading
from training.teachers.file import FileTeacher
from training.teachers.verdicts import TeacherError, Verdicts

LABELS = ("neg", "pos")


def judge(path: Path, **reading: Any) -> Verdicts:
    teacher = FileTeacher(str(path), Reading(**reading))
    return teacher.judge([], labels=LABELS, task="single_label")


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_column_for_each_label(tmp_path: Path) -> None:
    rows = [("good", 0.1, 0.9), ("bad", 0.8, 0.2)]
    found = judge(write_csv(tmp_path / "t.csv", rows, header=("sentence", "neg", "pos")))
    assert (found.name, list(found.texts)) == ("t.csv", ["good", "bad"])
    np.testing.assert_allclose(found.probabilities, [[0.1, 0.9], [0.8, 0.2]], atol=1e-6)


def test_what_score_writes(tmp_path: Path) -> None:
    rows = [("good", "neg", "pos", 0.9, ""), ("bad", "pos", "neg", 0.7, "")]
    header = ("text", "label", "predicted_label", "predicted_score", "predicted_error")
    found = judge(write_csv(tmp_path / "t.csv", rows, header=header))
    np.testing.assert_allclose(found.probabilities, [[0.1, 0.9], [0.7, 0.3]], atol=1e-6)


def test_objects(tmp_path: Path) -> None:
    rows = [{"text": "good", "probabilities": {"pos": 0.9, "neg": 0.1}}]
    assert judge(write_lines(tmp_path / "t.jsonl", rows)).probabilities[0, 1] == np.float32(0.9)


def test_numbers_of_declared_classes(tmp_path: Path) -> None:
    rows = Dataset.from_dict({"text": ["good", "bad"], "label": [1, 0]})
    rows.cast_column("label", ClassLabel(names=list(LABELS))).save_to_disk(str(tmp_path / "t"))
    assert judge(tmp_path / "t").probabilities.tolist() == [[0, 1], [1, 0]]


def test_a_text_that_stands_there_again(tmp_path: Path) -> None:
    rows = [("good", "pos"), ("good", "neg"), ("bad", "neg")]
    found = judge(write_csv(tmp_path / "t.csv", rows))
    assert found.probabilities.tolist() == [[0, 1], [1, 0]]
    assert found.notes[-1] == "1 texts stand there again; their first verdict counts"


def test_bad_rows_have_a_place(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [("good", "pos"), ("bad", "ugly"), ("", "pos")])
    told = (
        r"--teacher t.csv: 2 of 3 rows cannot be used: in t.csv, line 3 the label is 'ugly'; "
        "there are: neg, pos; --skip-unusable leaves such rows out"
    )
    with pytest.raises(TeacherError, match=told):
        judge(path)
    found = judge(path, skip_unusable=True)
    assert list(found.texts) == ["good"]
    assert found.notes[-1].startswith("2 of 3 rows are left out: in t.csv, line 3")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (" ", "is missing"),
        (None, "is missing"),
        (["bad", "film"], "is no text but list; join its words to one text"),
        ("bad \ud800 film", r"holds half a character, \ud800"),
    ],
)
def test_texts_that_cannot_be_learned_from(text: Any, fault: str, tmp_path: Path) -> None:
    rows = [{"text": "good", "label": "pos"}, {"text": text, "label": "neg"}]
    path = write_lines(tmp_path / "t.jsonl", rows)
    with pytest.raises(TeacherError) as caught:
        judge(path)
    assert f"1 of 2 rows cannot be used: in t.jsonl, line 2 the text {fault}" in str(caught.value)
    assert list(judge(path, skip_unusable=True).texts) == ["good"]


def test_rows_that_cannot_be_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [("good", "pos"), ("bad", "neg", "more")])
    with pytest.raises(DataError, match=r"cannot be read: .*--skip-unusable leaves such rows out"):
        judge(path)
    found = judge(path, skip_unusable=True)
    assert list(found.texts) == ["good"]
    assert "cannot be read and are left out: in t.csv, line 3" in found.notes[-1]


@pytest.mark.parametrize("column", ["text", "sentence"])
def test_a_label_may_have_the_name_of_a_column(tmp_path: Path, column: str) -> None:
    rows = [{column: "good", "id": "a7", "probabilities": {"text": 0.9, "code": 0.1}}]
    teacher = FileTeacher(str(write_lines(tmp_path / "t.jsonl", rows)), Reading())
    found = teacher.judge([], labels=("text", "code"), task="single_label", column=column)
    assert list(found.texts) == ["good"]


def test_the_text_column_of_the_data_comes_first(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [("x", "good", "pos")], header=("text", "said", "label"))
    teacher = FileTeacher(str(path), Reading())
    found = teacher.judge([], labels=LABELS, task="single_label", column="said")
    assert list(found.texts) == ["good"]
    named = FileTeacher(str(path), Reading(text_column="text"))
    found = named.judge([], labels=LABELS, task="single_label", column="said")
    assert list(found.texts) == ["x"]


def test_a_column_of_labels_that_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [("good", "pos")], header=("text", "mood"))
    assert judge(path, label_column="mood").probabilities.tolist() == [[0, 1]]


def test_no_verdict(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", [("good", 1)], header=("text", "stars"))
    with pytest.raises(
        DataError, match="of the teacher holds no verdicts; its columns are: text, stars"
    ):
        judge(path)


def test_no_row(tmp_path: Path) -> None:
    rows = [{"text": "good", "label": "ugly"}]
    with pytest.raises(TeacherError, match="holds no verdict$"):
        judge(write_lines(tmp_path / "t.jsonl", rows), skip_unusable=True)


def test_other_verdicts_have_another_hash(tmp_path: Path) -> None:
    one = judge(write_csv(tmp_path / "a.csv", [("good", "pos")])).record.sha256
    assert judge(write_csv(tmp_path / "b.csv", [("good", "pos")])).record.sha256 == one
    assert judge(write_csv(tmp_path / "c.csv", [("good", "neg")])).record.sha256 != one
    assert judge(write_csv(tmp_path / "d.csv", [("fine", "pos")])).record.sha256 != one
