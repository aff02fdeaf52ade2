"""The results of one contestant with one seed, and the file that keeps them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from training.workspace.atomic import save_arrays

RECORD = "record"


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """The results of one contestant with one seed.

    Args:
        contestant: Key of the contestant.
        seed: Seed of weights, order and dropout.
        record: Figures: `failure` (the cause, or None). After a successful fit also `epochs`,
            `best_epoch`, `steps`, `tokens`, `seconds`, `cpu_seconds`, `parameters`, `log_loss` by
            purpose and `flips`. The first seed with a successful fit also has `cost`.
        arrays: `loss` and `norm` by step; decisions `alone/PURPOSE`, `joined/PURPOSE` and
            `cut/TOKENS`, (rows,) or (rows, labels); `fading/verdict` and `fading/state` by
            distance; `half_lives` by unit.
    """

    contestant: str
    seed: int
    record: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there is no network."""
        return self.record["failure"] is not None

    @property
    def priced(self) -> bool:
        """Whether the cost of the network was measured."""
        return bool(self.record.get("cost"))

    def save(self, path: Path) -> None:
        """Write the results to a file that appears whole or not at all."""
        record = {"contestant": self.contestant, "seed": self.seed, **self.record}
        save_arrays(self.arrays | {RECORD: np.array(json.dumps(record))}, path=path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that `save` wrote."""
        with np.load(path) as content:
            arrays = {name: content[name] for name in content.files if name != RECORD}
            record = json.loads(str(content[RECORD]))
        return cls(
            contestant=record.pop("contestant"),
            seed=record.pop("seed"),
            record=record,
            arrays=arrays,
        )
