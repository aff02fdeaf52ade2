"""Results that are kept part by part, so that a stopped run can resume."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from models.atomic import replace_file


class Parts:
    """Numbered files in a folder; each exists whole or not at all.

    Args:
        folder: Folder of all unfinished runs of a target.
        identity: Identity of the run, which has a folder of its own in it. So a run with a mistake
            does not stand in the way of the next, and nothing that it computed is lost.
    """

    def __init__(self, folder: Path, *, identity: dict[str, Any]) -> None:
        content = json.dumps(identity, sort_keys=True).encode()
        self._all = folder
        self._folder = folder / hashlib.sha256(content).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    def has(self, number: int) -> bool:
        """Whether a part exists."""
        return self._path(number).exists()

    def add(self, number: int, write: Callable[[Path], object]) -> None:
        """Add a part; `write` writes it to a given path."""
        with replace_file(self._path(number)) as unfinished:
            write(unfinished)

    def join(self, count: int, target: Path, join: Callable[[list[Path], IO[bytes]], None]) -> None:
        """Join the first `count` parts into one file, then delete all runs of this target."""
        paths = [self._path(number) for number in range(count)]
        with replace_file(target) as unfinished, unfinished.open("wb") as file:
            join(paths, file)
        shutil.rmtree(self._all)

    def drop_if_empty(self) -> None:
        """Delete the folders if no part is in them."""
        for folder in (self._folder, self._all):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}"
