"""Turns texts of ASCII into ids in C, by the tokenizer's rules; other texts go its own way."""

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.tokenizer import CONTINUATION, Tokenizer
from service.engines.native.layout import WordsStruct
from service.engines.native.library import Library

SLOTS_PER_TOKEN = 2  # at least, so that most tokens are found at once

Arrays = list[NDArray[np.generic]]


class Encoder:
    """A tokenizer, and its vocabulary as C has it.

    Args:
        tokenizer: The tokenizer.
        library: What finds the words.
        arrays: What `lay_out` gives of its vocabulary, if elsewhere in memory.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, library: Library, arrays: Arrays | None = None
    ) -> None:
        self._tokenizer = tokenizer
        self._library = library
        self._arrays = arrays or lay_out(tokenizer)
        addresses = [array.ctypes.data for array in self._arrays]
        self._words = WordsStruct(*addresses, len(tokenizer), len(self._arrays[-1]) - 1)
        library.index(self._words)

    def encode(self, text: str) -> Row:
        """Return the ids of a text."""
        if text.isascii():
            return self._library.encode(self._words, text.encode())
        return self._tokenizer.encode(text)


def lay_out(tokenizer: Tokenizer) -> Arrays:
    """Return the arrays of `Words`: characters, their beginnings, places, and empty slots."""
    pieces = [_is_piece(token) for token in tokenizer.tokens]
    chars = [
        token.removeprefix(CONTINUATION if piece else "").encode(errors="surrogatepass")
        for token, piece in zip(tokenizer.tokens, pieces, strict=True)
    ]
    slots = 1 << (SLOTS_PER_TOKEN * len(chars)).bit_length()
    return [
        np.frombuffer(b"".join(chars), np.uint8),
        np.array([0, *accumulate(map(len, chars))], np.int32),
        np.array(pieces, np.uint8),
        np.zeros(slots, np.int32),
    ]


def _is_piece(token: str) -> bool:
    """Whether a token stands only behind the start of a word."""
    return token.startswith(CONTINUATION) and token != CONTINUATION
