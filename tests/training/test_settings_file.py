"""The settings of a training as a file: what is written is read, and what is wrong is told."""

import tomllib
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.command import refusal
from tests.training.labelled_files import make_rows, write_csv
from training.commands import train as command
from training.defaults import CHOSEN, complete
from training.settings import SETTINGS, FitSettings, NetworkSettings, TeachSettings, TrainSettings
from training.settings_file import write_settings

NETWORK = NetworkSettings(cell="lstm", units=64)
USUAL = TrainSettings(dataset="a.csv", name="a", network=NetworkSettings(cell="gru"))
SEVERAL = [
    USUAL,
    TrainSettings(
        dataset='odd "name"\n.csv',
        name="b",
        network=NETWORK,
        fit=FitSettings(epochs=3, learning_rate=1e-4),
        subwords=False,
        pretrained=True,
        seed=7,
    ),
    TrainSettings(
        dataset="c",
        name="c",
        network=NETWORK,
        encoder="some/encoder",
        teach=TeachSettings(epochs=9),
        separator="\t",
        clean_labels=True,
    ),
]


@pytest.mark.parametrize("settings", SEVERAL)
def test_what_is_written_is_read(
    settings: TrainSettings, tmp_path: Path, run_here, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def stop(values, **_) -> None:
        asked.update(values)
        raise SystemExit

    monkeypatch.setattr(command, "with_name", stop)
    write_settings(settings, tmp_path / "train.toml")
    run_here("train", f"--config={tmp_path / 'train.toml'}")
    chosen = {name: value for name, value in asked.items() if value is not None}
    assert set(chosen) >= {"dataset", "name", "cell"}
    for name, value in chosen.items():
        assert value == SETTINGS[name].value(settings), name


def test_defaults_are_comments(tmp_path: Path) -> None:
    write_settings(USUAL, tmp_path / "train.toml")
    content = (tmp_path / "train.toml").read_text()
    assert tomllib.loads(content) == {"dataset": "a.csv", "name": "a", "cell": "gru"}
    assert "\n# units = 128\n" in content
    assert "teaching" not in content  # of an encoder, which there is not


@pytest.mark.parametrize(
    "given",
    [
        {"unlabeled": "t.txt"},
        {"unlabeled": "t.txt", "units": 128},
        {"unlabeled": "t.txt", "learning_rate": 2e-3},
        {"encoder": "e", "learning_rate": 2e-3},
        {"teacher": "toy:1", "unlabeled": "t.txt", "pretrain_epochs": 3},
        {"teacher": "toy:1", "unlabeled": "t.txt", "pretrain_epochs": 3, "units": 128},
        {"unlabeled": "t.txt", "self_training": 0},
        {"unlabeled": "t.txt", "vocabulary": 500},
        {"unlabeled": "t.txt", "vocabulary": 12_000},
        {"encoder": "e", "unlabeled": "t.txt", "teach_epochs": 2},
    ],
)
@pytest.mark.parametrize("budgeted", [False, True])
def test_what_is_read_gives_the_same_training(
    given: dict[str, Any], budgeted: bool, tmp_path: Path
) -> None:
    asked = dict.fromkeys(CHOSEN) | {
        name: declared.field.default
        for name, declared in SETTINGS.items()
        if declared.field.default is not MISSING and name not in CHOSEN
    }
    asked |= {"dataset": "a.csv", "name": "a"}
    done = complete(asked | given, start=None, budgeted=budgeted)
    write_settings(TrainSettings.of(done), tmp_path / "train.toml")
    names = {each.option.removeprefix("--"): name for name, each in SETTINGS.items()}
    read = tomllib.loads((tmp_path / "train.toml").read_text())
    again = asked | {names[key]: value for key, value in read.items()}
    assert complete(again, start=None, budgeted=False) == done


def test_a_folder_to_start_from_is_read_from_again(tmp_path: Path) -> None:
    settings = replace(USUAL, start_from="runs/mine")
    write_settings(settings, tmp_path / "train.toml")
    read = tomllib.loads((tmp_path / "train.toml").read_text())
    assert (read["from"], read["units"], read["learning-rate"]) == ("runs/mine", 128, 2e-3)


def test_secrets_stay_out(tmp_path: Path) -> None:
    secret = "ask --key=gw_0123"
    settings = TrainSettings(
        dataset="a.csv", name="a", network=NETWORK, teacher_command=secret, unlabeled="b.csv"
    )
    write_settings(settings, tmp_path / "train.toml")
    content = (tmp_path / "train.toml").read_text()
    assert "gw_0123" not in content
    assert "teacher-command is not kept" in content


def test_the_command_line_comes_first(tmp_path: Path, run_here) -> None:
    (tmp_path / "t.toml").write_text('dataset = "nowhere.csv"\nunits = 0\n')
    done = run_here("train", f"--config={tmp_path / 't.toml'}")
    assert refusal(done).startswith("Invalid value for '--units'")
    done = run_here("train", f"--config={tmp_path / 't.toml'}", "--units=8")
    assert refusal(done) == "no file or folder nowhere.csv"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('unit = 3\ndataset = "a"', "no setting 'unit'; did you mean 'units'?"),
        ("resume = true", "no setting 'resume'"),
        ("config = 'x'", "no setting 'config'"),
        ('epochs = "many"', "epochs = 'many': Input should be a valid integer"),
        ("epochs = 1.5", "epochs = 1.5: Input should be a valid integer"),
        ("epochs = true", "epochs = True: Input should be a valid integer"),
        ("ngrams = 1", "ngrams = 1: Input should be a valid boolean"),
        ("name = 2026-01-01", None),  # a date becomes a text, as on the command line
        ("[train]\nunits = 3", "no setting 'train'"),
        ("units = [3]", "units = [3]: Input should be a valid integer"),
        ('cell = "tree"', "cell = 'tree': Input should be"),
        ("units = ", "is no TOML"),
        ("\x00", "is no TOML"),
    ],
)
def test_what_is_wrong_is_one_line(
    content: str, message: str | None, tmp_path: Path, run_here
) -> None:
    path = tmp_path / "train.toml"
    path.write_text(content)
    done = run_here("train", f"--config={path}")
    if message is None:
        assert refusal(done) == "Missing option '--dataset'."
    else:
        assert message in refusal(done)


@pytest.mark.parametrize("name", ["gone.toml", "."])
def test_a_file_that_cannot_be_read(name: str, tmp_path: Path, run_here) -> None:
    assert refusal(run_here("train", f"--config={tmp_path / name}")).startswith("--config: ")


def test_other_encodings_are_told(tmp_path: Path, run_here) -> None:
    (tmp_path / "t.toml").write_bytes(b'name = "\xff"')
    assert "is no TOML" in refusal(run_here("train", f"--config={tmp_path / 't.toml'}"))


@pytest.mark.parametrize("command_", ["tune", "compare", "curve", "inspect"])
def test_other_commands_take_it_too(command_: str, tmp_path: Path, run_here) -> None:
    rows = write_csv(tmp_path / "rows.csv", make_rows(60))
    (tmp_path / "t.toml").write_text(f'dataset = "{rows}"\ntext-column = "nope"\n')
    assert "nope" in refusal(run_here(command_, f"--config={tmp_path / 't.toml'}"))


@pytest.mark.parametrize("command_", ["inspect", "evaluate", "curve", "tune"])
def test_what_another_command_does_not_take_is_told(
    command_: str, tmp_path: Path, run_here
) -> None:
    write_settings(replace(USUAL, dataset="./none.csv", max_tokens=7), tmp_path / "train.toml")
    arguments = ["imdb-gru"] if command_ == "evaluate" else []
    done = run_here(command_, f"--config={tmp_path / 'train.toml'}", *arguments)
    assert refusal(done).startswith("no file or folder ./none.csv")
    told = " ".join(done.stderr.split())
    assert "train.toml has settings that are not for this command: " in told
    assert "max-tokens" in told
