"""Turns ASCII into ids in C, by the tokenizer's rules; other words go the tokenizer's own way."""

import re
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.batching import Row
from models.tokenizer import CONTINUATION, Tokenizer
from service.engines.native.layout import WordsStruct
from service.engines.native.library import Library

SLOTS_PER_TOKEN = 2  # at least, so that most tokens are found at once
MOST_OTHERS = 1 / 64  # of the characters of a text; with more it is not worth cutting
_OTHERS = re.compile(r"[^\x00-\x7f]+")
_SPACE = re.compile(r"\s")

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
        self._is_indexed = library.index(self._words)

    def encode(self, text: str) -> Row:
        """Return the ids of a text."""
        if not self._is_indexed:  # a vocabulary made so that all tokens collide
            return self._tokenizer.encode(text)
        if text.isascii():
            return self._library.encode(self._words, text.encode())
        others = sum(map(len, _OTHERS.findall(text)))
        return (
            self._cut(text) if others <= MOST_OTHERS * len(text) else self._tokenizer.encode(text)
        )

    def _cut(self, text: str) -> Row:
        """Return the ids of a text that is cut at white space around characters beyond ASCII."""
        parts: list[Row] = []
        done = 0
        for other in _OTHERS.finditer(text):
            start, end = max(other.start(), done), other.end()
            if start >= end:  # in the last part
                continue
            while start > done and not text[start - 1].isspace():
                start -= 1
            parts.append(self._library.encode(self._words, text[done:start].encode()))
            space = _SPACE.search(text, end)
            done = space.start() if space else len(text)
            parts.append(np.asarray(self._tokenizer.encode(text[start:done]), np.int32))
        parts.append(self._library.encode(self._words, text[done:].encode()))
        return np.concatenate(parts)


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
