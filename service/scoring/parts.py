"""Results that are kept part by part, so that a stopped run can resume."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from models.atomic import replace_file
from models.errors import GatewiseError

IDENTITY = "run.json"


class PartsError(GatewiseError):
    """The parts belong to another run."""


class Parts:
    """Numbered files in a folder; each exists whole or not at all.

    Args:
        folder: Folder of the parts; made if it does not exist.
        identity: Identity of the run.

    Raises:
        PartsError: The folder has parts of another run.
    """

    def __init__(self, folder: Path, *, identity: dict[str, Any]) -> None:
        self._folder = folder
        noted = folder / IDENTITY
        if not noted.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with replace_file(noted) as unfinished:
                unfinished.write_text(json.dumps(identity))
        elif (found := json.loads(noted.read_text())) != identity:
            other = [name for name in identity if found.get(name) != identity[name]]
            raise PartsError(
                f"{folder} has parts of a run with another {other[0]}: delete it to begin anew"
            )

    def has(self, number: int) -> bool:
        """Whether a part exists."""
        return self._path(number).exists()

    def add(self, number: int, write: Callable[[Path], object]) -> None:
        """Add a part; `write` writes it to a given path."""
        with replace_file(self._path(number)) as unfinished:
            write(unfinished)

    def join(self, count: int, target: Path, join: Callable[[list[Path], IO[bytes]], None]) -> None:
        """Join the first `count` parts into one file, then delete all."""
        paths = [self._path(number) for number in range(count)]
        with replace_file(target) as unfinished, unfinished.open("wb") as file:
            join(paths, file)
        shutil.rmtree(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}"
