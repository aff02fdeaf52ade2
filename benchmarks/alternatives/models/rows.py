"""The rows that alternatives are fitted to and judged on, in a file that needs no packages."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rows:
    """Texts with the number of the label of each."""

    texts: list[str]
    labels: list[int]

    def accuracy(self, found: list[int]) -> float:
        """Return the share of labels that are right."""
        return self.count_right(found) / len(self.labels)

    def count_right(self, found: list[int]) -> int:
        """Return how many labels are right."""
        return sum(one == other for one, other in zip(found, self.labels, strict=True))


@dataclass(frozen=True)
class Splits:
    """The rows of a dataset.

    Args:
        labels: Names of the labels.
        train: Rows to fit to.
        validation: Rows that choose settings.
        test: Rows that are only judged on.
    """

    labels: list[str]
    train: Rows
    validation: Rows
    test: Rows

    def save(self, path: Path) -> None:
        """Write them to a file."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Splits":
        """Read them from a file."""
        found = json.loads(path.read_text())
        rows = {name: Rows(**found[name]) for name in ("train", "validation", "test")}
        return cls(found["labels"], **rows)
