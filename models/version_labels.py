"""Labels of a model's versions, such as `stable` and `canary`: who answers which traffic.

One file beside the versions has them all, with the versions that each label had before. It is
replaced as a whole, so a reader sees the labels before a change or those after it.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.atomic import replace_file
from models.errors import FormatTooNew
from models.json_files import read_json
from models.limits import LARGEST_LABELS
from models.names import LABEL_PATTERN

FILE = "labels.json"
STABLE, CANARY = "stable", "canary"
REMEMBERED = 20  # versions of a label; older ones cannot be rolled back to

Label = Annotated[str, Field(pattern=LABEL_PATTERN)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Assignment(BaseModel):
    """A version that a label was given to, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1)]
    since: datetime


class VersionLabels(BaseModel):
    """All labels of a model, each with the versions that had it, the present one last.

    A label can have a share of the traffic that names no label. The rest is `stable`'s.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    assignments: dict[Label, Annotated[tuple[Assignment, ...], Field(min_length=1)]] = {}
    shares: dict[Label, Share] = {}

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        if unknown := self.shares.keys() - self.assignments.keys():
            raise ValueError(f"{', '.join(sorted(unknown))} has a share, but no version")
        if sum(self.shares.values()) > 1:
            raise ValueError("the shares are more than all of the traffic")
        return self

    @property
    def versions(self) -> dict[str, int]:
        """The version that has each label."""
        return {label: given[-1].version for label, given in self.assignments.items()}

    def answering(self, *, newest: int) -> int:
        """Return the version that answers what names none, of a model with this newest version."""
        return self.versions.get(STABLE, newest)

    def history(self, label: str) -> Sequence[Assignment]:
        """Return the versions that had a label, the present one last; none for an unknown label."""
        return self.assignments.get(label, ())

    def assign(self, label: str, version: int, *, now: datetime) -> Self:
        """Return the labels after one was given to a version."""
        before = self.history(label)
        if before and before[-1].version == version:
            return self
        given = (*before, Assignment(version=version, since=now))[-REMEMBERED:]
        return self._with({**self.assignments, label: given})

    def roll_back(self, label: str, *, to: Assignment, now: datetime) -> Self:
        """Return the labels after one went back to a version that had it; what came later is left.

        Args:
            label: The label.
            to: One of its history.
            now: When it goes back.
        """
        before = self.history(label)
        kept = before[: before.index(to)]
        given = (*kept, Assignment(version=to.version, since=now))
        return self._with({**self.assignments, label: given})

    def withdraw(self, label: str) -> Self:
        """Return the labels without one, and without its share."""
        labels = self.share(label, 0)
        return labels._with({key: each for key, each in self.assignments.items() if key != label})

    def share(self, label: str, share: float) -> Self:
        """Return the labels after one got a share of what names no label; 0 for none."""
        others = {key: each for key, each in self.shares.items() if key != label}
        return self.model_copy(update={"shares": others | ({label: share} if share else {})})

    def _with(self, assignments: dict[str, tuple[Assignment, ...]]) -> Self:
        return self.model_copy(update={"assignments": assignments})

    def save(self, folder: Path) -> None:
        """Write the labels of the model with this folder; no labels leave no file."""
        if not self.assignments:
            (folder / FILE).unlink(missing_ok=True)
            return
        with replace_file(folder / FILE) as unfinished:
            unfinished.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
            unfinished.chmod(0o644)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the labels of the model with this folder; there are none where there is no file.

        Raises:
            VersionCorrupt: The file has no labels that can be read.
            FormatTooNew: A newer release wrote it.
        """
        path = folder / FILE
        if not os.path.lexists(path):
            return cls()
        read = partial(read_json, path=path, limit=LARGEST_LABELS, kind="file of labels")
        found = read(_FormatProbe).format_version
        if found > 1:
            raise FormatTooNew.of(path, supported=1, found=found)
        return read(cls)


class _FormatProbe(BaseModel):
    """Reads the format version only."""

    format_version: int = 1
