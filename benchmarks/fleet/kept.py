"""Keeps what was measured, so that a fleet can be planned without measuring first.

Of the texts it keeps quantiles of their lengths.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fleet.check import Compared
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.traffic import Lengths
from benchmarks.serving.results import Record

MEASURED = Path(__file__).with_name("measured.json")
QUANTILES = 200


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one machine shows.

    Args:
        costs: Of a process.
        compared: Loads beside their predictions.
        lengths: Quantiles of the lengths of texts, by kind.
        facts: What a process needs besides; see `facts.py`.
    """

    costs: Costs
    compared: list[Compared]
    lengths: dict[str, Lengths]
    facts: Record

    def save(self, path: Path) -> None:
        """Write it to a file."""
        record = {
            "costs": self.costs.record(),
            "compared": [each.record() for each in self.compared],
            "lengths": self.lengths,
            "facts": self.facts,
        }
        path.write_text(json.dumps(record) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Measured":
        """Read it from a file."""
        record = json.loads(path.read_text())
        return cls(
            costs=Costs.of(record["costs"]),
            compared=[Compared(**each) for each in record["compared"]],
            lengths={
                kind: [(tokens, chars) for tokens, chars in lengths]
                for kind, lengths in record["lengths"].items()
            },
            facts=record["facts"],
        )


def shorten(lengths: Lengths) -> Lengths:
    """Return the lengths of some texts that stand for all: quantiles by tokens."""
    ordered = sorted(lengths)
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES * len(ordered)
    return [ordered[int(place)] for place in places]
