"""What an alternative is: a module that fits a model into a folder, and opens it from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from benchmarks.alternatives.models.rows import Splits

Verdict = tuple[int, float]  # number of the label, and its probability


class Model(Protocol):
    """A fitted model."""

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return the label of each text."""
        ...


@dataclass(frozen=True)
class Fitted:
    """What was chosen.

    Args:
        settings: The chosen settings, in words.
        validation: Accuracy on validation rows by settings.
    """

    settings: str
    validation: dict[str, float]


class Alternative(Protocol):
    """A module of this folder."""

    def fit(self, splits: Splits, folder: Path, *, source: Path | None) -> Fitted:
        """Fit a model and keep it in a folder; `source` has what it starts from."""
        ...

    def load(self, folder: Path) -> Model:
        """Return the model in a folder."""
        ...


def find_alternative(name: str) -> Alternative:
    """Return a module by its name."""
    found: Alternative = import_module(f"benchmarks.alternatives.models.{name}")
    return found
