"""The command line: what is wrong is one line and status 2, and leaves nothing behind."""

import pytest

from tests.training.command import refusal, run_command
from training.__main__ import app


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "Missing option '--dataset'."),
        (["trian"], "No such command 'trian'."),
        (["prune", "--name=../x", "--keep=1"], "Invalid value for '--name': '../x' is no name"),
        (["prune", "--name=x", "--keep=0"], "Invalid value for '--keep': "),
    ],
)
def test_wrong_command_lines(run_here, arguments: list[str], message: str) -> None:
    done = run_here(*arguments)
    assert refusal(done).startswith(message)
    assert done.stderr.count("\n") == 1


def test_a_wrong_command_line_ends_a_process() -> None:
    done = run_command("train")
    assert refusal(done) == "Missing option '--dataset'."
    assert done.stderr.count("\n") == 1


def test_help(run_here) -> None:
    done = run_command()
    assert done.returncode == 0
    assert {"train", "prune"} <= set(done.stdout.split())
    done = run_here("train", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    options = [parameter for parameter in get_train_options() if parameter != "--help"]
    assert len(options) > 15
    assert all(option[:20] in done.stdout for option in options)


def get_train_options() -> list[str]:
    from typer.main import get_command

    return [option.opts[0] for option in get_command(app).commands["train"].params]


def test_a_library_that_is_missing_is_named() -> None:
    script = (
        "import sys; sys.modules['datasets'] = None\n"
        "from training.__main__ import run_app; run_app()\n"
    )
    done = run_command("train", "--dataset=a.csv", "--name=a", program=("-c", script))
    assert (
        refusal(done) == "datasets is not installed; make setup installs all packages of training"
    )
