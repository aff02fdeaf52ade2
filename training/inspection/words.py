"""Texts as numbers of their words, read once for all later steps."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.words import NORMALIZATION, space_out


@dataclass(frozen=True)
class Words:
    """The words of many texts, each word as a number.

    Args:
        ids: Number of each word, one text after the other, shape (words,).
        starts: Start of each text in `ids`, and the end of the last, shape (texts + 1,).
        spellings: The word of each number, in the tokenizer's normal form.
    """

    ids: NDArray[np.uint32]
    starts: NDArray[np.int64]
    spellings: tuple[str, ...]

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.starts) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of words of each text, shape (texts,)."""
        return np.diff(self.starts)

    def part(self, rows: slice) -> NDArray[np.uint32]:
        """Return the words of neighbouring texts, one text after the other, shape (words,)."""
        start, stop, _ = rows.indices(len(self))
        return self.ids[self.starts[start] : self.starts[max(start, stop)]]


def read_words(texts: Iterable[str]) -> Words:
    """Find the words of texts like the tokenizer; spaces and case make no difference.

    The only exception are scripts without spaces, where each character is a word.
    """
    numbers = _WordNumbers()
    ids, starts = array("I"), array("q", [0])
    for text in texts:
        ids.extend(map(numbers.__getitem__, NORMALIZATION.find_words(space_out(text))))
        starts.append(len(ids))
    return Words(
        np.frombuffer(ids, np.uint32) if ids else np.empty(0, np.uint32),
        np.frombuffer(starts, np.int64),
        tuple(numbers.known),
    )


class _WordNumbers(dict[str, int]):
    """Number of each written word; a new word gets the next number."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, int] = {}  # by normalised spelling

    def __missing__(self, word: str) -> int:
        number = self.known.setdefault(NORMALIZATION.normalize(word), len(self.known))
        self[word] = number
        return number
