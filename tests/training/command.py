"""Runs the command line of training in a process of its own."""

import subprocess
import sys
from pathlib import Path

from tests.training.loader import ROOT, clean_environment, uncovered_environment

BAD_INPUT = 2
TINY = (
    "--epochs=1",
    "--vocabulary=300",
    "--units=8",
    "--embedding=8",
    "--adversarial=0",
    "--no-ngrams",
)


def places(folder: Path) -> tuple[str, str]:
    """Return the options that put the store into `folder`/store, the checkpoints into its work."""
    return f"--store={folder / 'store'}", f"--work={folder / 'work'}"


def start_training(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m training train` with these arguments and environment variables.

    What it writes goes to the `places` in `folder`.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "training", "train", *places(folder), *arguments],
        cwd=ROOT,
        env=uncovered_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_training(
    folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m training train` to its end."""
    with start_training(folder, *arguments, **variables) as process:
        output, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def wait_for(words: str, process: subprocess.Popen[str]) -> None:
    """Read what a training says until a line holds these words."""
    assert process.stderr
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return
    raise AssertionError("".join(said))


def run_command(
    *arguments: str, program: tuple[str, str] = ("-m", "training")
) -> subprocess.CompletedProcess[str]:
    """Run `python -m training`, or another program for Python."""
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that says what was wrong."""
    assert done.returncode == BAD_INPUT, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    return lines[-1].removeprefix("error: ")
