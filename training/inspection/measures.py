"""Measures how long texts are, and what cutting them would lose."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import Tokenizer
from training.inspection.findings import Cut, Lengths
from training.inspection.table import Table
from training.inspection.words import Words
from training.settings import TrainSettings

QUANTILES = (0, 5, 25, 50, 75, 95, 99, 100)  # per cent
CUTS = (128, 256, 512, TrainSettings.max_tokens)  # tokens


def measure_lengths(words: Words, tokenizer: Tokenizer, table: Table) -> tuple[Lengths, ...]:
    """Return how long the texts of each split are, in words and in tokens of the tokenizer."""
    return tuple(_measure(words, tokenizer, table, split) for split in table.sizes)


def _measure(words: Words, tokenizer: Tokenizer, table: Table, split: str) -> Lengths:
    span = table.spans[split]
    counts = words.counts[span]
    tokens = np.array([len(tokenizer.encode(text)) for text in table.texts[span]], np.int64)
    tokens = tokens[counts > 0]
    cuts = tuple(_cut(tokens, limit) for limit in sorted(set(CUTS)))
    return Lengths(split, _quantiles(counts[counts > 0]), _quantiles(tokens), cuts)


def _quantiles(lengths: NDArray[np.int64]) -> dict[str, float]:
    if len(lengths) == 0:
        return {}
    values: Iterable[float] = np.percentile(lengths, QUANTILES).tolist()
    return {f"{share} %": value for share, value in zip(QUANTILES, values, strict=True)}


def _cut(tokens: NDArray[np.int64], limit: int) -> Cut:
    lost = np.maximum(tokens - limit, 0)
    return Cut(limit, int((lost > 0).sum()), float(lost.sum() / max(tokens.sum(), 1)))
