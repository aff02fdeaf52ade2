"""The command line has the options that the fields of settings declare, and no others."""

import dataclasses
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from training.__main__ import app
from training.commands.options import setting, takes
from training.defaults import CHOSEN
from training.settings import SETTINGS, Declared

COMMANDS = get_command(app).commands
OWN = {
    "train": {"time_budget", "gate", "resume", "work", "store"},
    "tune": {"minutes", "trials", "together", "ray", "resume", "work"},
    "compare": {"cells", "seeds", "rows", "time_budget", "tasks", "ray", "resume", "out", "work"},
    "teach": {
        *("unlabeled", "teacher", "out", "most_texts", "longest"),
        *("license", "resume", "work", "store"),
    },
    "curve": {"draws", "next", "count", "out", "work"},
    "inspect": {"json"},
    "evaluate": {"model", "split", "engine", "report", "json", "store"},
    "prune": {"keep", "store"},
}
GIVEN = [declared for declared in SETTINGS.values() if declared.about.is_option]


def parameters(command: str) -> dict[str, Any]:
    """Return what a command takes, by name, beside the file of settings that all take."""
    found = {parameter.name: parameter for parameter in COMMANDS[command].params}
    assert found.pop("settings_file").opts == ["--config"]
    return found


def test_train_has_an_option_for_each_setting_that_can_be_given() -> None:
    assert set(parameters("train")) - OWN["train"] == {declared.name for declared in GIVEN}


@pytest.mark.parametrize("declared", GIVEN, ids=lambda each: each.name)
def test_options_are_as_declared(declared: Declared) -> None:
    option, about = parameters("train")[declared.name], declared.about
    default = declared.field.default
    assert option.opts == [declared.option]
    assert (option.min, option.max) == (about.least, about.most)
    assert option.required is (default is dataclasses.MISSING and declared.name not in CHOSEN)
    if declared.name in CHOSEN:
        assert option.default is None
        assert option.help.endswith(f"; if absent: {CHOSEN[declared.name]}.")
    elif not option.required:
        assert option.default == default
    assert about.help in option.help
    assert f"({about.unit})" in option.help or not about.unit


@pytest.mark.parametrize("command", OWN)
def test_commands_share_the_options_of_settings(command: str) -> None:
    found = parameters(command)
    assert OWN[command] <= set(found)
    for name in set(found) - OWN[command]:
        assert found[name].opts == [SETTINGS[name].option]
        assert found[name].min == SETTINGS[name].about.least


def call(*settings: Any, arguments: list[str]) -> Any:
    """Return what a command that takes these settings is asked, or how the call ends."""
    heard = []

    @takes(*settings)
    def command(asked: dict[str, Any], *, loud: bool = False) -> None:
        heard.append((asked, loud))

    single = typer.Typer(add_completion=False)
    single.command()(command)
    done = CliRunner().invoke(single, arguments)
    return heard[0] if heard else done


def test_a_command_gets_settings_by_name_and_its_own_options() -> None:
    settings = (setting("name"), setting("pretrain_epochs"), setting("batch"), setting("cell"))
    asked, loud = call(*settings, arguments=["--name=x", "--pretraining=4", "--loud"])
    assert asked == {"name": "x", "pretrain_epochs": 4, "batch": None, "cell": None}
    assert loud is True


def test_a_command_may_differ() -> None:
    units = setting("units", help="As wide as this", default=5, most=9)
    assert call(units, arguments=[]) == ({"units": 5}, False)
    assert call(units, arguments=["--units=9"]) == ({"units": 9}, False)
    assert call(units, arguments=["--units=10"]).exit_code == 2
    assert "As wide as this." in call(units, arguments=["--help"]).stdout


def test_a_check_refuses() -> None:
    done = call(setting("name"), arguments=["--name=../x"])
    assert done.exit_code == 2
    assert "is no name" in done.output
