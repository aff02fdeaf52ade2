"""Runs the command line of training in a process of its own."""

import subprocess
import sys

from .loader import ROOT, clean_environment

TINY = ("--epochs=1", "--vocabulary=300", "--units=8", "--embedding=8")


def start_training(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m training train` with these arguments and environment variables."""
    return subprocess.Popen(
        [sys.executable, "-m", "training", "train", *arguments],
        cwd=ROOT,
        env=clean_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_training(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m training train` to its end."""
    with start_training(*arguments, **variables) as process:
        output, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
