"""A setting is declared once: the command line and the documentation follow it."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from service.__main__ import app
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "serving.md"
COMPOSE = ROOT / "docker-compose.yml"


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`GATEWISE_(\w+)` \|", DOCS.read_text()))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_every_setting_reaches_the_container() -> None:
    """But for those that are the container's own."""
    api = COMPOSE.read_text().partition("\n  keys:")[0]
    handed_on = set(re.findall(r"^      GATEWISE_(\w+):", api, re.MULTILINE))
    assert handed_on == {name.upper() for name in Settings.model_fields} - {"HOST", "PORT", "STORE"}


def test_a_first_process_stands_before_ours_in_the_containers() -> None:
    """It hands signals on, also while Python starts, when ours would not take them."""
    confined = COMPOSE.read_text().partition("x-confined:")[2].partition("\nservices:")[0]
    assert re.search(r"^  init: true\b", confined, re.MULTILINE)
    assert COMPOSE.read_text().count("<<: *confined") == 5


def test_options_are_settings() -> None:
    serve = typer.main.get_command(app)
    options = {option.name: option for option in serve.params if option.name != "help"}
    assert set(options) == {"host", "port", "store", "model", "engine", "workers", "keys"}
    for name, option in options.items():
        assert (Settings.model_fields[name].description or "").removesuffix(".") in option.help


@pytest.mark.parametrize(("option", "value"), [("--workers", "0"), ("--port", "65536")])
def test_limits_hold_on_the_command_line(option: str, value: str) -> None:
    refused = CliRunner().invoke(app, [option, value])
    assert refused.exit_code == 2
    assert f"error: GATEWISE_{option[2:].upper()}: Input should be" in refused.stderr
