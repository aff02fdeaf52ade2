"""A teacher is calibrated on labelled rows, and the network learns its verdicts beside them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.registry import Store
from tests.training.labelled_files import write_csv
from tests.training.test_run import make_run
from training.errors import TrainingError
from training.linear import ngrams
from training.prepare import prepare
from training.settings import Budget, FitSettings, NetworkSettings
from training.teachers.verdicts import TeacherError, Verdicts

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the module imports

GOOD, BAD = ("fine", "great", "lovely"), ("dull", "awful", "weak")


def make_text(row: int) -> str:
    words = GOOD if row % 2 else BAD
    return f"it was {words[row % 3]} on day {row}"


ROWS = [(make_text(row), ("neg", "pos")[row % 2]) for row in range(600)]
FURTHER = [make_text(row) for row in range(1_000, 1_400)]


class MadeUpTeacher:
    """Knows the labels, with a certainty that it has not: a share of its verdicts is wrong."""

    has_texts = False

    def __init__(self, *, wrong: float = 0.2, certainty: float = 0.999) -> None:
        self._wrong, self._certainty = wrong, certainty

    def judge(self, texts: Sequence[str], **_: Any) -> Verdicts:
        random = np.random.default_rng(0)
        right = np.array([any(word in text for word in GOOD) for text in texts])
        said = right ^ (random.random(len(texts)) < self._wrong)
        positive = np.where(said, self._certainty, 1 - self._certainty)
        return Verdicts(
            name="made up",
            texts=texts,
            probabilities=np.stack([1 - positive, positive], axis=1).astype(np.float32),
        )


def make_taught(folder: Path, teacher: Any = None, **changes: Any) -> "Run":
    further = write_csv(folder / "more.csv", [(text,) for text in FURTHER], header=("text",))
    options: dict[str, Any] = {
        "network": NetworkSettings(cell="gru", units=8, embedding=8),
        "fit": FitSettings(epochs=1, batch=64, adversarial=0.0),
        "unlabeled": str(further),
        "teacher": "/some/folder/made-up",
    }
    run = make_run(folder, **options | {"rows": ROWS} | changes)
    pretrain = replace(run.settings.pretrain, epochs=0)
    settings = replace(run.settings, pretrain=pretrain)
    prepared = prepare(settings, teacher=teacher or MadeUpTeacher())
    return replace(run, prepared=prepared, settings=settings)


@pytest.fixture(autouse=True)
def quick(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "TABLE_BYTES", 1)


def test_certainty_that_a_teacher_has_not_is_taken_from_it(tmp_path: Path) -> None:
    from training.recipe.verdicts import read_verdicts

    run = make_taught(tmp_path)
    taught = run.prepared.taught
    assert taught is not None
    found = read_verdicts(run, taught)
    assert found.judged == 60
    assert len(found.rows) == len(FURTHER)
    sure = found.probabilities.max(axis=1)
    assert 0.65 < sure.mean() < 0.95  # a fifth of its verdicts is wrong
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_too_few_rows_leave_it_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.recipe import verdicts

    monkeypatch.setattr(verdicts, "FEWEST_JUDGED", 61)
    run = make_taught(tmp_path)
    assert run.prepared.taught is not None
    found = verdicts.read_verdicts(run, run.prepared.taught)
    assert found.judged == 0
    np.testing.assert_allclose(
        found.probabilities, run.prepared.taught.verdicts.probabilities, atol=1e-4
    )


def test_the_network_learns_both(tmp_path: Path) -> None:
    from training.recipe.learn import lesson_of

    run = make_taught(tmp_path)
    lesson, own = lesson_of(run), len(run.prepared.data.train)
    assert len(lesson.rows) == len(lesson.degrees) == len(lesson.given) == own + len(FURTHER)
    assert set(np.unique(lesson.degrees[:own])) == {0, 1}
    assert 0.02 < lesson.degrees[own:].min() < lesson.degrees[own:].max() < 0.98
    half = lesson_of(replace(run, teacher_share=0.5))
    assert len(half.rows) == own + len(FURTHER) // 2
    none = lesson_of(replace(run, prepared=replace(run.prepared, taught=None)))
    assert len(none.rows) == own


@pytest.mark.parametrize(("more", "times"), [(1, 1), (2, 2), (5, 3)])
def test_rows_of_train_weigh_as_much_as_the_teachers_texts(
    more: int, times: int, tmp_path: Path, monkeypatch
) -> None:
    from training.recipe import learn, verdicts

    run = make_taught(tmp_path)
    own = len(run.prepared.data.train)
    found = verdicts.read_verdicts(run, run.prepared.taught)
    place = np.arange(more * own) % len(found.rows)
    many = replace(
        found, rows=[found.rows[row] for row in place], probabilities=found.probabilities[place]
    )
    monkeypatch.setattr(learn, "read_verdicts", lambda *_: many)
    lesson = learn.lesson_of(run)
    assert len(lesson.rows) == times * own + more * own
    for part in range(times):
        rows = slice(part * own, (part + 1) * own)
        assert lesson.rows[rows] == run.prepared.ids["train"]
        np.testing.assert_array_equal(lesson.degrees[rows], lesson.degrees[:own])
        np.testing.assert_array_equal(lesson.given[rows], lesson.given[:own])


def test_rows_of_the_data_are_not_learned_from_a_teacher(tmp_path: Path) -> None:
    class Everything(MadeUpTeacher):
        has_texts = True

        def judge(self, texts: Sequence[str], **_: Any) -> Verdicts:
            respelled = (f" {text.upper()}! " for text, _ in ROWS[::2])
            every = [*respelled, *(text for text, _ in ROWS[1::2]), FURTHER[0], "zebra"]
            return super().judge(every)

    taught = make_taught(tmp_path, Everything()).prepared.taught
    assert taught is not None
    assert list(taught.verdicts.texts) == [FURTHER[0], "zebra"]
    assert taught.known["validation"].all()


def test_words_of_judging_rows_alone_are_not_in_the_vocabulary(tmp_path: Path) -> None:
    data = make_run(tmp_path, rows=ROWS).prepared.data
    held = data.validation.texts[0]

    class Respelled(MadeUpTeacher):
        has_texts = True

        def judge(self, texts: Sequence[str], **_: Any) -> Verdicts:
            return super().judge([held, held.upper(), *("zebra giraffe " + t for t in FURTHER)])

    run = make_taught(tmp_path, Respelled(), unlabeled=None)
    tokens = run.prepared.tokenizer.tokens
    assert {"zebra", "giraffe"} <= set(tokens)
    assert run.prepared.taught is not None
    assert len(run.prepared.taught.verdicts) == len(FURTHER)


def test_train_is_in_the_vocabulary_beside_texts_that_teach_no_language(tmp_path: Path) -> None:
    rows = [(f"{text} aardvark", label) for text, label in ROWS]
    tokens = make_taught(tmp_path, rows=rows).prepared.tokenizer.tokens
    assert "aardvark" in tokens


def test_nothing_new_is_refused(tmp_path: Path) -> None:
    class OnlyRows(MadeUpTeacher):
        def judge(self, texts: Sequence[str], **_: Any) -> Verdicts:
            return super().judge([ROWS[0][0]])

    with pytest.raises(TeacherError, match="made up labels no text that is not in the data"):
        make_taught(tmp_path, OnlyRows())


def test_other_verdicts_do_not_resume(tmp_path: Path) -> None:
    from tests.training.test_run import restore, save

    save(make_taught(tmp_path))
    assert restore(make_taught(tmp_path)).epoch == 1
    with pytest.raises(TrainingError, match="teacher was"):
        restore(make_taught(tmp_path, MadeUpTeacher(wrong=0.3)))


def test_other_verdicts_on_judging_rows_alone_do_not_resume(tmp_path: Path) -> None:
    from tests.training.test_run import restore, save

    class Changed(MadeUpTeacher):
        def judge(self, texts: Sequence[str], **_: Any) -> Verdicts:
            said = super().judge(texts)
            said.probabilities[0] = said.probabilities[0, ::-1]  # of a row of validation
            return said

    save(make_taught(tmp_path))
    with pytest.raises(TrainingError, match="teacher was"):
        restore(make_taught(tmp_path, Changed()))


def test_a_time_budget_counts_what_the_teacher_labels(tmp_path: Path) -> None:
    from training.recipe.speed import _wanted

    fit = FitSettings(batch=16)
    run = make_taught(tmp_path, fit=fit)
    alone = replace(run, prepared=replace(run.prepared, taught=None))
    assert _wanted(run).epochs < _wanted(alone).epochs


@pytest.mark.slow
def test_a_whole_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tensorflow as tf

    from training.pipeline import train
    from training.recipe import students

    tf.config.run_functions_eagerly(False)  # the checks of an export read many texts
    monkeypatch.setattr(students, "SHARES", (0.0,))
    run = make_taught(tmp_path, rows=ROWS[:240])
    version = train(run, store=Store(tmp_path / "store"))
    told = " ".join(capsys.readouterr().err.split())
    assert "teacher: made up labels 400 texts to learn from, and 28 of 28 rows of" in told
    assert "to compare: a training with no teacher" in told
    assert "student without teacher" in told
    settings = version.metadata.settings
    assert (settings["teacher"], settings["teacher_name"]) == ("made up", "made up")
    assert "/some/folder" not in version.metadata.model_dump_json()
    extra = version.path / "assets.extra"
    assert "| labels of a teacher | made up (" in (extra / "README.md").read_text()
    assert (extra / "report" / "teacher.html").stat().st_size > 10_000
    version.verify()


def test_without_the_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from training import pipeline

    monkeypatch.setattr(pipeline, "learn_with_less", lambda run: {0.5: "a classifier"})
    run = make_taught(tmp_path)
    assert pipeline._learn_with_less(run)
    wanted = replace(run.settings, teacher_curve=False)
    assert not pipeline._learn_with_less(replace(run, settings=wanted))
    assert not pipeline._learn_with_less(replace(run, prepared=replace(run.prepared, taught=None)))
    capsys.readouterr()
    assert not pipeline._learn_with_less(replace(run, budget=Budget(minutes=1)))
    assert "left out for the time budget" in capsys.readouterr().err
