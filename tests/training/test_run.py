"""A training knows its own checkpoints from those of others."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.tokenizer import Tokenizer
from tests.training.labelled_files import make_rows, write_csv
from tests.training.workspace.test_checkpoint import Course, make_tracked
from training.errors import TrainingError
from training.prepare import prepare
from training.settings import NetworkSettings, TrainSettings

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the module imports


def make_run(folder: Path, *, rows: Any = None, resume: bool = True, **changes: Any) -> "Run":
    from training.run import Run

    dataset = write_csv(folder / "rows.csv", rows or make_rows(60))
    options = {"name": "mine", "network": NetworkSettings(cell="gru", units=8)}
    settings = TrainSettings(dataset=str(dataset), vocabulary=100, **options | changes)
    return Run(prepared=prepare(settings), settings=settings, work=folder / "work", resume=resume)


def save(run: "Run", *, epoch: int = 1) -> None:
    run.checkpoint("network").save(make_tracked(epoch), Course(epoch=epoch))


def restore(run: "Run") -> Course:
    return run.checkpoint("network").restore(make_tracked(), Course())


class TestCheckpoints:
    def test_of_the_same_training(self, tmp_path: Path) -> None:
        save(make_run(tmp_path), epoch=3)
        assert restore(make_run(tmp_path)).epoch == 3
        assert restore(make_run(tmp_path, resume=False)).epoch == 0
        assert restore(make_run(tmp_path, name="other")).epoch == 0

    def test_of_another_stage(self, tmp_path: Path) -> None:
        run = make_run(tmp_path)
        save(run)
        assert run.checkpoint("round-1").restore(make_tracked(), Course()).epoch == 0

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"network": NetworkSettings(cell="lstm", units=8)}, "cell was 'gru' and is 'lstm'"),
            ({"subwords": False}, "subwords was None and is False"),
            ({"class_weight": "sqrt"}, "class_weight was 'none' and is 'sqrt'"),
            ({"seed": 2}, "seed was 1 and is 2"),
            ({"rows": make_rows(61)}, "train was '"),
        ],
    )
    def test_of_another_training(self, changes: dict, told: str, tmp_path: Path) -> None:
        save(make_run(tmp_path))
        with pytest.raises(TrainingError) as caught:
            restore(make_run(tmp_path, **changes))
        assert f"is of another training: {told}" in str(caught.value)
        assert str(caught.value).endswith("; give the same options, or train without --resume")

    def test_of_another_normalisation(self, tmp_path: Path) -> None:
        run = make_run(tmp_path)
        save(run)
        tokens = run.prepared.tokenizer.tokens
        old = replace(run.prepared, tokenizer=Tokenizer(tokens, normalization=1))
        with pytest.raises(TrainingError, match="normalization was 2 and is 1"):
            restore(replace(run, prepared=old))

    def test_are_deleted_in_the_end_and_no_one_else_s(self, tmp_path: Path) -> None:
        mine, other = make_run(tmp_path), make_run(tmp_path, name="other")
        for run in (mine, other):
            save(run)
        mine.clean_up()
        assert restore(mine).epoch == 0
        assert restore(other).epoch == 1
        mine.clean_up()  # when there is nothing left


class TestLock:
    def test_one_training_of_a_name_at_a_time(self, tmp_path: Path) -> None:
        mine = make_run(tmp_path)
        with mine.lock():
            save(mine)
            with pytest.raises(TrainingError) as caught, make_run(tmp_path).lock():
                pass
            with make_run(tmp_path, name="other").lock():
                pass
            mine.clean_up()
        assert str(caught.value) == (
            f"another training of mine is at work in {tmp_path / 'work'}; "
            "wait for its end, or give another --name or --work"
        )
        with make_run(tmp_path).lock():
            pass

    def test_a_name_that_looks_like_the_lock_of_another(self, tmp_path: Path) -> None:
        for name in ("mine", "mine.lock"):
            run = make_run(tmp_path, name=name)
            with run.lock():
                save(run)
                assert run.has_checkpoints


class TestChoices:
    def test_of_equal_classes(self, tmp_path: Path) -> None:
        run = make_run(tmp_path)
        assert run.score == "accuracy"
        assert run.weights.tolist() == [1, 1]

    def test_of_unequal_classes(self, tmp_path: Path) -> None:
        rows = make_rows(60, labels=["neg", "pos", "pos", "pos"])
        run = make_run(tmp_path, rows=rows, class_weight="balanced")
        assert run.score == "macro_f1"
        assert run.weights[0] / run.weights[1] == pytest.approx(3, rel=0.1)


class TestJudges:
    def make(self, folder: Path, *, rows: int, leaked: int, inner: int = 0) -> "Run":
        run = make_run(folder, rows=make_rows(rows))
        leaks = np.zeros(len(run.prepared.data.validation), bool)
        leaks[:leaked] = True
        whole = np.arange(len(leaks)) < len(leaks) - inner
        data = run.prepared.data
        data = replace(data, validation=replace(data.validation, whole=whole))
        prepared = replace(run.prepared, data=data, leaks={"validation": leaks})
        return replace(run, prepared=prepared)

    def test_rows_that_train_has_too_do_not_judge(self, tmp_path: Path) -> None:
        run = self.make(tmp_path, rows=1_100, leaked=5)
        validation = run.prepared.data.validation
        assert run.judges.ids == run.prepared.ids["validation"][5:]
        np.testing.assert_array_equal(run.judges.labels, validation.labels[5:])

    def test_parts_of_other_rows_do_not_judge(self, tmp_path: Path) -> None:
        run = self.make(tmp_path, rows=1_100, leaked=5, inner=2)
        assert run.judges.ids == run.prepared.ids["validation"][5:-2]

    def test_unless_there_are_few_others(self, tmp_path: Path) -> None:
        run = self.make(tmp_path, rows=200, leaked=5)
        assert run.judges.ids == run.prepared.ids["validation"]
        assert len(run.judges.labels) == len(run.judges.ids)


def test_cleaning_up_leaves_all_else(tmp_path: Path) -> None:
    kept = [tmp_path / "work" / name / "mine" for name in ("encoders", "tensorboard", "mine")]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.write_text("precious")
    for name in ("mine", "encoders", "checkpoints"):
        run = make_run(tmp_path, name=name)
        save(run)
        run.clean_up()
    assert all(path.read_text() == "precious" for path in kept)
    assert not list((tmp_path / "work" / "checkpoints").rglob("*.npz"))


def test_checkpoints_of_other_validation_rows(tmp_path: Path) -> None:
    from training.run import Run

    run = make_run(tmp_path)
    save(run)
    other = replace(run.prepared.data.validation, texts=["else"] * len(run.judges.ids))
    prepared = replace(run.prepared, data=replace(run.prepared.data, validation=other))
    changed = Run(prepared=prepared, settings=run.settings, work=run.work, resume=True)
    with pytest.raises(TrainingError, match="is of another training: validation was"):
        restore(changed)
    unlabelled = replace(run.prepared, domain=[[2, 3]])
    changed = Run(prepared=unlabelled, settings=run.settings, work=run.work, resume=True)
    with pytest.raises(TrainingError, match="is of another training: unlabelled texts was"):
        restore(changed)
