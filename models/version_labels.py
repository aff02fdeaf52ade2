"""Labels of a model's versions, such as `stable` and `canary`: who answers which traffic.

One file beside the versions has them all, with the versions that each label had before. It is
replaced as a whole, so a reader sees the labels before a change or those after it.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.atomic import replace_file
from models.json_files import FormatProbe, read_versioned
from models.limits import LARGEST_LABELS
from models.names import LABEL_PATTERN

FILE = "labels.json"
STABLE, CANARY = "stable", "canary"
REMEMBERED = 20  # versions of a label, which can be rolled back to, and verdicts of a model

Label = Annotated[str, Field(pattern=LABEL_PATTERN)]
Share = Annotated[float, Field(gt=0, lt=1)]
Shadow = Annotated[float, Field(gt=0, le=1)]
Outcome = Literal["rolled_back", "promoted"]


class Assignment(BaseModel):
    """A version that a label was given to, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=1)]
    since: datetime


class Verdict(BaseModel):
    """What became of a version that had a label beside `stable`, and why.

    Args:
        label: The label that it had.
        version: The version.
        stable: The version that it was compared with.
        outcome: What was done.
        at: When.
        why: The reason, in words.
        figures: The evidence, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label
    version: Annotated[int, Field(ge=1)]
    stable: Annotated[int, Field(ge=1)]
    outcome: Outcome
    at: datetime
    why: str
    figures: dict[str, float] = {}


class VersionLabels(BaseModel):
    """All labels of a model, each with the versions that had it, the present one last.

    A label can have a share of the traffic that names no label, and answers it. Or it has a shadow:
    a share that `stable` answers, and of which it reads a copy. The rest is `stable`'s.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    assignments: dict[Label, Annotated[tuple[Assignment, ...], Field(min_length=1)]] = {}
    shares: dict[Label, Share] = {}
    shadows: dict[Label, Shadow] = {}
    verdicts: tuple[Verdict, ...] = ()

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if unknown := self.parts.keys() - self.assignments.keys():
            raise ValueError(f"{', '.join(sorted(unknown))} has a share, but no version")
        if both := self.shares.keys() & self.shadows.keys():
            raise ValueError(f"{', '.join(sorted(both))} has a share and a shadow")
        if sum(self.parts.values()) > 1:
            raise ValueError("the shares are more than all of the traffic")
        return self

    @property
    def parts(self) -> dict[str, float]:
        """The part of the traffic that each label has, as a share or as a shadow."""
        return {**self.shares, **self.shadows}

    @property
    def versions(self) -> dict[str, int]:
        """The version that has each label."""
        return {label: given[-1].version for label, given in self.assignments.items()}

    @property
    def mentioned(self) -> set[int]:
        """The versions that have or had a label, or that a verdict is about."""
        given = (each.version for history in self.assignments.values() for each in history)
        judged = (number for each in self.verdicts for number in (each.version, each.stable))
        return {*given, *judged}

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
        """Return the labels without one, and without its share or shadow."""
        labels = self.share(label, 0)
        return labels._with({key: each for key, each in self.assignments.items() if key != label})

    def share(self, label: str, share: float) -> Self:
        """Return the labels after one got a share of what names no label; 0 for none."""
        return self._with_part("shares", label, share)

    def shadow(self, label: str, part: float) -> Self:
        """Return the labels after one got copies of a part of what names no label; 0 for none."""
        return self._with_part("shadows", label, part)

    def conclude(self, verdict: Verdict) -> Self:
        """Return the labels after a verdict: its label is gone, and the better version `stable`."""
        labels = self.withdraw(verdict.label)
        if verdict.outcome == "promoted":
            labels = labels.assign(STABLE, verdict.version, now=verdict.at)
        verdicts = (*self.verdicts, verdict)[-REMEMBERED:]
        return labels.model_copy(update={"verdicts": verdicts})

    def _with_part(self, field: str, label: str, part: float) -> Self:
        """Return the labels with one's share or shadow, of which it has not both."""
        update = {
            "shares": {key: each for key, each in self.shares.items() if key != label},
            "shadows": {key: each for key, each in self.shadows.items() if key != label},
        }
        update[field] |= {label: part} if part else {}
        return self.model_copy(update=update)

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
        return read_versioned(
            cls, newest=1, path=path, limit=LARGEST_LABELS, kind="file of labels", probe=_Probe
        )


class _Probe(FormatProbe):
    """Where no format version stands, it is the first one."""

    format_version: int = 1
