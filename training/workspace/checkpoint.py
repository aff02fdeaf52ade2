"""Checkpoints: a killed fit resumes from one and has the same result.

A checkpoint is one file, which replaces its predecessor in one step. It is whole at any moment.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from training.errors import TrainingError
from training.workspace.atomic import save_arrays

SECONDS_BETWEEN = 30.0
COURSE, IDENTITY = "course", "identity"

Tracked = Mapping[str, Sequence[Any]]
"""Groups of variables, which have `numpy()` and `assign()`."""
Saved = TypeVar("Saved")  # the progress of a fit: a dataclass of numbers and lists


class Checkpoint:
    """The checkpoint of one fit.

    Args:
        path: The file; its folder is made when needed.
        identity: All that decides the result. Only a checkpoint of the same identity is resumed.
        resume: Whether to resume from the file; else it is overwritten.
    """

    def __init__(self, path: Path, *, identity: Mapping[str, Any], resume: bool) -> None:
        self.path = path
        self._identity = json.loads(json.dumps(identity))
        self._resume = resume
        self._saved = time.monotonic()

    def is_due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved >= SECONDS_BETWEEN

    def save(self, tracked: Tracked, course: Saved) -> None:
        """Write the variables and the course; the last file stays until all is written."""
        arrays = {
            f"{group}/{index}": variable.numpy()
            for group, variables in tracked.items()
            for index, variable in enumerate(variables)
        }
        notes = {COURSE: json.dumps(asdict(course)), IDENTITY: json.dumps(self._identity)}
        texts = {name: np.array(text) for name, text in notes.items()}
        save_arrays(arrays | texts, path=self.path)
        self._saved = time.monotonic()

    def restore(self, tracked: Tracked, course: Saved) -> Saved:
        """Restore the variables and return the saved course; without a checkpoint, `course`.

        Raises:
            TrainingError: The file is of another training, or is no checkpoint.
        """
        if not self._resume or not self.path.is_file():
            return course
        try:
            with self.path.open("rb") as file, np.load(file) as content:
                self._check_identity(json.loads(str(content[IDENTITY])))
                for group, variables in tracked.items():
                    for index, variable in enumerate(variables):
                        variable.assign(content[f"{group}/{index}"])
                return replace(course, **json.loads(str(content[COURSE])))
        except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
            raise TrainingError(
                f"{self.path} is no checkpoint of this training ({error}); "
                "delete it, or train without --resume"
            ) from error

    def delete(self) -> None:
        """Delete the file, once the fit is over."""
        self.path.unlink(missing_ok=True)

    def _check_identity(self, found: Mapping[str, Any]) -> None:
        if changed := list_changes(found, self._identity):
            raise TrainingError(
                f"{self.path} is of another training: {changed}; "
                "give the same options, or train without --resume"
            )


def list_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the differences of two identities in words; "" if they are equal."""
    return ", ".join(
        f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    )
