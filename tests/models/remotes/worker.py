"""Runs `python -m models` again and again in one process, which imports its libraries once.

`python -m tests.models.remotes.worker` answers each line of standard input, a command as JSON, by a
line with exit status, standard output and standard error.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from models.remotes.place import SILENCE_SECONDS
from tests.training.loader import ROOT, clean_environment

SHORT = 1.0  # seconds until a place counts as silent, where a test waits for it


@dataclass(frozen=True)
class Result:
    status: int
    output: str
    errors: str

    @property
    def line(self) -> str:
        """The only line that says what was wrong."""
        (line,) = self.errors.splitlines()
        return line.removeprefix("error: ")


class Worker:
    """A process that runs commands."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, *arguments: object, silence: float = SILENCE_SECONDS, **environment: str
    ) -> Result:
        assert self._process.stdin
        assert self._process.stdout
        command = {"args": [str(each) for each in arguments], "env": environment}
        self._process.stdin.write(json.dumps([silence, command]) + "\n")
        self._process.stdin.flush()
        return Result(*json.loads(self._process.stdout.readline()))

    def ask(self, *arguments: object, silence: float = SILENCE_SECONDS) -> Any:
        done = self.run(*arguments, "--json", silence=silence)
        assert done.status == 0, done
        return json.loads(done.output)


@contextmanager
def run_worker(**environment: str) -> Iterator[Worker]:
    """Start a worker with these environment variables."""
    command = [sys.executable, "-m", "tests.models.remotes.worker"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean_environment(**environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Worker(process)
        assert process.stdin
        process.stdin.close()


def main() -> None:
    from typer.testing import CliRunner

    from models.__main__ import app
    from models.remotes import buckets, fetching, hub

    fetching.FIRST_PAUSE = 0.01
    for line in sys.stdin:
        silence, command = json.loads(line)
        buckets.SILENCE_SECONDS = hub.SILENCE_SECONDS = silence
        buckets._PATIENCE["timeout"] = 2 * silence
        done = CliRunner().invoke(app, **command)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        sys.stdout.write(json.dumps([done.exit_code, done.stdout, done.stderr]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
