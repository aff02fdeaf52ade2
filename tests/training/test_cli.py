"""The command line: what is wrong is one line and status 2, and leaves nothing behind."""

from pathlib import Path

import pytest

from tests.training.command import places, refusal, run_command
from tests.training.labelled_files import make_rows, write_csv
from tests.training.pretrained.networks import make_pretrained
from training.__main__ import app
from training.pretrained.files import save_pretrained


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


@pytest.mark.medium
def test_a_wrong_command_line_ends_a_process() -> None:
    done = run_command("train")
    assert refusal(done) == "Missing option '--dataset'."
    assert done.stderr.count("\n") == 1


@pytest.mark.medium
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


@pytest.mark.medium
def test_a_library_that_is_missing_is_named() -> None:
    script = (
        "import sys; sys.modules['datasets'] = None\n"
        "from training.__main__ import run_app; run_app()\n"
    )
    done = run_command("train", "--dataset=a.csv", "--name=a", program=("-c", script))
    assert (
        refusal(done) == "datasets is not installed; make setup installs all packages of training"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pretrained", "--units=64"], "--pretrained: no network is shipped with cell gru, lay"),
        (["--pretrained", "--cell=rnn"], "--pretrained: no network is shipped with cell rnn"),
        (["--pretrained", "--vectors=v.txt"], "--pretrained and --vectors both say where to start"),
    ],
)
def test_a_shipped_network_that_cannot_be_the_start(
    run_here, tmp_path: Path, arguments: list[str], message: str
) -> None:
    rows = write_csv(tmp_path / "rows.csv", make_rows(60))
    done = run_here("train", *places(tmp_path), f"--dataset={rows}", "--name=a", *arguments)
    assert refusal(done).startswith(message)
    assert not (tmp_path / "store").exists()


def test_an_encoder_that_is_not_there(run_here, tmp_path: Path) -> None:
    options = ("--unlabeled=texts.csv", f"--out={tmp_path / 'mine'}", f"--work={tmp_path}")
    done = run_here("teach", "--encoder=./none", *options)
    assert refusal(done) == "--encoder './none': no such file or folder"
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--units=64"], "--units 64: the network of mine has 3; leave --units out, or --from"),
        (["--cell=lstm"], "{folder} has no pretrained network of the cell lstm"),
        (["--vectors=v.txt"], "--vectors and --from both say where to start; give one of them"),
    ],
)
def test_a_folder_to_start_from(
    run_here, tmp_path: Path, arguments: list[str], message: str
) -> None:
    folder = tmp_path / "mine"
    save_pretrained(make_pretrained("gru"), folder, notes={})
    rows = write_csv(tmp_path / "rows.csv", make_rows(60))
    options = (f"--dataset={rows}", "--name=a", f"--from={folder}", *arguments)
    done = run_here("train", *places(tmp_path), *options)
    assert refusal(done) == message.format(folder=folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--next=next.csv"], "--next and --unlabeled belong together; give both or none"),
        (["--unlabeled=more.csv"], "--next and --unlabeled belong together; give both or none"),
        (["--unlabeled=more.csv", "--next=a.txt"], "--next a.txt: name a file that ends in .csv"),
        (["--unlabeled=./none.csv", "--next=next.csv"], "none.csv"),
    ],
)
def test_what_is_wrong_with_a_curve_is_told_before_it_is_measured(
    run_here, tmp_path: Path, arguments: list[str], message: str
) -> None:
    rows = write_csv(tmp_path / "rows.csv", make_rows(60))
    done = run_here("curve", f"--dataset={rows}", f"--work={tmp_path / 'work'}", *arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "work").exists()
