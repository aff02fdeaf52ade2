"""Texts at random to ids, with vocabularies at random that lie in memory of exactly their size."""

import numpy as np

from models.tokenizer import PAD_TOKEN, UNKNOWN_TOKEN, Tokenizer
from service.engines.native.library import Library
from service.engines.native.words import Encoder, lay_out
from tests.service.engines.native.fuzz.memory import ExactMemory
from tests.service.engines.native.fuzz.reading import Fault
from tests.service.engines.native.fuzz.subjects import choose

LETTERS = "abAB0'"
OTHERS = " \t\x00\x1c#!_\x7f"
MOST_TOKENS, LONGEST_RUN = 40, 90
TEXTS = 10  # of a vocabulary


def check_words(random: np.random.Generator, library: Library, memory: ExactMemory) -> int:
    """Compare the ids of texts with those of the tokenizer; return how many texts there were.

    Raises:
        Fault: They differ.
    """
    drawn = {_draw_token(random) for _ in range(int(random.integers(MOST_TOKENS)))}
    tokenizer = Tokenizer((PAD_TOKEN, UNKNOWN_TOKEN, *sorted(drawn)))
    arrays = [memory.copy(array) for array in lay_out(tokenizer)]
    encoder = Encoder(tokenizer, library=library, arrays=arrays)
    for _ in range(TEXTS):
        text = _draw_text(random)
        if list(encoder.encode(text)) != tokenizer.encode(text):
            raise Fault(f"{text!r} has other ids with {tokenizer.tokens}")
    return TEXTS


def _draw_token(random: np.random.Generator) -> str:
    letters = _draw(random, LETTERS.lower() + "#é", int(random.integers(1, 6)))
    return choose(random, ("", "", "##")) + letters


def _draw_text(random: np.random.Generator) -> str:
    parts = []
    for _ in range(int(random.integers(8))):
        parts.append(_draw(random, LETTERS, int(random.integers(1, 12))))
        if random.random() < 0.1:
            parts.append(choose(random, LETTERS[:4]) * int(random.integers(LONGEST_RUN)))
        if random.random() < 0.6:
            parts.append(_draw(random, OTHERS, int(random.integers(1, 4))))
    return "".join(parts) * choose(random, (1, 1, 1, 8))


def _draw(random: np.random.Generator, characters: str, count: int) -> str:
    return "".join(random.choice(list(characters), count).tolist())
