"""The program as a wheel installs it: one package, the user's own store, one line for faults."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatewise.program import app
from gatewise_client import Client
from models import __version__
from tests.gatewise.installed import environment, lay_out, run_program, run_script

pytestmark = pytest.mark.e2e

TRAINERS = (
    "datasets huggingface_hub jinja2 keras matplotlib onnx pandas pyarrow safetensors sklearn"
)
OF_EXTRAS = [
    *TRAINERS.split(),
    *("scipy", "tensorflow", "threadpoolctl", "tokenizers", "tomlkit", "optuna", "mlflow"),
    *("redis", "opentelemetry"),
]
"""Modules of packages that only extras bring."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    lay_out(folder)
    return folder


def test_it_has_all_commands(home: Path) -> None:
    shown = run_program(home)
    assert shown.returncode == 0
    commands = shown.stdout.partition("Commands:")[2].split()
    wanted = "serve train score compare tune inspect evaluate models doctor keys"
    assert set(wanted.split()) <= set(commands)
    assert run_program(home, "--version").stdout.strip() == __version__


def test_a_user_gets_a_store_with_the_shipped_model(home: Path) -> None:
    listed = run_program(home, "models", "list", "--json")
    store = home / ".local/share/gatewise/store"
    assert listed.stderr == f"note: {store} is your store from now on; imdb-gru is in it\n"
    assert [row["model"] for row in json.loads(listed.stdout)] == ["imdb-gru"]
    again = run_program(home, "models", "verify")
    assert (again.stdout, again.stderr.strip()) == ("imdb-gru:1: as it was published\n", "")


@pytest.mark.parametrize(
    "asked",
    [
        ["serve", "--help"],
        ["models", "list", "--help"],
        ["models", "list", "--json", "--store=models/mine"],
        ["inspect", "--help"],
    ],
)
def test_what_does_not_take_the_store_of_the_user_does_not_make_it(
    asked: list[str], tmp_path: Path
) -> None:
    lay_out(tmp_path)
    (tmp_path / "models/mine").mkdir(parents=True)
    (tmp_path / ".local").write_text("no folder")  # so it could not be made
    done = run_program(tmp_path, *asked)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_store_that_the_first_command_makes_is_no_fault(tmp_path: Path) -> None:
    lay_out(tmp_path)
    looked = run_program(tmp_path, "doctor", "--json", GATEWISE_PORT="0")
    (store,) = (each for each in json.loads(looked.stdout) if each["topic"] == "store")
    assert store["level"] == "note"
    assert "gatewise serve makes it" in store["mend"]
    assert not (tmp_path / ".local").exists()


def test_a_deleted_model_stays_deleted(home: Path, tmp_path: Path) -> None:
    lay_out(tmp_path)
    run_program(tmp_path, "models", "list")
    store = tmp_path / ".local/share/gatewise/store"
    (store / "imdb-gru").rename(tmp_path / "gone")
    assert json.loads(run_program(tmp_path, "models", "list", "--json").stdout) == []


def test_a_store_in_the_folder_is_taken(home: Path, tmp_path: Path) -> None:
    (tmp_path / "models/store").mkdir(parents=True)
    program = [sys.executable, "-m", "gatewise", "models", "list", "--json"]
    listed = subprocess.run(
        program, cwd=tmp_path, env=environment(home), capture_output=True, check=True
    )
    assert (json.loads(listed.stdout), listed.stderr) == ([], b"")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves(home: Path, workers: str) -> None:
    program = [sys.executable, "-m", "gatewise", "serve", "--port=0", f"--workers={workers}"]
    with subprocess.Popen(
        program, cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True
    ) as served:
        try:
            assert served.stderr
            lines = iter(served.stderr.readline, "")
            url = next(line for line in lines if "running on" in line).split()[-1]
            next(line for line in lines if "is ready with" in line)
            with Client(url) as client:
                assert client.predict("An unforgettable film.")["label"] == "pos"
        finally:
            served.terminate()
            served.communicate(timeout=20)


def test_what_training_lacks_is_one_line(home: Path) -> None:
    (home / "x.csv").write_text("text,label\n")
    without = "import sys; sys.modules['datasets'] = None\n"
    script = without + "sys.argv = ['gatewise', 'train', '--dataset', 'x.csv']\n"
    script += "from gatewise.__main__ import run; run()\n"
    done = run_script(home, script)
    assert done.returncode == 2
    # The first command in a home also notes where the store is.
    (line,) = (each for each in done.stderr.splitlines() if not each.startswith("note: "))
    assert line.startswith("error: datasets is not installed; ")
    assert "'gatewise[training]'" in line


def test_it_starts_without_any_extra(home: Path) -> None:
    script = f"import sys; sys.modules.update(dict.fromkeys({OF_EXTRAS}))\n"
    script += "sys.argv = ['gatewise', '--help']; from gatewise.__main__ import run; run()\n"
    done = run_script(home, script)
    assert done.returncode == 0, done.stderr


def test_an_incomplete_installation_is_one_line(home: Path) -> None:
    script = "import sys; sys.modules['uvicorn'] = sys.modules['pydantic'] = None\n"
    script += "from gatewise.__main__ import run; run()\n"
    done = run_script(home, script)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: this installation is incomplete (")
    assert "pydantic" in line


NUMPY = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            print("threads:", os.environ.get("OPENBLAS_NUM_THREADS"))

sys.meta_path.insert(0, Watch())
sys.argv = ["gatewise", "score", "--help"]
from gatewise.__main__ import run
run()
"""


def test_numpy_computes_in_one_thread(home: Path) -> None:
    """Others of its threads would wait for the first without rest, on cores that are in use."""
    assert "threads: 1\n" in run_script(home, NUMPY).stdout


def test_a_bad_option_is_one_line() -> None:
    refused = CliRunner().invoke(app, ["train", "--epochs=none"])
    assert refused.exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_it(home: Path, shell: str) -> None:
    typed = {
        "COMP_WORDS": "gatewise mod",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "gatewise mod",
    }
    asked = {"_GATEWISE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    script = "import sys; sys.argv = ['gatewise']; from gatewise.__main__ import run; run()"
    done = run_script(home, script, **typed, **asked)
    assert "models" in done.stdout
