"""Makes the traffic: reviews, sentences, and a mix of short and long texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import datasets

from models.tokenizer import Tokenizer

SHORT_TOKENS, LONG_TOKENS = 20, 2_000
LONG_SHARE = 0.1
TEXTS = 1_000


@dataclass(frozen=True)
class Traffic:
    """Texts that are asked in random order.

    Args:
        name: Name in the table.
        texts: The texts.
        kinds: Class of each text; latencies are kept apart by class.
    """

    name: str
    texts: list[str]
    kinds: list[int]


def make_traffics(dataset: str, tokenizer: Tokenizer) -> dict[str, Traffic]:
    """Return all traffics, made of the test texts of a dataset."""
    split = datasets.load_dataset(dataset, split="test").shuffle(seed=0)
    texts: list[str] = list(split.select(range(2 * TEXTS))["text"])
    reviews, rest = texts[:TEXTS], texts[TEXTS:]
    shorts = [_cut([text], SHORT_TOKENS, tokenizer) for text in rest]
    count = round(TEXTS * LONG_SHARE)
    longs = [
        _cut(reviews[start : start + 100], LONG_TOKENS, tokenizer) for start in range(0, count)
    ]
    mixed = shorts[: TEXTS - count] + longs
    kinds = [0] * (TEXTS - count) + [1] * count
    every = (
        Traffic("reviews", reviews, [0] * len(reviews)),
        Traffic("sentences", shorts, [0] * len(shorts)),
        Traffic("mix", mixed, kinds),
    )
    return {traffic.name: traffic for traffic in every}


def _cut(texts: Sequence[str], tokens: int, tokenizer: Tokenizer) -> str:
    """Return the first words of joined texts, up to a number of tokens."""
    words: list[str] = []
    count = 0
    for word in " ".join(texts).split():
        count += len(tokenizer.encode(word))
        if count > tokens:
            break
        words.append(word)
    return " ".join(words)
