"""A store that cannot be served from ends the start, or the scoring, with one line."""

import os
import pwd
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.__main__ import app
from service.settings import Settings
from service.web import server, workers
from service.web.app import create_app
from tests.versions import publish


def make_nothing(path: Path) -> None:
    """Leave the path as it is: not there."""


def make_file(path: Path) -> None:
    path.write_text("a model")


def make_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "gone")


def make_link_to_a_file(path: Path) -> None:
    (path.parent / "file").write_text("a model")
    path.symlink_to(path.parent / "file")


FAULTS = [
    (make_nothing, "is not there"),
    (make_file, "is a file; give the folder of the versions"),
    (make_dangling_link, "is a link to .*/gone, which is not there"),
    (make_link_to_a_file, "is a file"),
]
SCORE = ["score", "--in", "-", "--out", "-", "--model", "toy"]


@pytest.mark.parametrize("command", [[], ["--workers", "2"], SCORE])
@pytest.mark.parametrize(("make", "fault"), FAULTS)
def test_a_store_that_is_none_is_told(
    command: list[str], make: Callable[[Path], None], fault: str, tmp_path: Path
) -> None:
    make(tmp_path / "store")
    refused = CliRunner().invoke(app, [*command, "--store", str(tmp_path / "store")])
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"error: the store {tmp_path / 'store'} is")
    assert re.search(fault, line)


@pytest.mark.parametrize("command", [[], SCORE])
def test_a_store_that_may_not_be_read_is_told(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    refused = CliRunner().invoke(app, [*command, "--store", str(tmp_path)])
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"error: the store {tmp_path} cannot be read by user ")


@pytest.mark.parametrize(
    ("option", "command"),
    [
        (["--store", "elsewhere"], SCORE),
        (["--workers", "2"], ["openapi"]),
        (["--keys", "keys.json"], ["keys", "list"]),
    ],
)
def test_options_of_the_service_beside_a_command_are_refused(
    option: list[str], command: list[str]
) -> None:
    refused = CliRunner().invoke(app, [*option, *command])
    assert refused.exit_code == 2
    assert refused.output == (
        f"error: {option[0]} stands before {command[0]}, where it is an option of the service; "
        f"write the options of {command[0]} behind it\n"
    )


def test_a_store_of_nearly_that_name_is_suggested(tmp_path: Path) -> None:
    publish(tmp_path / "store")
    refused = CliRunner().invoke(app, ["--store", str(tmp_path / "stroe")])
    assert "stroe is not there; did you mean 'store'?" in refused.stderr


def test_a_store_in_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["--store", str(tmp_path / "none" / "store")])
    assert refused.exit_code == 2
    assert "is not there" in refused.stderr


def test_a_relative_store_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(app, ["--store", "models/store"])
    assert f"the store {tmp_path}/models/store is not there" in refused.stderr


def test_a_model_of_nearly_that_name_is_suggested_to_score(tmp_path: Path) -> None:
    publish(tmp_path)
    command = ["score", "--in", "-", "--out", "-", "--model", "tyo", "--store", str(tmp_path)]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    assert "there are: toy; did you mean 'toy'?" in refused.stderr


@pytest.mark.parametrize("command", [[], ["--workers", "2"]])
def test_a_user_without_an_entry_and_a_home_will_do(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As OpenShift runs containers: with a number of its own for each project."""

    def find_none(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    def answer(settings: Settings) -> None:
        with TestClient(create_app(settings)) as client:
            client.app.state.service.catalog.refresh()
            answers.append(client.post("/predict", json={"text": "good"}).json()["label"])

    answers: list[str] = []
    publish(tmp_path)
    monkeypatch.setattr(pwd, "getpwuid", find_none)
    for variable in ("HOME", "USER", "LOGNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(server, "run_server", answer)
    monkeypatch.setattr(workers, "run_workers", answer)
    done = CliRunner().invoke(app, [*command, "--store", str(tmp_path)])
    assert (done.exit_code, answers) == (0, ["pos"])
