"""Compares the ids that C gives texts with those of the tokenizer, and the time of both."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.batching import Row
from models.tokenizer import Tokenizer
from service.engines.native.library import find_library
from service.engines.native.words import Encoder

ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What was measured of some texts.

    Args:
        ascii_texts: How many are of ASCII alone; C reads only parts of the others.
        different: How many have other ids.
        tokenizer: Microseconds of a text with the tokenizer, median of ROUNDS.
        native: The same with C.
    """

    ascii_texts: int
    different: int
    tokenizer: float
    native: float


def compare_words(tokenizer: Tokenizer, texts: Sequence[str]) -> Compared:
    """Compare both on texts, in turn."""
    encoder = Encoder(tokenizer, library=find_library())
    seconds: dict[str, list[float]] = {"tokenizer": [], "native": []}
    for _ in range(ROUNDS):
        seconds["tokenizer"].append(_time(tokenizer.encode, texts))
        seconds["native"].append(_time(encoder.encode, texts))
    medians = {name: 1e6 * statistics.median(each) / len(texts) for name, each in seconds.items()}
    return Compared(
        ascii_texts=sum(map(str.isascii, texts)),
        different=sum(list(encoder.encode(text)) != tokenizer.encode(text) for text in texts),
        **medians,
    )


def _time(encode: Callable[[str], Row], texts: Sequence[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        encode(text)
    return time.perf_counter() - started
