"""Made-up texts: no two alike but by design."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, Features, List, Value

from training.data.sources import Source
from training.inspection.table import Table

SYLLABLES = ("ba", "do", "fi", "gu", "ka", "le", "mi", "no", "pa", "ru", "sa", "ti", "vo", "ze")


def make_word(draw: random.Random) -> str:
    return "".join(draw.choices(SYLLABLES, k=3))


def make_texts(number: int, *, words: int = 20, seed: int = 0) -> list[str]:
    """Return texts of so many random words each."""
    draw = random.Random(seed)
    return [" ".join(make_word(draw) for _ in range(words)) for _ in range(number)]


def make_opinions(number: int, *, seed: int = 0) -> tuple[list[str], list[int]]:
    """Return texts and labels, 0 or 1; three words of ten tell the label."""
    draw = random.Random(seed)
    telling = [[make_word(draw) for _ in range(8)] for _ in range(2)]
    filler = [make_word(draw) for _ in range(60)]
    labels = [draw.randrange(2) for _ in range(number)]
    texts = []
    for label in labels:
        words = draw.choices(telling[label], k=3) + draw.choices(filler, k=7)
        draw.shuffle(words)
        texts.append(" ".join(words))
    return texts, labels


def exchange(text: str, *, place: int, word: str) -> str:
    """Return a text with another word in one place."""
    words = text.split()
    words[place] = word
    return " ".join(words)


def make_table(
    texts: Mapping[str, Sequence[str]], labels: Mapping[str, Sequence[Any]], *, classes: int = 3
) -> Table:
    names = [f"class {number}" for number in range(classes)]
    encoded = {split: np.array(rows, np.int32) for split, rows in labels.items()}
    return Table.join(texts, labels=encoded, classes=names)


def make_source(
    rows: Mapping[str, Sequence[tuple[Any, Any]]], *, names: Sequence[str] | None = None
) -> Source:
    """Return a source of (text, label) rows by split, with class names or with plain values."""
    return Source(
        "made up",
        "made-up",
        None,
        None,
        {split: _make_split(pairs, names=names) for split, pairs in rows.items()},
    )


def _make_split(pairs: Sequence[tuple[Any, Any]], *, names: Sequence[str] | None) -> Dataset:
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    features = None
    if names is not None:
        classes: Any = ClassLabel(names=list(names))
        several = any(isinstance(label, list) for label in labels)
        features = Features(text=Value("string"), label=List(classes) if several else classes)
    return Dataset.from_dict({"text": texts, "label": labels}, features=features)
