"""A published version labels texts as the service would."""

from pathlib import Path

import numpy as np
import pytest

from models.registry import Store
from models.versions import Version
from training.commands.teachers import open_teacher
from training.evaluation.teacher import PublishedTeacher, identify
from training.reading import Reading
from training.teachers.command import CommandTeacher
from training.teachers.file import FileTeacher
from training.teachers.verdicts import Teacher, TeacherError

pytestmark = pytest.mark.tensorflow  # which trains the version

LABELS = ("like", "dislike")


def test_it_answers_in_the_order_of_the_data(trained: Version) -> None:
    texts = ["a lovely evening", "an awful evening", "it is"]
    teacher = PublishedTeacher(trained)
    found = teacher.judge(texts, labels=LABELS, task="single_label")
    other = teacher.judge(texts, labels=LABELS[::-1], task="single_label")
    np.testing.assert_array_equal(found.probabilities, other.probabilities[:, ::-1])
    assert found.probabilities[0, 0] > 0.5 > found.probabilities[1, 0]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    assert found.name == trained.reference
    assert found.cost.milliseconds
    assert found.cost.megabytes
    assert len(identify(trained)) == 64


def test_other_labels(trained: Version) -> None:
    told = "knows the labels dislike, like; the data has good, bad"
    with pytest.raises(TeacherError, match=told):
        PublishedTeacher(trained).judge(["x"], labels=("good", "bad"), task="single_label")


def test_another_task(trained: Version) -> None:
    told = "gives one label per text, the data any number of labels per text"
    with pytest.raises(TeacherError, match=told):
        PublishedTeacher(trained).judge(["x"], labels=LABELS, task="multi_label")


class TestOpening:
    def open(self, source: str | None, *, store: Path, command: str | None = None) -> Teacher:
        found = open_teacher(
            source, command=command, store=Store(store), work=store, reading=Reading()
        )
        assert found is not None
        return found

    def test_a_version(self, trained: Version) -> None:
        found = self.open(trained.reference, store=trained.path.parents[1])
        assert isinstance(found, PublishedTeacher)
        assert not found.has_texts

    def test_a_file(self, tmp_path: Path, trained: Version) -> None:
        path = tmp_path / trained.metadata.name
        path.write_text("text,label\n")
        assert isinstance(self.open(str(path), store=trained.path.parents[1]), FileTeacher)
        assert isinstance(self.open("owner/name", store=tmp_path), FileTeacher)

    def test_a_command(self, tmp_path: Path) -> None:
        found = self.open(None, store=tmp_path, command="python label.py")
        assert isinstance(found, CommandTeacher)

    def test_nothing(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        options = {"command": None, "store": store, "work": tmp_path, "reading": Reading()}
        assert open_teacher(None, **options) is None
        with pytest.raises(TeacherError, match="--teacher big.csv: no such file or folder"):
            open_teacher("big.csv", **options)
