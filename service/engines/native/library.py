"""Finds the compiled library for this processor, and calls it."""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.engines.native.compilation import FOLDER, INSTRUCTION_SETS, PORTABLE, library_path
from service.engines.native.layout import (
    ModelStruct,
    Pointer,
    TextsStruct,
    WordsStruct,
    address_of,
)
from service.engines.protocol import EngineUnavailable

DONE, NO_MEMORY, BAD_ID = range(3)  # what `gatewise_read` returns


class Library:
    """A compiled library. Several threads may call it; `read` releases the interpreter's lock.

    Args:
        path: The shared library.
    """

    def __init__(self, path: Path) -> None:
        loaded = ctypes.CDLL(str(path))
        self.path = path
        self.lanes: int = loaded.gatewise_lanes()
        self._supports = loaded.gatewise_supports
        self._read = loaded.gatewise_read
        self._read.argtypes = (ctypes.POINTER(ModelStruct), ctypes.POINTER(TextsStruct))
        self._read.restype = ctypes.c_int
        # These keep the interpreter's lock: they take less time than to get it back.
        holding = ctypes.PyDLL(str(path))
        self._index = holding.gatewise_index
        self._index.argtypes = (ctypes.POINTER(WordsStruct),)
        self._index.restype = ctypes.c_int
        self._encode = holding.gatewise_encode
        self._encode.argtypes = (Pointer, ctypes.c_char_p, ctypes.c_int64, Pointer)
        self._encode.restype = ctypes.c_int64

    def supports(self, instructions: str) -> bool:
        """Return whether this processor has an instruction set."""
        return bool(self._supports(instructions.encode()))

    def read(self, model: ModelStruct, texts: TextsStruct) -> None:
        """Read texts; their arrays must stay alive meanwhile.

        Raises:
            ValueError: An id is not in the vocabulary. Nothing was computed.
            MemoryError: There is not enough memory.
        """
        outcome = self._read(ctypes.byref(model), ctypes.byref(texts))
        if outcome == BAD_ID:
            raise ValueError(f"ids must be from 1 to {model.vocabulary - 1}")
        if outcome == NO_MEMORY:
            raise MemoryError("no memory for the states of texts")

    def index(self, words: WordsStruct) -> bool:
        """Fill the empty table of a vocabulary; return whether it serves to find its tokens."""
        return bool(self._index(ctypes.byref(words)))

    def encode(self, words: WordsStruct, text: bytes) -> NDArray[np.int32]:
        """Return the ids of a text of ASCII."""
        ids = np.empty(len(text), np.int32)
        count = self._encode(ctypes.addressof(words), text, len(text), address_of(ids))
        return ids[:count].copy()  # a token has several characters


def find_library(instructions: str | None = None) -> Library:
    """Return the library for the best instruction set of this processor that has been built.

    Args:
        instructions: Name of another instruction set, which this processor must have.

    Raises:
        EngineUnavailable: There is none.
    """
    names = [instructions] if instructions else supported()
    for name in names:
        if (path := library_path(name)).is_file():
            return _load(path)
    raise EngineUnavailable(
        f"it is not compiled in {FOLDER}; python -m service.engines.native does that"
    )


def supported() -> list[str]:
    """Return the instruction sets that this processor has, the best first."""
    portable = library_path(PORTABLE)
    if not portable.is_file():
        return []
    probe = _load(portable)
    return [each.name for each in INSTRUCTION_SETS if probe.supports(each.name)]


@cache
def _load(path: Path) -> Library:
    try:
        return Library(path)
    except OSError as error:  # of another system
        raise EngineUnavailable(f"{path} cannot be loaded: {error}") from error
