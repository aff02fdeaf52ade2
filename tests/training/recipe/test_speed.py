"""A training is cut to the time that there is, from speeds measured on this machine."""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.training.labelled_files import make_rows, write_csv
from tests.training.recipe.test_sentences import make_taught
from tests.training.test_run import make_run
from training.recipe.time_plan import Costs
from training.settings import Budget, FitSettings, NetworkSettings, PretrainSettings, TeachSettings

if TYPE_CHECKING:
    from training.run import Run

pytestmark = pytest.mark.tensorflow  # which the module imports


@pytest.fixture(autouse=True)
def hasty(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.recipe import speed as pace

    monkeypatch.setattr(pace, "SECONDS", 0.01)


def make(folder: Path, **changes: Any) -> "Run":
    more = write_csv(folder / "more.csv", make_rows(90))
    options: dict[str, Any] = {
        "network": NetworkSettings(cell="gru", units=3, embedding=4),
        "fit": FitSettings(batch=16),
        "pretrain": PretrainSettings(batch=16, negatives=8, vocabulary=100),
        "unlabeled": str(more),
        "self_training": 2,
    }
    run = make_run(folder, **options | changes)
    run.note("").mkdir(parents=True)
    return run


def cut(run: "Run", *, minutes: float) -> "Run":
    from training.recipe.speed import fit_into

    return fit_into(run, Budget(minutes=minutes), baseline=0)


def price(monkeypatch: pytest.MonkeyPatch, **costs: float) -> None:
    """Let the parts of a training cost what is said, in seconds."""
    from training.recipe import speed as pace

    free = {"pretraining": 0.0, "epoch": 0.0, "round_epoch": 0.0, "before": 0.0}
    monkeypatch.setattr(pace, "measure_costs", lambda run, budget, baseline: Costs(**free | costs))


def test_costs_are_measured(tmp_path: Path) -> None:
    from training.recipe.speed import measure_costs

    budget = Budget(minutes=1, started=time.monotonic() - 5)
    costs = measure_costs(make(tmp_path), budget, baseline=1_000)
    assert 5 < costs.before < 1_000
    assert costs.pretraining > 0
    assert costs.round_epoch > costs.epoch > 0
    assert 500 < costs.start < 1_500  # n-grams take about as long as the baseline
    assert costs.after > 0
    costs = measure_costs(make(tmp_path / "without", ngrams=False), budget, baseline=1_000)
    assert costs.start < 500


def test_more_rows_to_answer_take_longer_afterwards(tmp_path: Path) -> None:
    from training.recipe.speed import _estimate_rest

    few, many = make(tmp_path), make(tmp_path / "many", rows=make_rows(600))
    short, long = (_estimate_rest(run, start=1, answering=1e-3) for run in (few, many))
    assert long > short
    assert _estimate_rest(few, start=2, answering=1e-3) > short
    labels = make(tmp_path / "labels", rows=make_rows(60, labels=[*"abcdefghij"]))
    assert _estimate_rest(labels, start=1, answering=1e-3) > short


def test_a_language_that_is_known_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.recipe import speed as pace

    monkeypatch.setattr(pace, "is_kept", lambda run: True)
    assert pace.measure_costs(make(tmp_path), Budget(minutes=1), baseline=0).pretraining == 0


def test_enough_time_changes_nothing(tmp_path: Path) -> None:
    run = make(tmp_path)
    assert cut(run, minutes=1e6).settings == run.settings


def test_what_does_not_fit_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    price(monkeypatch, pretraining=100, round_epoch=1000)
    settings = cut(make(tmp_path, fit=FitSettings(epochs=2)), minutes=2).settings
    assert settings.self_training == 0
    assert (settings.pretrain.epochs, settings.fit.epochs) == (1, 2)
    price(monkeypatch, pretraining=100, epoch=100)
    settings = cut(make(tmp_path / "other"), minutes=1).settings
    assert (settings.pretrain.epochs, settings.fit.epochs) == (0, 1)
    assert settings.share == pytest.approx(60 / 115)


def test_a_stopped_training_keeps_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    price(monkeypatch, epoch=100)
    first = make(tmp_path)
    found = cut(first, minutes=1).settings
    price(monkeypatch)
    capsys.readouterr()
    assert cut(replace(first, resume=True), minutes=1).settings == found
    assert "resuming the plan of the stopped training" in capsys.readouterr().err
    assert cut(replace(first, resume=False), minutes=1).settings == first.settings


def test_only_a_share_of_the_rows_is_seen(tmp_path: Path) -> None:
    from training.recipe.learn import examples, lesson_of

    run = make(tmp_path)
    all_of_them = examples(run, lesson_of(run))
    run = replace(run, settings=replace(run.settings, share=0.25))
    some = examples(run, lesson_of(run))
    assert len(some) == pytest.approx(len(all_of_them) / 4, abs=1)
    assert len(some.targets) == len(some)


def test_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    price(monkeypatch, round_epoch=1_000, before=6)
    cut(make(tmp_path), minutes=1)
    said = capsys.readouterr().err
    assert "time budget 1 min: 3 passes of pretraining, 30 epochs (0.1 min in all: " in said
    assert "left out: 2 rounds of self-training" in said


def test_fits_end_in_time_for_what_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    price(monkeypatch, epoch=1, after=20)
    now = time.monotonic()
    first = make(tmp_path)
    until = cut(first, minutes=2).fit_until
    assert until == pytest.approx(now + 100, abs=5)
    again = cut(replace(first, resume=True), minutes=2).fit_until
    assert again == pytest.approx(now + 100, abs=30)  # the plan of before, the time anew
    assert make(tmp_path / "free").fit_until == math.inf


def test_the_least_plan_is_done_whatever_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    price(monkeypatch, epoch=1_000, start=30, after=500)
    run = cut(make(tmp_path), minutes=1)
    assert run.settings.share == 0.01
    assert run.fit_until > time.monotonic() + 30
    assert cut(replace(run, resume=True), minutes=1).fit_until > time.monotonic() + 30


def test_a_plan_of_an_older_release_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    price(monkeypatch)
    run = make(tmp_path)
    run.note("plan.json").write_text('{"pretraining": 1, "epochs": 2, "rounds": 0, "share": 1.0}')
    settings = cut(replace(run, resume=True), minutes=1).settings
    assert (settings.pretrain.epochs, settings.fit.epochs, settings.self_training) == (1, 2, 0)


def test_no_round_of_self_training_is_begun_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from training.recipe import learn as module

    monkeypatch.setattr(module, "find_encoder", lambda run: None)
    monkeypatch.setattr(module, "_learn", lambda run, lesson, encoder, stage: stage)
    run: Any = replace(make(tmp_path), fit_until=time.monotonic())
    capsys.readouterr()
    assert module.learn(run) == "network"
    said = "note: the time is up; the rest of self-training is left out"
    assert capsys.readouterr().err.splitlines() == [said]


def test_too_little_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    price(monkeypatch, epoch=1, before=100)
    assert cut(make(tmp_path), minutes=1).settings.share == 0.01
    assert (
        "warning: the time budget does not cover reading, baseline, n-grams, start of TensorFlow, "
        "export, check and report, which take about 1.7 min here; expect 1.7 min"
    ) in capsys.readouterr().err
    price(monkeypatch, epoch=10_000, before=30)
    cut(make(tmp_path / "slow"), minutes=1)
    assert "warning: even that is likely to take longer" in capsys.readouterr().err


class TestEncoder:
    """The cost of an encoder is measured like that of a language model."""

    def make(self, folder: Path) -> "Run":
        run = make_taught(folder)
        run.note("").mkdir(parents=True)
        return run

    def test_it_is_measured(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from training.recipe import teacher_vectors
        from training.recipe.encoder_cache import find_encoder
        from training.recipe.speed import measure_costs

        monkeypatch.setattr(teacher_vectors, "PART", 50)
        run = self.make(tmp_path)
        costs = measure_costs(run, Budget(minutes=1), baseline=0)
        assert costs.pretraining > 0
        assert costs.embedding > 0
        assert len(list((tmp_path / "work" / "encoders" / "vectors").glob("*.npy"))) == 1
        find_encoder(run)
        costs = measure_costs(run, Budget(minutes=1), baseline=0)
        assert costs.pretraining == costs.embedding == 0

    def test_passes_are_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        price(monkeypatch, pretraining=10, embedding=20)
        run = self.make(tmp_path)
        run = replace(run, settings=replace(run.settings, teach=TeachSettings(epochs=6)))
        short = cut(run, minutes=1)
        assert short.settings.teach.epochs == 3
        assert short.encoder is not None

    def test_it_is_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        price(monkeypatch, pretraining=10, embedding=100)
        short = cut(self.make(tmp_path), minutes=1)
        assert short.encoder is None
        assert short.settings.encoder is None
        assert "encoder" not in short.origins
        assert not short.pretrains

    def test_no_language_model_takes_its_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write_csv(tmp_path / "more.csv", [(f"good film {row}", 1) for row in range(60)])
        run = make_taught(tmp_path, unlabeled=str(path))
        run.note("").mkdir(parents=True)
        price(monkeypatch, pretraining=10, embedding=100)
        short = cut(run, minutes=1)
        assert short.encoder is None
        assert not short.pretrains
