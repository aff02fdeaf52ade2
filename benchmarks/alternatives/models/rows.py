"""The rows that alternatives are fitted to and judged on, in a file that needs no packages."""

import json
import random
from dataclasses import asdict, dataclass, replace
from pathlib import Path

SEED = 1  # of drawn rows


@dataclass(frozen=True)
class Rows:
    """Texts with the number of the label of each."""

    texts: list[str]
    labels: list[int]

    def draw(self, most: int | None) -> "Rows":
        """Return so many rows in random order, all in theirs if None; fewer are the first of more.

        So what was computed for fewer rows serves for more.
        """
        if most is None:
            return self
        places = list(range(len(self.texts)))
        random.Random(SEED).shuffle(places)
        drawn = places[:most]
        return Rows([self.texts[at] for at in drawn], [self.labels[at] for at in drawn])

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

    def draw(self, *, train: int | None, test: int | None) -> "Splits":
        """Return them with fewer rows to fit to and to judge on."""
        return replace(self, train=self.train.draw(train), test=self.test.draw(test))

    def save(self, path: Path) -> None:
        """Write them to a file."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Splits":
        """Read them from a file."""
        found = json.loads(path.read_text())
        rows = {name: Rows(**found[name]) for name in ("train", "validation", "test")}
        return cls(found["labels"], **rows)
