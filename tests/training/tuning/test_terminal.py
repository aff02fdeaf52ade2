"""What is said at the end: the best trials, whether they are better, and what to do next."""

import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.training.tuning.trials import VALUES, make_outcome
from training.settings import NetworkSettings, TrainSettings
from training.tuning.outcome import rank
from training.tuning.progress import outcome_line
from training.tuning.terminal import command, count, print_outcomes, verdict

SETTINGS = TrainSettings(
    name="mine", dataset="my rows.csv", network=NetworkSettings(cell="lstm"), text_column="what?"
)
DEFAULT = make_outcome(0, score=0.8, is_default=True)


def judge(*outcomes: object) -> str:
    return verdict(rank([DEFAULT, *outcomes]), score="macro_f1", rows=1_066)  # type: ignore[list-item]


def test_a_difference_inside_the_noise() -> None:
    assert judge(make_outcome(3, score=0.81)) == (
        "trial 3 has 0.0100 more macro f1 than the defaults on 1,066 validation rows, where the "
        "standard error of a score is 0.0100: that is inside the noise, so the defaults may well "
        "be as good"
    )


def test_a_difference_outside_the_noise() -> None:
    assert "0.0500 more macro f1" in judge(make_outcome(3, score=0.85))
    assert "that is more than noise" in judge(make_outcome(3, score=0.85))


def test_the_defaults_are_best() -> None:
    assert judge(make_outcome(3, score=0.7)).startswith("the defaults are best")
    assert judge() == "nothing but the defaults is complete, so there is nothing to compare with"


@pytest.mark.tensorflow
def test_the_command_is_one_that_train_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from training import __main__ as program

    asked = replace(SETTINGS, seed=0, skip_unusable=True, clean_labels=True)
    python, *arguments = shlex.split(command(asked, VALUES))
    assert [python, *arguments[:3]] == ["python", "-m", "training", "train"]
    assert arguments[3:6] == ["--dataset=my rows.csv", "--name=mine", "--text-column=what?"]
    called = {}
    monkeypatch.setattr(
        "training.prepare.prepare",
        lambda settings, **_: called.update(x=settings) or SimpleNamespace(took_offer=False),
    )
    monkeypatch.setattr("training.pipeline.train", lambda run, store: None)
    program.app(arguments[2:], standalone_mode=False)
    settings = called["x"]
    assert (settings.network.cell, settings.network.units, settings.fit.batch) == ("lstm", 64, 16)
    assert settings.pretrained is None
    assert (settings.seed, settings.skip_unusable, settings.clean_labels) == (0, True, True)


def test_trials_without_the_shipped_network_lead_to_a_training_without_it() -> None:
    told = command(replace(SETTINGS, pretrained=False), VALUES)
    assert "--no-pretrained" in shlex.split(told)


def test_a_table_of_the_best_with_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    better = [make_outcome(number, score=0.8 + number / 100) for number in range(1, 8)]
    print_outcomes([DEFAULT, *better], settings=SETTINGS, score="accuracy", rows=100)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].split() == ["trial", "7", "6", "5", "4", "3", "defaults"]
    scores = ["0.8700", "0.8600", "0.8500", "0.8400", "0.8300", "0.8000"]
    assert lines[1].split() == ["accuracy", *scores]
    assert max(map(len, lines[:13])) <= 80
    assert any(line.split() == ["learning", "rate"] + ["0.00123"] * 6 for line in lines)
    assert lines[-1].startswith("to train with the best: python -m training train ")


def test_nothing_to_tell_yet(capsys: pytest.CaptureFixture[str]) -> None:
    print_outcomes([], settings=SETTINGS, score="accuracy", rows=100)
    assert capsys.readouterr().err == "no trial is complete yet\n"


def test_how_trials_ended() -> None:
    others = [make_outcome(1, ending="pruned"), make_outcome(2, score=None, ending="out of time")]
    assert count([DEFAULT, *others]) == "trials: 3, of which 1 complete, 1 pruned, 1 out of time"
    assert outcome_line(DEFAULT, score="accuracy") == "trial 0: accuracy 0.8000, 12 s; the defaults"
    told = outcome_line(others[1], score="accuracy")
    assert told.startswith("trial 2: out of time after 2 epochs, no epoch, 12 s; units 64, layers")
