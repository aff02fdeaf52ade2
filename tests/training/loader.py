"""Loads datasets in a process of its own, for what libraries read from the environment once.

`python -m tests.training.loader` answers each line of standard input, the arguments of
`load_source` as JSON, by a line with what was loaded, or with the error.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PREFIXES = (
    "HF_",
    "HUGGING",
    "GATEWISE_",
    "MLFLOW_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "PYTHON",
)


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what would change a test, and with `variables`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(_PREFIXES)
    }
    return kept | variables


def uncovered_environment(**variables: str) -> dict[str, str]:
    """Return the same for a process that may be killed, whose coverage nobody could read."""
    kept = clean_environment(**variables)
    return {name: value for name, value in kept.items() if not name.startswith("COVERAGE")}


class Loader:
    """A process that loads datasets."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def load(
        self, dataset: str, *, config: str | None = None, revision: str | None = None
    ) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        request = {"dataset": dataset, "config": config, "revision": revision}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def run_loader(**variables: str) -> Iterator[Loader]:
    """Start a loader with these environment variables; nothing but answers may come out of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.training.loader"],
        cwd=ROOT,
        env=clean_environment(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Loader(process)
        finally:
            output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert output + errors == ""


def main() -> None:
    from training.data.sources import load_source
    from training.errors import DataError

    for line in sys.stdin:
        try:
            source = load_source(**json.loads(line))
        except DataError as error:
            answer: dict[str, Any] = {"error": str(error)}
        else:
            texts = {name: rows["text"][:] for name, rows in source.splits.items()}
            answer = {"revision": source.revision, "name": source.name, "texts": texts}
        answer["tensorflow"] = "tensorflow" in sys.modules
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
