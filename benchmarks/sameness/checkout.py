"""Runs commands in the folders of two checkouts."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
MODELS = ("imdb-gru", "imdb-lstm")  # that each checkout has in models/store
PATIENCE = 1_800  # seconds that a command may take, on a busy machine too
FOREIGN = ("GATEWISE_", "MLFLOW_", "PYTHONPATH")  # variables that would change what is compared


@dataclass(frozen=True)
class Checkout:
    """A folder with the source of the project.

    Args:
        side: `before` or `after`.
        folder: Its root.
    """

    side: str
    folder: Path

    def start(
        self, *arguments: str, log: Path | None = None, **variables: str
    ) -> subprocess.Popen[bytes]:
        """Start Python with these arguments and environment variables in the folder.

        Args:
            arguments: Arguments of Python.
            log: File for all output; pipes if absent.
            variables: Environment variables, beside the inherited ones.
        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "400", "NO_COLOR": "1"}
        with open(log or os.devnull, "ab") as file:
            target = file if log else subprocess.PIPE
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=inherited | quiet | variables,
                stdout=target,
                stderr=target,
            )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments to its end."""
        with self.start(*arguments, log=None, **variables) as process:
            try:
                output, errors = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        return subprocess.CompletedProcess(
            process.args, process.returncode, output.decode(), errors.decode()
        )

    def run_well(self, *arguments: str, **variables: str) -> str:
        """Return the standard output of a command, which must succeed."""
        done = self.run(*arguments, **variables)
        if done.returncode != 0:
            raise RuntimeError(f"{self.side}: {arguments} failed\n{done.stderr[-3000:]}")
        return done.stdout


@dataclass(frozen=True)
class Pair:
    """The two checkouts, and a folder for their output.

    Args:
        before: The first checkout.
        after: The second checkout.
        scratch: Folder that is deleted at the end.
    """

    before: Checkout
    after: Checkout
    scratch: Path

    def both(self, act: Callable[[Checkout], Result]) -> tuple[Result, Result]:
        """Call a function for both checkouts at the same time; return both results."""
        with ThreadPoolExecutor(2) as pool:
            before, after = pool.map(act, (self.before, self.after))
        return before, after

    def folder(self, name: str) -> Path:
        """Return a new folder for the output of a comparison."""
        path = self.scratch / name
        path.mkdir()
        return path
