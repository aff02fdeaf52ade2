"""Golden predictions: a loaded version must reproduce their ids and probabilities."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, model_validator

from models.errors import VersionCorrupt
from models.json_files import read_json
from models.limits import LARGEST_GOLDEN
from models.tokenizer import Tokenizer

TOLERANCE = 1e-4  # absolute, on a probability

Probabilities = NDArray[np.float32]
"""Shape (texts, labels)."""
Predict = Callable[[list[list[int]]], Probabilities]
Item = TypeVar("Item")
Items = Annotated[tuple[Item, ...], FailFast()]


class Golden(BaseModel):
    """Texts with their ids and probabilities from the exported network."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    texts: Items[str]
    ids: Items[Items[int]]
    probabilities: Items[Items[float]]

    @model_validator(mode="after")
    def _one_of_each(self) -> "Golden":
        if not len(self.texts) == len(self.ids) == len(self.probabilities) > 0:
            raise ValueError("texts, ids and probabilities must be as many, and at least one")
        return self

    @classmethod
    def record(
        cls, texts: list[str], *, ids: list[list[int]], probabilities: Probabilities
    ) -> Self:
        """Return the golden predictions; `probabilities` has the shape (texts, labels)."""
        return cls(
            texts=tuple(texts),
            ids=tuple(map(tuple, ids)),
            probabilities=tuple(tuple(map(float, row)) for row in probabilities),
        )

    @classmethod
    def load(cls, path: Path) -> "Golden":
        """Read a file that `save` wrote, or raise VersionCorrupt."""
        return read_json(cls, path=path, limit=LARGEST_GOLDEN, kind="file of golden predictions")

    def save(self, path: Path) -> None:
        """Write the golden predictions as JSON."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    def check_ids(self, tokenizer: Tokenizer) -> None:
        """Raise VersionCorrupt unless the tokenizer gives the recorded ids."""
        for text, expected in zip(self.texts, self.ids, strict=True):
            found = tuple(tokenizer.encode(text))
            if found != expected:
                raise VersionCorrupt.mismatch(
                    f"golden ids of {_shorten(text)}",
                    expected=_shorten(expected),
                    found=_shorten(found),
                )

    def check_probabilities(self, predict: Predict, *, tolerance: float = TOLERANCE) -> None:
        """Raise VersionCorrupt unless `predict` gives the recorded probabilities.

        Args:
            predict: Computes the probabilities (texts, labels) of texts, given as ids.
            tolerance: Largest difference of a probability.
        """
        found = predict([list(ids) for ids in self.ids])
        shape = (len(self.texts), len(self.probabilities[0]))
        if found.shape != shape:
            raise VersionCorrupt.mismatch(
                "golden probabilities", expected=f"shape {shape}", found=found.shape
            )
        for text, expected, row in zip(self.texts, self.probabilities, found, strict=True):
            if not np.allclose(row, expected, rtol=0, atol=tolerance):
                raise VersionCorrupt.mismatch(
                    f"golden probabilities of {_shorten(text)}",
                    expected=_rounded(expected),
                    found=_rounded(row),
                )


def _shorten(items: str | tuple[int, ...]) -> str:
    return repr(items[:40]) + ("…" if len(items) > 40 else "")


def _rounded(row: Any) -> list[float]:
    return [round(float(value), 6) for value in row[:40]]
