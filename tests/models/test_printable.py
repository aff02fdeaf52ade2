"""Names of others can forge no line, and steer no terminal."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.command_line import print_error
from models.printable import escape_controls
from models.registry import Store
from tests.versions import publish

FORGED = "x\nINFO: toy:1 is ready\r\x1b[2K"
SHOWN = r"x\nINFO: toy:1 is ready\r\x1b[2K"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (FORGED, SHOWN),
        ("\x9b2K \x85 \u2028 \u202e \udc80 \t", r"\x9b2K \x85 \u2028 \u202e \udc80 \t"),
    ],
)
def test_controls_are_shown(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


@pytest.mark.parametrize("text", ["", "größer", "می\u200cخواهم", r"C:\new 'folder'", "👩\u200d👧"])
def test_all_else_stays(text: str) -> None:
    assert escape_controls(text) == text


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(f"{FORGED} is not there")
    assert capsys.readouterr().err == f"error: {SHOWN} is not there\n"


def test_the_name_of_a_file_forges_no_line_of_verify(tmp_path: Path) -> None:
    publish(tmp_path)
    (version,) = Store(tmp_path).versions("toy")
    (version.path / FORGED).touch()
    done = CliRunner().invoke(app, ["verify", "--store", str(tmp_path)])
    assert done.exit_code == 1
    (line,) = done.stdout.splitlines()
    assert SHOWN in line
