"""Measures a dataset by split: rows of each class, lengths of texts, words also in train."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.tokenizer import Tokenizer
from training.inspection.findings import Balance, Cut, Lengths, Overlap
from training.inspection.table import TRAIN, Table
from training.inspection.words import Words
from training.settings import TrainSettings
from training.targets import UNLABELLED, count_classes

QUANTILES = (0, 5, 25, 50, 75, 95, 99, 100)  # per cent
CUTS = (128, 256, 512, TrainSettings.max_tokens)  # tokens


def measure_balance(table: Table) -> tuple[Balance, ...]:
    """Return the rows of each class by split; a row counts for each of its labels."""
    return tuple(_count_rows(table, split) for split in table.sizes)


def _count_rows(table: Table, split: str) -> Balance:
    span = table.spans[split]
    labels = table.labels[span][table.codes[span] != UNLABELLED]
    counts = count_classes(labels, classes=len(table.classes))
    return Balance(split, len(labels), dict(zip(table.classes, counts.tolist(), strict=True)))


def measure_lengths(words: Words, tokenizer: Tokenizer, table: Table) -> tuple[Lengths, ...]:
    """Return the lengths of each split's texts, in words and in tokens."""
    return tuple(_measure_split(words, tokenizer, table, split) for split in table.sizes)


def _measure_split(words: Words, tokenizer: Tokenizer, table: Table, split: str) -> Lengths:
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


def measure_overlap(words: Words, table: Table) -> tuple[Overlap, ...]:
    """Return the share of words that also occur in train, for each other split."""
    if TRAIN not in table.sizes:
        return ()
    known = np.zeros(len(words.spellings), bool)
    known[words.part(table.spans[TRAIN])] = True
    return tuple(
        Overlap(split, _share(known[np.unique(ids)]), _share(known[ids]))
        for split in table.sizes
        if split != TRAIN and len(ids := words.part(table.spans[split])) > 0
    )


def _share(known: NDArray[np.bool_]) -> float:
    return float(known.mean())
