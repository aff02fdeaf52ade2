"""The command `compare` refuses what it cannot start from."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.training.labelled_files import make_rows, write_csv
from training.__main__ import app


def run(folder: Path, *options: str) -> str:
    """Return what the command says when it refuses."""
    dataset = write_csv(folder / "rows.csv", make_rows(60))
    command = ["compare", "--dataset", str(dataset), "--work", str(folder), *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code != 0
    return result.output + str(result.exception)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--cells", "rnn"), "no network of 128 units is shipped for simple cell"),
        (("--units", "64"), "no network of 64 units is shipped for simple cell, GRU, LSTM"),
        (("--subwords",), "--pretrained and --subwords both say where to start"),
    ],
)
def test_a_start_that_there_is_not(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    assert told in run(tmp_path, "--pretrained", *options)


def test_an_unknown_cell(tmp_path: Path) -> None:
    assert "unknown cell 'qrnn'" in run(tmp_path, "--cells", "gru,qrnn")
